//! The thirteen documented steps and what they are for: pure data.
//!
//! Plan, progress, status and docs all draw on this table, so that a step has one number, one name
//! and one reason wherever a person meets it.

pub mod checks;

use std::fmt;

/// One of the thirteen documented steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StepId {
    /// 1: the role that the proxy assumes to read secrets.
    ProxyRole,
    /// 2: the proxy's own security group.
    ProxyGroup,
    /// 3: the proxy.
    Proxy,
    /// 4: the policy document that lets functions connect.
    ConnectDocument,
    /// 5: the proxy's resource id.
    ProxyId,
    /// 6: the connect policy.
    ConnectPolicy,
    /// 7: its attachment to the functions' roles.
    AttachPolicy,
    /// 8: the proxy role's right to read the secrets.
    SecretAccess,
    /// 9: the database's group lets the proxy in.
    DatabaseIngress,
    /// 10: the database as the proxy's target.
    Target,
    /// 11: the target's health.
    TargetHealth,
    /// 12: the proxy's group lets the functions in.
    ProxyIngress,
    /// 13: the functions' variables point at the proxy.
    Repoint,
}

/// What people see of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepInfo {
    /// The step.
    pub id: StepId,
    /// Its number in the documented procedure, 1 to 13.
    pub number: u8,
    /// Its stable name in JSON and logs.
    pub slug: &'static str,
    /// Its short title in tables.
    pub title: &'static str,
    /// What carrying it out does, as the plan says it before a resource's name.
    pub verb: &'static str,
    /// One sentence: why the procedure needs it.
    pub why: &'static str,
    /// The AWS calls that carry it out.
    pub calls: &'static str,
    /// The page of AWS's documentation that asks for it.
    pub doc: &'static str,
}

/// What holds for every log-in within TLS, and shows nowhere in the account
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy.howitworks.html>).
pub const CERTIFICATE: &str = "the proxy's certificate chains to Amazon Trust Services: code that pins the RDS certificate bundle fails, and the runtime's own store works";

/// What a check of the connection shows, and what it does not.
pub const PROVES: &str = "This shows that network and role work, not the function's own code: how it logs in and which certificates it trusts.";

const RDS_GUIDE: &str = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/";

/// All steps, by number.
pub const STEPS: [StepInfo; 13] = [
    StepInfo {
        id: StepId::ProxyRole,
        number: 1,
        slug: "proxy-role",
        title: "IAM role for the proxy",
        verb: "create",
        why: "RDS Proxy assumes this role to read the database's credentials from Secrets Manager.",
        calls: "iam:CreateRole",
        doc: "rds-proxy-iam-setup.html",
    },
    StepInfo {
        id: StepId::ProxyGroup,
        number: 2,
        slug: "proxy-group",
        title: "Security group for the proxy",
        verb: "create",
        why: "The proxy gets a group of its own, so that exactly two paths open: functions to proxy, proxy to database.",
        calls: "ec2:CreateSecurityGroup",
        doc: "rds-proxy-network-prereqs.html",
    },
    StepInfo {
        id: StepId::Proxy,
        number: 3,
        slug: "proxy",
        title: "RDS Proxy",
        verb: "create",
        why: "The proxy keeps a pool of database connections and lends them to the functions.",
        calls: "rds:CreateDBProxy",
        doc: "rds-proxy-creating.html",
    },
    StepInfo {
        id: StepId::ConnectDocument,
        number: 4,
        slug: "connect-document",
        title: "Policy document for IAM tokens",
        verb: "render",
        why: "A function that logs in with an IAM token needs rds-db:connect on this proxy and database user.",
        calls: "none (rendered here)",
        doc: "rds-proxy-connecting.html",
    },
    StepInfo {
        id: StepId::ProxyId,
        number: 5,
        slug: "proxy-id",
        title: "Proxy id from its ARN",
        verb: "read",
        why: "The policy names the proxy by its prx-… id, which only the ARN carries.",
        calls: "none (read from the ARN)",
        doc: "UsingWithRDS.IAMDBAuth.IAMPolicy.html",
    },
    StepInfo {
        id: StepId::ConnectPolicy,
        number: 6,
        slug: "connect-policy",
        title: "Connect policy",
        verb: "create",
        why: "The rendered document becomes a managed policy that several roles can share.",
        calls: "iam:CreatePolicy",
        doc: "UsingWithRDS.IAMDBAuth.IAMPolicy.html",
    },
    StepInfo {
        id: StepId::AttachPolicy,
        number: 7,
        slug: "attach-policy",
        title: "Policy on the functions' roles",
        verb: "attach it to",
        why: "The functions sign their tokens with their execution roles, so the roles carry the policy.",
        calls: "iam:AttachRolePolicy",
        doc: "rds-proxy-connecting.html",
    },
    StepInfo {
        id: StepId::SecretAccess,
        number: 8,
        slug: "secret-access",
        title: "Proxy role may read the secret",
        verb: "grant reading",
        why: "Without it the target ends in AUTH_FAILURE; it is scoped to the exact secrets and done before the proxy exists.",
        calls: "iam:PutRolePolicy",
        doc: "rds-proxy-iam-setup.html",
    },
    StepInfo {
        id: StepId::DatabaseIngress,
        number: 9,
        slug: "database-ingress",
        title: "Database admits the proxy",
        verb: "open",
        why: "The proxy connects to the database on the database's own port.",
        calls: "ec2:AuthorizeSecurityGroupIngress",
        doc: "rds-proxy-network-prereqs.html",
    },
    StepInfo {
        id: StepId::Target,
        number: 10,
        slug: "target",
        title: "Database registered as target",
        verb: "register",
        why: "The proxy serves the one instance or cluster that is registered in its default target group.",
        calls: "rds:RegisterDBProxyTargets, rds:ModifyDBProxyTargetGroup",
        doc: "rds-proxy-creating.html",
    },
    StepInfo {
        id: StepId::TargetHealth,
        number: 11,
        slug: "target-health",
        title: "Target available",
        verb: "wait for",
        why: "Only the target's health shows that role, secret and network work together; a proxy that is available proves nothing.",
        calls: "rds:DescribeDBProxyTargets",
        doc: "rds-proxy.troubleshooting.html",
    },
    StepInfo {
        id: StepId::ProxyIngress,
        number: 12,
        slug: "proxy-ingress",
        title: "Proxy admits the functions",
        verb: "open",
        why: "The functions connect to the proxy on its engine family's port, whatever the database's own port is.",
        calls: "ec2:AuthorizeSecurityGroupIngress, ec2:AuthorizeSecurityGroupEgress where a function's egress is closed",
        doc: "rds-proxy-network-prereqs.html",
    },
    StepInfo {
        id: StepId::Repoint,
        number: 13,
        slug: "repoint",
        title: "Functions use the proxy",
        verb: "change",
        why: "The host in the functions' variables becomes the proxy's endpoint; teardown derives the way back.",
        calls: "lambda:TagResource, lambda:UpdateFunctionConfiguration",
        doc: "rds-proxy-connecting.html",
    },
];

impl StepId {
    /// What people see of this step.
    #[must_use]
    pub fn info(self) -> &'static StepInfo {
        // The table is in the order of the enum, as a test holds.
        &STEPS[self as usize]
    }

    /// Its number in the documented procedure.
    #[must_use]
    pub fn number(self) -> u8 {
        self.info().number
    }
}

impl StepInfo {
    /// The address of the page of AWS's documentation.
    #[must_use]
    pub fn doc_url(&self) -> String {
        format!("{RDS_GUIDE}{}", self.doc)
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "step {} ({})", self.number(), self.info().title)
    }
}

#[cfg(test)]
mod tests {
    use super::{STEPS, StepId};

    #[test]
    fn the_table_stands_in_the_order_of_the_procedure() {
        for (index, info) in STEPS.iter().enumerate() {
            assert_eq!(usize::from(info.number), index + 1);
            assert_eq!(info.id as usize, index);
            assert_eq!(info.id.info(), info);
        }
        assert_eq!(StepId::Repoint.number(), 13);
    }
}
