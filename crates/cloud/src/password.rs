//! A password on its way to Secrets Manager: never shown, and its own buffer is overwritten afterwards.
//!
//! Copies remain until the memory is used again: in the request that the SDK builds and signs, in its HTTP and TLS
//! buffers, in what a terminal or a pipe was read through, and in the JSON that becomes the secret's value. Against the
//! one way by which they would outlive the process, [`without_core_dumps`] is called at its start.

use std::fmt;

use zeroize::Zeroizing;

/// Has the kernel write no core dump of this process, nor of those that it starts: memory may hold passwords.
#[cfg(unix)]
pub fn without_core_dumps() {
    use rustix::process::{Resource, Rlimit, setrlimit};
    // Less is always allowed.
    let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum: Some(0) });
}

/// Windows writes none unless somebody asks for it.
#[cfg(not(unix))]
pub fn without_core_dumps() {}

/// A database user's password.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Zeroizing<String>);

impl Password {
    /// Takes a text over.
    #[must_use]
    pub fn new(text: String) -> Self {
        Self(Zeroizing::new(text))
    }

    /// Whether nothing was given.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The password itself, for a request that needs it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// A text without the password.
    #[must_use]
    pub fn hidden_in(&self, text: &str) -> String {
        if self.0.is_empty() { text.to_owned() } else { text.replace(self.0.as_str(), "…") }
    }

    /// The value of a secret that RDS Proxy reads: `username` and `password`, in lower case.
    ///
    /// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-secrets-arns.html>)
    #[must_use]
    pub fn secret_of(&self, user: &str) -> Zeroizing<String> {
        let value = serde_json::json!({ "username": user, "password": self.0.as_str() });
        Zeroizing::new(value.to_string())
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Password;

    #[test]
    fn a_password_is_never_shown() {
        let password = Password::new("open \"sesame\"".to_owned());
        assert_eq!(format!("{password:?}"), "Password(…)");
        assert_eq!(password.hidden_in("he said open \"sesame\" twice"), "he said … twice");
        let value: serde_json::Value = serde_json::from_str(&password.secret_of("app")).unwrap();
        assert_eq!(value, serde_json::json!({ "username": "app", "password": "open \"sesame\"" }));
    }
}
