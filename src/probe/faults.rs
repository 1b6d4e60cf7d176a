//! What each fault of a probe means behind an RDS Proxy, and how to fix it. `docs/verify.md` draws its table from this
//! one.

/// The code of what went wrong with the probe itself.
pub const PROBE_FAILED: &str = "probe_failed";

/// One fault, or one fault at some stages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    /// The code in the probe's answer.
    pub code: &'static str,
    /// The stages that this row is about, or `any`.
    pub at: &'static [&'static str],
    /// What was seen.
    pub meaning: &'static str,
    /// The likely cause.
    pub cause: &'static str,
    /// How to fix it.
    pub fix: &'static str,
}

const ANY: &[&str] = &["any"];

/// All of them.
pub const FAULTS: &[Fault] = &[
    Fault {
        code: "name_not_found",
        at: &["dns"],
        meaning: "the resolver says that there is no such name",
        cause: "the proxy was deleted or recreated under another name, or the name in the variable has a typing error",
        fix: "run up: it writes the endpoint that exists",
    },
    Fault {
        code: "dns_timeout",
        at: &["dns"],
        meaning: "no usable answer from the resolver",
        cause: "enableDnsSupport is off in the VPC, or its DHCP options name resolvers that the subnet cannot reach",
        fix: "turn it on, or fix the DHCP options",
    },
    Fault {
        code: "timed_out",
        at: &["tcp"],
        meaning: "nothing answers: what was sent is dropped",
        cause: "the proxy's group does not admit the function's group, that one has no egress to it, or a network ACL is in the way",
        fix: "run up, which adds both rules; doctor names the ACL",
    },
    Fault {
        code: "timed_out",
        at: &["tls"],
        meaning: "connected, then silence",
        cause: "it is another protocol's port, or a proxy without capacity",
        fix: "look at status, and try again",
    },
    Fault {
        code: "timed_out",
        at: &["login", "query"],
        meaning: "the proxy waits for a connection to the database",
        cause: "the target is unhealthy, or all connections of the pool are in use or pinned",
        fix: "look at the target's health with status, at MaxConnectionsPercent, and at the metric DatabaseConnectionsBorrowLatency",
    },
    Fault {
        code: "refused",
        at: &["tcp"],
        meaning: "the host answers that nothing listens",
        cause: "it is the wrong port (a proxy always listens on 3306 or 5432, whatever the database does), or the host is no proxy",
        fix: "set the port",
    },
    Fault {
        code: "no_route",
        at: &["tcp"],
        meaning: "the network has no way there",
        cause: "the function is in another VPC without peering, or has no IPv6 where the name has nothing else",
        fix: "put the function into the proxy's VPC",
    },
    Fault {
        code: "closed_by_peer",
        at: ANY,
        meaning: "the connection was closed or reset",
        cause: "the proxy is being modified or deleted, or something between resets connections",
        fix: "look at the proxy's state with status, and try again",
    },
    Fault {
        code: "not_this_engine",
        at: &["tcp", "tls"],
        meaning: "what answers speaks another protocol",
        cause: "it is the host or port of something else, or the other engine's proxy",
        fix: "correct the host or the port",
    },
    Fault {
        code: "tls_not_offered",
        at: &["tls"],
        meaning: "the server does not do TLS",
        cause: "it is no RDS Proxy: those always offer it",
        fix: "correct the host",
    },
    Fault {
        code: "tls_required",
        at: &["login"],
        meaning: "the server wants TLS, or wants a password in clear that is only sent inside it",
        cause: "RequireTLS is on, and the function connects without",
        fix: "turn TLS on in the function's driver",
    },
    Fault {
        code: "certificate_unknown_ca",
        at: &["tls"],
        meaning: "the chain ends in nothing that is trusted",
        cause: "it is not a proxy but the database itself, whose certificate is of RDS's own authority: a proxy's is of Amazon Trust Services",
        fix: "use the proxy's host",
    },
    Fault {
        code: "certificate_host_name",
        at: &["tls"],
        meaning: "the certificate is not for this name",
        cause: "it is a CNAME of one's own, or an address, instead of the proxy's endpoint",
        fix: "use the endpoint as it is",
    },
    Fault {
        code: "certificate_expired",
        at: &["tls"],
        meaning: "the certificate's time is over, or has not begun",
        cause: "it is not a proxy: AWS renews those",
        fix: "correct the host",
    },
    Fault {
        code: "tls_failed",
        at: &["tls"],
        meaning: "the handshake failed for another reason",
        cause: "no version of TLS or cipher is in common",
        fix: "see the evidence",
    },
    Fault {
        code: "token_failed",
        at: &["login"],
        meaning: "no IAM token could be made",
        cause: "the function has no credentials, or boto3 cannot be loaded",
        fix: "look at the function's role",
    },
    Fault {
        code: "login_denied",
        at: &["login"],
        meaning: "wrong user, password or token, or the user may not use this database",
        cause: "with IAM, the role lacks rds-db:connect on this proxy's prx-… id and user; with a password, the secret holds another. MySQL says the same where no secret is registered for the user, and MariaDB where TLS is missing",
        fix: "run up, which grants the right, and compare the user with the secrets' username",
    },
    Fault {
        code: "no_credentials_for_user",
        at: &["login"],
        meaning: "the proxy has no secret for this user",
        cause: "no registered secret has this username, or the proxy's role cannot read it",
        fix: "run up with --secret NAME, or with --create-secret --db-user USER",
    },
    Fault {
        code: "login_unsupported",
        at: &["login"],
        meaning: "the server asks for a login that the probe does not speak",
        cause: "it is no RDS Proxy, which asks for none but those that it does",
        fix: "see the evidence",
    },
    Fault {
        code: "login_failed",
        at: &["tls", "login"],
        meaning: "the server refuses for a reason of its own",
        cause: "a startup option that proxies do not know, or a database that is starting or stopping",
        fix: "see the evidence",
    },
    Fault {
        code: "too_many_connections",
        at: &["tls", "login", "query"],
        meaning: "a limit of connections, or of logins a second, is reached",
        cause: "the proxy's own limit, the rate limit of IAM logins, or the user's limit in the database",
        fix: "make fewer new connections: keep them between invocations",
    },
    Fault {
        code: "borrow_timed_out",
        at: &["login", "query"],
        meaning: "the proxy got no connection to the database in time",
        cause: "the pool is used up or pinned, the database is down, or its group does not admit the proxy",
        fix: "look at the target's health with status, at MaxConnectionsPercent, and at what doctor says",
    },
    Fault {
        code: "database_unknown",
        at: &["login"],
        meaning: "there is no such database",
        cause: "a variable holds the wrong name, or postgres was dropped",
        fix: "correct the name",
    },
    Fault {
        code: "query_failed",
        at: &["query"],
        meaning: "SELECT 1 was refused",
        cause: "the database goes down, or is in a state that takes no statements",
        fix: "see the evidence",
    },
    Fault {
        code: "unexpected",
        at: ANY,
        meaning: "something without a name; the evidence is the class of the error",
        cause: "a fault of ours, or a handler that is older than what calls it",
        fix: "please report it",
    },
    Fault {
        code: PROBE_FAILED,
        at: &["probe"],
        meaning: "the function gave no answer, or none that this version understands",
        cause: "it ran out of time, or the role's account blocks the runtime",
        fix: "try again; the evidence holds Lambda's own words",
    },
];

/// What is known of a fault at a stage.
#[must_use]
pub fn find(code: &str, stage: &str) -> Option<&'static Fault> {
    let of = |fault: &&Fault| fault.code == code;
    let there = FAULTS.iter().filter(of).find(|fault| fault.at == ANY || fault.at.contains(&stage));
    there.or_else(|| FAULTS.iter().find(of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::package::HANDLER;

    #[test]
    fn the_handler_and_the_table_know_the_same_faults() {
        for fault in FAULTS.iter().filter(|fault| fault.code != PROBE_FAILED) {
            assert!(HANDLER.contains(&format!("\"{}\"", fault.code)), "the handler never says {}", fault.code);
        }
        for after in HANDLER.split("Failed(\"").skip(1) {
            let code = after.split('"').next().unwrap();
            assert!(find(code, "").is_some(), "{code} is not explained");
        }
        assert_ne!(find("timed_out", "tcp"), find("timed_out", "login"));
        assert_eq!(find("login_denied", "query"), find("login_denied", "login"));
        assert_eq!(find("something_new", "tcp"), None);
    }
}
