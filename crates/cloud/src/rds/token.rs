//! Login tokens: a signed address that a proxy takes for a password.

use std::fmt;

use aws_sdk_rds::auth_token::{AuthTokenGenerator, Config};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use zeroize::Zeroizing;

use super::Rds;
use crate::error::{Answer, Kind, Refusal};
use crate::moment::utc;

/// For how many seconds a token is good for logging in: AWS's own figure, and its most
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/UsingWithRDS.IAMDBAuth.html>).
pub const TOKEN_SECONDS: u64 = 900;

/// What stands unescaped in the query of a signed address.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// A fresh token. It is as good as a password while it lasts, so `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// The token.
    pub text: Zeroizing<String>,
    /// When it ends, as `2026-01-31T12:00:00Z`.
    pub expires: String,
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("expires", &self.expires).finish_non_exhaustive()
    }
}

impl Rds {
    /// Signs a token for one host, port and database user. Nothing is asked of AWS but the credentials.
    ///
    /// # Errors
    /// When there are no credentials.
    pub async fn token(&self, host: &str, port: u16, user: &str) -> Answer<Token> {
        const CALL: &str = "rds-db:connect";
        // The SDK puts the name into an address as it is.
        let user = utf8_percent_encode(user, PLAIN).to_string();
        let wanted = Config::builder().hostname(host).port(u64::from(port)).username(user).expires_in(TOKEN_SECONDS);
        let refuse = |kind, message: String| Refusal {
            operation: CALL,
            kind,
            code: None,
            message,
            request_id: None,
            cause: None,
        };
        let wanted = wanted.build().map_err(|error| refuse(Kind::Invalid, error.to_string()))?;
        let now = self.config.time_source().map_or_else(std::time::SystemTime::now, |source| source.now());
        let signed = AuthTokenGenerator::new(wanted).auth_token(&self.config).await;
        let signed = signed.map_err(|error| refuse(Kind::Credentials, error.to_string()))?;
        let ends = now + std::time::Duration::from_secs(TOKEN_SECONDS);
        Ok(Token { text: Zeroizing::new(signed.to_string()), expires: utc(ends) })
    }
}
