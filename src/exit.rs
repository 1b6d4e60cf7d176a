//! The documented exit codes.

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// Done, or nothing to do.
    Done,
    /// AWS refused, or something unexpected happened.
    Failed,
    /// Changes are pending (`up --detailed-exitcode`).
    Pending,
    /// Drift, or unhealthy (`status --exit-code`), or something is wrong (`doctor`).
    Drift,
    /// Something that the person must decide or fix first.
    Decide,
    /// Timed out; run again to resume.
    TimedOut,
    /// Everything is in place but the connection check fails.
    Unverified,
    /// A canary found functions worse off, and pointed them back.
    Worse,
    /// A canary stopped, since whether functions are worse off is unknown.
    Unjudged,
    /// A saved plan does not fit the account or the program any more.
    Outdated,
    /// Wrong usage.
    Usage,
    /// Interrupted.
    Interrupted,
}

impl Exit {
    /// All of them, in the order of their codes.
    pub const ALL: [Self; 12] = [
        Self::Done,
        Self::Failed,
        Self::Pending,
        Self::Drift,
        Self::Decide,
        Self::TimedOut,
        Self::Unverified,
        Self::Worse,
        Self::Unjudged,
        Self::Outdated,
        Self::Usage,
        Self::Interrupted,
    ];

    /// The process's exit code.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Pending => 2,
            Self::Drift => 3,
            Self::Decide => 4,
            Self::TimedOut => 5,
            Self::Unverified => 6,
            Self::Worse => 7,
            Self::Unjudged => 8,
            Self::Outdated => 9,
            Self::Usage => 64,
            Self::Interrupted => 130,
        }
    }

    /// What it means, for the docs.
    #[must_use]
    pub fn meaning(self) -> &'static str {
        match self {
            Self::Done => "Done, or nothing to do.",
            Self::Failed => "AWS refused, or something unexpected happened.",
            Self::Pending => {
                "Changes are pending (`up --detailed-exitcode`, with `--dry-run`, `--plan-out` or `--wait=false`)."
            }
            Self::Drift => {
                "Drift, or unhealthy (`status --exit-code`); something is wrong (`doctor`); something did not go as it should (`rehearse`)."
            }
            Self::Decide => "Something that you must decide or fix first; nothing further was changed.",
            Self::TimedOut => "Timed out; run the same command again to resume.",
            Self::Unverified => "Everything is in place, but the connection check fails.",
            Self::Worse => {
                "Functions were worse off at the proxy (`up --canary`); those that the run moved use the database again."
            }
            Self::Unjudged => {
                "Whether functions are worse off is unknown (`up --canary`); those that have moved stay at the proxy, unless you \
                 chose to point them back."
            }
            Self::Outdated => {
                "The account has changed since the plan was saved (`--plan`), or another version saved it; nothing was changed."
            }
            Self::Usage => "Wrong usage.",
            Self::Interrupted => "Interrupted; run the same command again to resume.",
        }
    }
}
