//! Parameter groups that someone changed, and what they say of passwords.

use std::collections::BTreeMap;

use super::Database;
use crate::cloud::rds::{EngineFamily, Parameters};
use crate::cloud::{Answer, Cloud};
use crate::engine::crowd;

/// The parameters that someone set, of each group.
pub type Set = Vec<(Parameters, BTreeMap<String, String>)>;

/// Reads the groups of a database. Those named `default.…` cannot be changed, so there is nothing to read in them
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/parameter-groups-overview.html>).
///
/// # Errors
/// When AWS refuses.
pub async fn read(cloud: &Cloud, database: &Database) -> Answer<Set> {
    let mut groups = database.parameters.clone();
    groups.sort_by(|a, b| (&a.group, a.cluster).cmp(&(&b.group, b.cluster)));
    groups.dedup_by(|a, b| (&a.group, a.cluster) == (&b.group, b.cluster));
    let read = groups.into_iter().filter(|group| !group.group.starts_with("default.")).map(async |group| {
        let set = cloud.rds.parameters(&group.group, group.cluster).await?;
        Ok((group, set))
    });
    crowd(read.collect()).await.into_iter().collect()
}

/// How users of a database log in who were created without saying how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plugin {
    /// Whether with `mysql_native_password`.
    pub native: bool,
    /// Why that is not sure.
    pub doubt: Option<String>,
}

const NATIVE: &str = "mysql_native_password";

impl Plugin {
    /// As the engine's version has it, and the parameters that someone set: MySQL 8.4 has `authentication_policy`,
    /// those before it `default_authentication_plugin`, and 8.0 both, where a plugin named by the policy comes
    /// first (<https://dev.mysql.com/doc/refman/8.0/en/server-system-variables.html#sysvar_authentication_policy>,
    /// <https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/AuroraMySQL.Upgrade-v3-v84-security.html>).
    ///
    /// `set` is what was read of the groups; `None` where nobody asked.
    #[must_use]
    pub fn of(database: &Database, set: Option<&Answer<Set>>) -> Self {
        let by_version = database.prefers_native_password();
        let mysql = database.family == EngineFamily::MySql && !database.is_mariadb();
        let Some(set) = set.filter(|_| mysql) else { return Self { native: by_version, doubt: None } };
        let doubt = |why: String| Self { native: by_version, doubt: Some(why) };
        let set = match set {
            Ok(set) => set,
            Err(refusal) => return doubt(format!("the parameters could not be read: {refusal}")),
        };
        let said: Vec<(&str, &str)> =
            set.iter().filter_map(|(group, set)| Some((group.group.as_str(), plugin(set)?))).collect();
        let Some((group, plugin)) = said.first() else { return Self { native: by_version, doubt: None } };
        if let Some((other, its)) = said.iter().find(|(_, other)| other != plugin) {
            return doubt(format!("the parameter group {group} says {plugin}, and {other} says {its}"));
        }
        // What waits for a reboot has no effect yet.
        let waits = |of: &&Parameters| of.group == *group && of.status == "pending-reboot";
        if (*plugin == NATIVE) != by_version && database.parameters.iter().any(|of| waits(&of)) {
            return doubt(format!("the parameter group {group} says {plugin}, and waits for a reboot"));
        }
        Self { native: *plugin == NATIVE, doubt: None }
    }

    /// What a person should know, where it was decided without being sure.
    #[must_use]
    pub fn warning(&self, database: &str) -> Option<String> {
        let how = if self.native { NATIVE } else { "caching_sha2_password" };
        self.doubt.as_ref().map(|why| {
            format!(
                "Clients of the proxy send their passwords as {how}, by the version of {database} alone: {why}. Another way: \
                 --client-password-auth."
            )
        })
    }
}

/// The plugin that the parameters of a group name, if they do.
fn plugin(set: &BTreeMap<String, String>) -> Option<&str> {
    let named = |text: &str| text.bytes().any(|byte| byte.is_ascii_alphabetic());
    // `*:plugin,,` names a default for the first factor, `plugin,,` the only one there may be, and `*,,` none.
    let policy = set.get("authentication_policy").and_then(|policy| policy.split(',').next());
    let policy = policy.map(|factor| factor.trim().trim_start_matches("*:").trim()).filter(|factor| named(factor));
    policy.or_else(|| set.get("default_authentication_plugin").map(|text| text.trim()).filter(|text| named(text)))
}

#[cfg(test)]
mod tests {
    use super::plugin;

    #[test]
    fn a_policy_names_a_plugin_or_none() {
        let of = |pairs: &[(&str, &str)]| {
            let set = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            plugin(&set).map(str::to_owned)
        };
        let native = Some("mysql_native_password".to_owned());
        assert_eq!(of(&[("authentication_policy", "*:mysql_native_password")]), native);
        assert_eq!(of(&[("authentication_policy", "*:mysql_native_password,,")]), native);
        assert_eq!(of(&[("authentication_policy", "mysql_native_password , *")]), native);
        for nothing in ["*,,", "*", "", ",,"] {
            assert_eq!(of(&[("authentication_policy", nothing)]), None, "{nothing:?}");
        }
        let older = ("default_authentication_plugin", "mysql_native_password");
        assert_eq!(of(&[older]), native);
        assert_eq!(of(&[("authentication_policy", "*,,"), older]), native);
        let newer = ("authentication_policy", "*:caching_sha2_password");
        assert_eq!(of(&[newer, older]), Some("caching_sha2_password".to_owned()));
        assert_eq!(of(&[("time_zone", "UTC")]), None);
    }
}
