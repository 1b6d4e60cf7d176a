//! Why there is no usable answer: causes that have a command or a setting that helps.

use std::time::Duration;

use plain::is_unseen;

/// A cause that was recognized; `error.rs` has the hints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    /// `--profile`, or `AWS_PROFILE`, names a profile that is not in the files.
    #[error("there is no profile {profile} in {files}")]
    NoProfile {
        /// The profile.
        profile: String,
        /// The files that were read.
        files: String,
    },
    /// `source_profile` names a profile that is not in the files.
    #[error(
        "the profile {profile} takes its credentials from source_profile = {source_profile}, which is not in {files}"
    )]
    NoSourceProfile {
        /// The profile that names it.
        profile: String,
        /// The profile that is missing.
        source_profile: String,
        /// The files that were read.
        files: String,
    },
    /// Profiles that name each other as their source.
    #[error("the profiles in {files} name each other as source_profile: {path}")]
    SourceLoop {
        /// The way round.
        path: String,
        /// The files that were read.
        files: String,
    },
    /// A role without the credentials to assume it with, or with two of them.
    #[error("the profile {profile} in {files} has a role_arn, and {number} of source_profile and credential_source")]
    RoleSource {
        /// The profile.
        profile: String,
        /// The files that were read.
        files: String,
        /// `neither` or `both`.
        number: &'static str,
    },
    /// Not logged in to IAM Identity Center, or no longer.
    #[error("the profile {profile} has no valid IAM Identity Center (SSO) session: {why}")]
    Sso {
        /// The profile with the SSO settings.
        profile: String,
        /// What the SDK found.
        why: String,
    },
    /// `sso_session` names a section that is not there.
    #[error("the profile {profile} names sso_session = {session}, and {files} has no [sso-session {session}]")]
    NoSsoSession {
        /// The profile.
        profile: String,
        /// The section.
        session: String,
        /// The files that were read.
        files: String,
    },
    /// A role that needs a code from an MFA device, and nobody to ask for it.
    #[error("the profile {profile} needs a code of the MFA device {serial}, and there is no terminal to ask on")]
    Mfa {
        /// The profile.
        profile: String,
        /// The device.
        serial: String,
    },
    /// STS refused the code, or the role.
    #[error("assuming the role of the profile {profile} ({role}): {why}")]
    AssumeRole {
        /// The profile.
        profile: String,
        /// The role.
        role: String,
        /// What STS answered.
        why: String,
        /// Whether a code was sent along.
        code: bool,
    },
    /// `credential_process` gave nothing usable.
    #[error("the credential_process of the profile {profile} {why}")]
    Process {
        /// The profile.
        profile: String,
        /// `was not found`, `failed (…)`, `printed no credentials (…)`.
        why: String,
    },
    /// One half of a pair of keys.
    #[error("{place} holds {present}, but no {missing}")]
    HalfKey {
        /// `the environment`, or the profile and its files.
        place: String,
        /// What is there.
        present: &'static str,
        /// What is not.
        missing: &'static str,
    },
    /// A configuration file that cannot be read, or parsed.
    #[error("the AWS configuration cannot be read: {why}")]
    ConfigFile {
        /// The file and the reason.
        why: String,
    },
    /// `aws login` is needed again.
    #[error("the profile {profile} uses a session of `aws login` that gave no credentials: {why}")]
    Login {
        /// The profile.
        profile: String,
        /// What the AWS CLI said.
        why: String,
    },
    /// Anything else that a provider of credentials reports.
    #[error("no credentials from {place}: {why}")]
    Provider {
        /// The profile, or what else was asked.
        place: String,
        /// What it said.
        why: String,
    },
    /// Nothing is configured at all.
    #[error("there are no AWS credentials")]
    Nothing,
    /// The proxy wants a user and a password, or others.
    #[error("the HTTP proxy {proxy} wants a user and a password, or other ones (status 407)")]
    ProxyLogin {
        /// The proxy, without what stands before its `@`.
        proxy: String,
    },
    /// The proxy does not connect.
    #[error("the HTTP proxy {proxy} gives no connection to {endpoint}: {why}")]
    Proxy {
        /// The proxy, without what stands before its `@`.
        proxy: String,
        /// Where to.
        endpoint: String,
        /// What happened.
        why: String,
    },
    /// Nothing listens there.
    #[error("{endpoint} refuses connections")]
    Refused {
        /// The endpoint.
        endpoint: String,
    },
    /// The name has no address.
    #[error("the name of {endpoint} cannot be resolved: {why}")]
    Name {
        /// The endpoint.
        endpoint: String,
        /// What the resolver said.
        why: String,
    },
    /// A certificate that nobody vouches for.
    #[error("the certificate of {endpoint} is not trusted: {why}")]
    Certificate {
        /// The endpoint.
        endpoint: String,
        /// What TLS said.
        why: String,
    },
    /// Plain HTTP to another machine.
    #[error("{endpoint} is plain HTTP to another machine: credentials would cross the network unencrypted")]
    Plain {
        /// The endpoint.
        endpoint: String,
    },
    /// An answer without end.
    #[error("the answer of {endpoint} is larger than {} MiB", limit / 1_048_576)]
    TooLarge {
        /// The endpoint.
        endpoint: String,
        /// The limit in bytes.
        limit: usize,
    },
    /// A page that names itself as the next one.
    #[error("the listing does not end: two pages in a row name the same next page")]
    RepeatedPage,
    /// Pages without end.
    #[error("the listing does not end: stopped at page {pages}")]
    TooManyPages {
        /// The page.
        pages: usize,
    },
    /// Nothing, or not all of it, in time.
    #[error("no complete answer in time ({why})")]
    Slow {
        /// Which limit it was.
        why: String,
    },
    /// Something answers that is not AWS.
    #[error("{endpoint} does not answer as AWS does: status {status}, {words}")]
    NotAws {
        /// The endpoint.
        endpoint: String,
        /// The HTTP status.
        status: u16,
        /// How the answer begins, or where it redirects to.
        words: String,
    },
    /// This machine's clock and AWS's differ.
    #[error("AWS refuses the time of the request ({code}){}", difference(*ahead))]
    Clock {
        /// AWS's error code.
        code: String,
        /// By how many seconds this machine's clock is ahead; unknown without a date in the answer.
        ahead: Option<i64>,
    },
}

fn difference(ahead: Option<i64>) -> String {
    match ahead {
        Some(seconds) => {
            let way = if seconds < 0 { "behind" } else { "ahead of" };
            format!(
                ": this machine's clock is {} s {way} the server's",
                Duration::from_secs(seconds.unsigned_abs()).as_secs()
            )
        }
        None => String::new(),
    }
}

/// The first words of what a stranger sent: one line, no control or direction characters, at most so many characters.
#[must_use]
pub fn first_words(text: &str, most: usize) -> String {
    let mut words = String::new();
    let mut length = 0;
    for letter in text.chars() {
        if length == most {
            words.push('…');
            break;
        }
        let blank = letter.is_whitespace() || letter.is_control();
        if is_unseen(letter) && !blank {
            continue;
        }
        if blank && (words.is_empty() || words.ends_with(' ')) {
            continue;
        }
        words.push(if blank { ' ' } else { letter });
        length += 1;
    }
    words.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Cause, first_words};

    #[test]
    fn words_of_strangers_are_one_short_line_without_controls() {
        assert_eq!(first_words("  <html>\r\n\t<b>\u{1b}[31mred\u{202e}x", 40), "<html> <b> [31mredx");
        assert_eq!(first_words("abcdef", 3), "abc…");
    }

    #[test]
    fn a_clock_says_which_way_it_is_wrong() {
        let cause = |ahead| Cause::Clock { code: "RequestExpired".to_owned(), ahead }.to_string();
        assert_eq!(
            cause(Some(-600)),
            "AWS refuses the time of the request (RequestExpired): this machine's clock is 600 s behind the server's"
        );
        assert_eq!(cause(None), "AWS refuses the time of the request (RequestExpired)");
    }
}
