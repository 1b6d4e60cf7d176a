//! Every resource name, derived from the stack's name: the same settings always meet the same resources.

use sha2::{Digest, Sha256};

/// The longest name that RDS gives a proxy.
pub const PROXY_NAME_LIMIT: usize = 63;
/// The longest name that IAM gives a role.
const ROLE_NAME_LIMIT: usize = 64;
/// The longest name that IAM gives a policy.
const POLICY_NAME_LIMIT: usize = 128;
/// The longest name that Lambda gives a function.
const FUNCTION_NAME_LIMIT: usize = 64;
/// What the names of our temporary functions begin with.
pub const PROBE_PREFIX: &str = "rdsproxy-setup-probe-";
/// The inline policy of the proxy's role.
pub const SECRET_POLICY: &str = "read-secrets";
/// The inline policy of the proxy's role where it logs in at the database with IAM.
pub const DATABASE_POLICY: &str = "connect-database";
/// The IAM path that all our roles and policies stand under.
pub const IAM_ROOT: &str = "/rdsproxy-setup/";
/// What stands for the twelve letters of the account's that AWS puts into a proxy's host, before it exists.
const LETTERS: &str = "xxxxxxxxxxxx";

/// The names of one stack's resources.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Names {
    /// The stack, and its proxy.
    pub stack: String,
    /// The proxy's role. Roles are global, so it carries the region.
    pub role: String,
    /// The connect policy. Policies are global, so it carries the region.
    pub policy: String,
    /// The proxy's role, where an administrator creates it from our template.
    pub given_role: String,
    /// The connect policy, where an administrator creates it from our template.
    pub given_policy: String,
    /// The IAM path of role and connect policy, which contains Region and stack.
    pub path: String,
    /// The proxy's security group.
    pub group: String,
    /// The proxy's read-only endpoint.
    pub reader: String,
}

/// A host as people read it: with a gap where its letters are not known yet.
#[must_use]
pub fn with_letters_to_come(host: &str) -> String {
    host.replace(&format!(".proxy-{LETTERS}."), ".proxy-….")
}

impl Names {
    /// Derives all names from a stack's.
    #[must_use]
    pub fn new(stack: &str, region: &str) -> Self {
        Self {
            stack: stack.to_owned(),
            role: fit(&format!("{stack}-{region}"), ROLE_NAME_LIMIT),
            policy: fit(&format!("{stack}-{region}-connect"), POLICY_NAME_LIMIT),
            given_role: fit(&format!("{stack}-{region}-given"), ROLE_NAME_LIMIT),
            given_policy: fit(&format!("{stack}-{region}-connect-given"), POLICY_NAME_LIMIT),
            path: format!("{}{stack}/", region_path(region)),
            reader: reader_of(stack),
            // EC2 refuses group names that look like ids.
            group: if stack.starts_with("sg-") { format!("proxy-{stack}") } else { stack.to_owned() },
        }
    }

    /// A host name as long as the proxy's will be: AWS puts twelve letters of the account's into it.
    #[must_use]
    pub fn endpoint_like(&self, region: &str) -> String {
        format!("{}.proxy-{LETTERS}.{region}.rds.amazonaws.com", self.stack)
    }

    /// A host name as long as the read-only endpoint's will be.
    #[must_use]
    pub fn reader_host_like(&self, region: &str) -> String {
        format!("{}.endpoint.proxy-{LETTERS}.{region}.rds.amazonaws.com", self.reader)
    }

    /// What versions of functions that we publish are described by: that is how a teardown knows them.
    #[must_use]
    pub fn version_mark(&self) -> String {
        format!("rdsproxy-setup {}", self.stack)
    }

    /// What the proxy's security group is described by. Descriptions of groups cannot be changed, so it is part of the
    /// proof that the group is ours.
    #[must_use]
    pub fn group_description(&self) -> String {
        format!("RDS Proxy {}", self.stack)
    }

    /// The proxy's role's ARN.
    #[must_use]
    pub fn role_arn(&self, partition: &str, account: &str) -> String {
        format!("arn:{partition}:iam::{account}:role{}{}", self.path, self.role)
    }

    /// The connect policy's ARN.
    #[must_use]
    pub fn policy_arn(&self, partition: &str, account: &str) -> String {
        self.arn_of_policy(partition, account, &self.policy)
    }

    /// The ARN of the connect policy of one set of database users, beside the first one.
    #[must_use]
    pub fn further_policy_arn(&self, partition: &str, account: &str, users: &[String]) -> String {
        // No name of a user holds a control character.
        let name = format!("{}-{}", self.policy, digest(&users.join("\n")));
        self.arn_of_policy(partition, account, &fit(&name, POLICY_NAME_LIMIT))
    }

    fn arn_of_policy(&self, partition: &str, account: &str, name: &str) -> String {
        format!("arn:{partition}:iam::{account}:policy{}{name}", self.path)
    }
}

/// What the security group rules of a stack are described by.
#[must_use]
pub fn rule_description(stack: &str) -> String {
    format!("rdsproxy-setup {stack}")
}

/// The beginning of the names of the secrets that a stack creates.
#[must_use]
pub fn secret_prefix(stack: &str) -> String {
    format!("rdsproxy-setup/{stack}/")
}

/// The name of the secret that a stack creates for a database user.
#[must_use]
pub fn secret_of(stack: &str, user: &str) -> String {
    let allowed = |c: char| if c.is_ascii_alphanumeric() || "_+=.@-".contains(c) { c } else { '_' };
    let plain: String = user.chars().map(allowed).collect();
    let prefix = secret_prefix(stack);
    if plain == user { format!("{prefix}{user}") } else { format!("{prefix}{plain}-{}", digest(user)) }
}

/// What makes two calls that create a stack's secret for a user one and the same, in Secrets Manager's 32 to 64
/// characters.
#[must_use]
pub fn secret_token(name: &str) -> String {
    let digest = Sha256::digest(name.as_bytes());
    digest.iter().fold(String::new(), |text, byte| format!("{text}{byte:02x}"))
}

/// The name of a temporary function of a stack. `random` is new for each, so that nobody can create one in advance.
#[must_use]
pub fn probe_of(stack: &str, random: u64) -> String {
    format!("{}{random:016x}", probe_head(stack))
}

/// What all names of a stack's probes look like, for people.
#[must_use]
pub fn probes_of(stack: &str) -> String {
    format!("{}*", probe_head(stack))
}

/// Whether a function's name is that of a stack's probe.
#[must_use]
pub fn is_probe_of(stack: &str, name: &str) -> bool {
    let random = name.strip_prefix(&probe_head(stack));
    random.is_some_and(|random| random.len() == RANDOM && random.chars().all(|c| c.is_ascii_hexdigit()))
}

fn probe_head(stack: &str) -> String {
    format!("{}-", fit(&format!("{PROBE_PREFIX}{stack}"), FUNCTION_NAME_LIMIT - RANDOM - 1))
}

/// The IAM path that a region's stacks stand under.
#[must_use]
pub fn region_path(region: &str) -> String {
    format!("{IAM_ROOT}{region}/")
}

/// The name of a stack's read-only endpoint.
#[must_use]
pub fn reader_of(stack: &str) -> String {
    const END: &str = "-ro";
    let head = fit(stack, PROXY_NAME_LIMIT - END.len());
    format!("{head}{END}")
}

/// The stack's name where the user gives none.
#[must_use]
pub fn stack_of(database: &str) -> String {
    let name = format!("{database}-proxy");
    if name.len() <= PROXY_NAME_LIMIT {
        return name;
    }
    format!("{}-proxy", fit(database, PROXY_NAME_LIMIT - "-proxy".len()))
}

/// How many hex digits of a probe's name are random.
const RANDOM: usize = 16;

/// The first twelve hex digits of a text's SHA-256.
#[must_use]
pub fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    let head: [u8; 8] = std::array::from_fn(|at| digest.get(at).copied().unwrap_or_default());
    format!("{:012x}", u64::from_be_bytes(head) >> 16)
}

/// Shortens a name to a limit; a digest of the whole keeps two long names apart.
fn fit(name: &str, limit: usize) -> String {
    if name.len() <= limit {
        return name.to_owned();
    }
    let digest = digest(name);
    let head: String = name.chars().take(limit - digest.len() - 1).collect();
    format!("{}-{digest}", head.trim_end_matches('-'))
}

/// The last part of the path in an ARN of IAM: the name by which IAM's calls know a role or a policy
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-friendly-names>).
#[must_use]
pub fn last_of_path(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::{Names, PROBE_PREFIX, is_probe_of, probe_of, stack_of};

    #[test]
    fn long_names_stay_within_aws_limits_and_apart() {
        let (one, two) = (format!("{}a", "x".repeat(62)), format!("{}b", "x".repeat(62)));
        assert_eq!(stack_of("my-instance"), "my-instance-proxy");
        for id in [&one, &two] {
            let stack = stack_of(id);
            assert!(stack.len() <= 63 && stack.ends_with("-proxy") && !stack.contains("--"), "{stack}");
            let names = Names::new(&stack, "ap-southeast-2");
            assert!(names.role.len() <= 64 && names.policy.len() <= 128, "{names:?}");
        }
        assert_ne!(stack_of(&one), stack_of(&two));
        assert_ne!(Names::new(&stack_of(&one), "eu-west-1").role, Names::new(&stack_of(&two), "eu-west-1").role);
    }

    #[test]
    fn each_set_of_users_has_a_policy_of_its_own_name() {
        let stack = "x".repeat(63);
        let names = Names::new(&stack, "ap-southeast-2");
        let arn = |users: &[&str]| {
            let users: Vec<String> = users.iter().map(|&user| user.to_owned()).collect();
            names.further_policy_arn("aws", "1", &users)
        };
        let all = [arn(&["a"]), arn(&["b"]), arn(&["a", "b"]), arn(&["ab"]), names.policy_arn("aws", "1")];
        for (at, one) in all.iter().enumerate() {
            assert!(one.rsplit('/').next().unwrap().len() <= 128, "{one}");
            assert!(all.iter().skip(at + 1).all(|other| other != one), "{one}");
        }
    }

    #[test]
    fn a_cut_at_a_hyphen_leaves_no_double_hyphen() {
        let id = format!("{}-{}", "x".repeat(43), "y".repeat(19));
        assert!(!stack_of(&id).contains("--"), "{}", stack_of(&id));
    }

    #[test]
    fn a_probe_is_known_by_its_name_and_stays_within_lambdas_limit() {
        for stack in ["a", "a-b", "sg-main-proxy", &"x".repeat(63)] {
            let name = probe_of(stack, 7);
            assert!(name.len() <= 64 && name.starts_with(PROBE_PREFIX), "{name}");
            assert!(is_probe_of(stack, &name));
            assert!(!is_probe_of("another", &name));
            assert_ne!(name, probe_of(stack, u64::MAX));
        }
        assert!(!is_probe_of("a", &probe_of("a-b", 7)) && !is_probe_of("a-b", &probe_of("a", 7)));
        assert!(!is_probe_of("a", "rdsproxy-setup-probe-a-"));
    }

    #[test]
    fn a_group_name_never_looks_like_an_id() {
        assert_eq!(Names::new("sg-main-proxy", "eu-west-1").group, "proxy-sg-main-proxy");
    }
}
