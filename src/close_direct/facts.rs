//! Who can be behind the rules of a database's groups: read once, and nothing changed.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use crate::cloud::ec2::{Interface, Rule};
use crate::cloud::lambda::{LATEST, Version};
use crate::cloud::{Answer, Cloud};
use crate::discover::hosts::{HostKind, mentions};
use crate::discover::releases::bound;
use crate::discover::{FunctionUse, Problem};
use crate::engine::crowd;
use crate::resources::release::Events;
use crate::survey::Survey;

/// What RDS describes the network interfaces of databases by.
const OF_DATABASES: &str = "RDSNetworkInterface";

/// Who has a security group, as far as it could be read: each in a few words, or why it is unknown.
pub(super) type Users = Result<Vec<String>, String>;

/// What a rule is judged by.
pub(super) struct Facts {
    /// The caller's account.
    pub(super) account: String,
    /// The database's port.
    pub(super) port: u16,
    /// The groups of the proxy.
    pub(super) of_proxy: Vec<String>,
    /// All rules of the database's groups.
    pub(super) rules: Vec<Rule>,
    /// The functions at the proxy, with their groups.
    pub(super) moved: BTreeMap<String, Vec<String>>,
    /// By group of theirs: what else has it.
    pub(super) others: BTreeMap<String, Users>,
    /// By group of the database: what else is in it.
    pub(super) beside: BTreeMap<String, Users>,
}

impl Facts {
    /// Reads it.
    pub(super) async fn read(cloud: &Cloud, survey: &Survey) -> Result<Self, Problem> {
        let database = &survey.database;
        let reads = database.security_groups.iter().map(|group| cloud.ec2.rules_of(group)).collect();
        let rules: Answer<Vec<Vec<Rule>>> = crowd(reads).await.into_iter().collect();
        let rules: Vec<Rule> = rules
            .map_err(Problem::refused("reading the rules of the database's groups"))?
            .into_iter()
            .flatten()
            .collect();
        let moved: BTreeMap<String, Vec<String>> = survey
            .functions
            .iter()
            .filter(|found| at_proxy_alone(found, survey))
            .map(|found| (found.function.name.clone(), found.function.security_groups.clone()))
            .collect();
        let groups: BTreeSet<String> = moved.values().flatten().cloned().collect();
        // Only what a rule lets in has to be looked at.
        let let_in = |group: &String| rules.iter().any(|rule| rule.peer.as_ref() == Some(group));
        let groups: Vec<String> = groups.into_iter().filter(let_in).collect();
        let groups: Vec<&String> = groups.iter().collect();
        let mut facts = Self {
            account: survey.identity.account.clone(),
            port: database.port,
            of_proxy: survey.seen.proxy.present().map(|found| found.proxy.security_groups.clone()).unwrap_or_default(),
            rules,
            moved,
            others: BTreeMap::new(),
            beside: BTreeMap::new(),
        };
        if groups.is_empty() {
            return Ok(facts);
        }
        let (functions, databases) = tokio::join!(facts.functions(cloud, survey, &groups), databases(cloud));
        let mut all: Vec<&String> = groups.clone();
        all.extend(database.security_groups.iter().filter(|group| !groups.contains(group)));
        let looks = all.iter().map(async |group| ((*group).clone(), cloud.ec2.interfaces_of(group).await)).collect();
        let interfaces: BTreeMap<String, Answer<Vec<Interface>>> = crowd(looks).await.into_iter().collect();
        let in_group = |group: &String, other: &dyn Fn(&Interface) -> Option<String>| {
            let unread = |why: &dyn Display| format!("the network interfaces of {group} could not be read: {why}");
            match interfaces.get(group) {
                Some(Ok(all)) => Ok(all.iter().filter_map(other).collect()),
                Some(Err(why)) => Err(unread(why)),
                None => Err(unread(&"nobody looked")),
            }
        };
        for group in groups {
            let users = [
                in_group(group, &|one| facts.no_function(one)),
                functions.get(group).cloned().unwrap_or_else(|| Err("nobody looked at the functions".to_owned())),
                databases.as_ref().map(|all| with_group(all, group, &[])).map_err(Clone::clone),
            ];
            facts.others.insert(group.clone(), together(users));
        }
        let own = [database.id.as_str()];
        for group in &database.security_groups {
            let users = [
                in_group(group, &no_database),
                databases.as_ref().map(|all| with_group(all, group, &own)).map_err(Clone::clone),
            ];
            facts.beside.insert(group.clone(), together(users));
        }
        Ok(facts)
    }

    /// The functions at the proxy that have a group.
    pub(super) fn with_group(&self, group: &str) -> Vec<String> {
        let has = |(_, groups): &(&String, &Vec<String>)| groups.iter().any(|own| own == group);
        self.moved.iter().filter(has).map(|(name, _)| name.clone()).collect()
    }

    /// What an interface is, where it is not one of this account's functions: those share theirs.
    fn no_function(&self, one: &Interface) -> Option<String> {
        let function = one.kind.as_deref() == Some("lambda") && one.account.as_deref() == Some(self.account.as_str());
        (!function).then(|| described(one))
    }

    /// By group: what of functions has it besides those at the proxy, and versions of these that are not.
    async fn functions(&self, cloud: &Cloud, survey: &Survey, groups: &[&String]) -> BTreeMap<String, Users> {
        let of_all = |users: &Users| groups.iter().map(|group| ((*group).clone(), users.clone())).collect();
        let listed = match cloud.lambda.list_with_versions().await {
            Ok(listed) => listed,
            Err(why) => return of_all(&Err(format!("the functions could not be listed: {why}"))),
        };
        let mut found: BTreeMap<String, Users> = of_all(&Ok(Vec::new()));
        let mut add = |group: &String, user: Result<String, String>| {
            let Some(users) = found.get_mut(group) else { return };
            match (users, user) {
                (Ok(all), Ok(user)) => all.push(user),
                (users @ Ok(_), Err(why)) => *users = Err(why),
                (Err(_), _) => {}
            }
        };
        let events = Events::default();
        for function in &listed.functions {
            let name = function.name.as_str();
            let moved = self.moved.contains_key(name);
            for group in function.security_groups.iter().filter(|_| !moved) {
                add(group, Ok(format!("the function {name}")));
            }
            let versions = match listed.versions.as_ref().and_then(|all| all.get(name)) {
                Some(versions) => Ok(versions.clone()),
                None => cloud.lambda.versions(name).await,
            };
            let versions = match versions {
                Ok(versions) => versions,
                Err(why) => {
                    for group in groups {
                        add(group, Err(format!("the versions of {name} could not be read: {why}")));
                    }
                    continue;
                }
            };
            let concerned = |version: &&Version| {
                let has = version.groups.iter().any(|group| groups.contains(&group));
                version.number != LATEST && has && !(moved && leads_to_proxy(version, survey))
            };
            let concerned: Vec<&Version> = versions.iter().filter(concerned).collect();
            if concerned.is_empty() {
                continue;
            }
            // Nothing of ours says that nobody calls a version of a function that is not at the proxy.
            let called = if moved { called(cloud, &function.arn, name, &events).await.map(Some) } else { Ok(None) };
            for version in concerned {
                let user = match &called {
                    Err(why) => Err(format!("who calls the versions of {name} could not be read: {why}")),
                    Ok(None) => Ok(format!("version {} of the function {name}", version.number)),
                    Ok(Some(all)) => {
                        match all.iter().find(|(number, _)| number == &version.number || number.is_empty()) {
                            Some((_, by)) => {
                                Ok(format!("version {} of the function {name}, which {by} calls", version.number))
                            }
                            None => continue,
                        }
                    }
                };
                for group in &version.groups {
                    add(group, user.clone());
                }
            }
        }
        found
    }
}

/// Whether a function connects through the proxy, and by nothing that shows to the database itself.
fn at_proxy_alone(found: &FunctionUse, survey: &Survey) -> bool {
    let kinds = found.variables.iter().chain(&found.staying).flat_map(|holding| &holding.mentions);
    let kinds: Vec<HostKind> = kinds.map(|mention| mention.kind).collect();
    let hidden = survey.hidden.iter().any(|hidden| hidden.function == found.function.name);
    !kinds.is_empty() && kinds.into_iter().all(HostKind::is_ours) && !hidden && found.function.hidden.is_none()
}

/// Whether a version connects through the proxy, and by nothing that shows to the database itself.
fn leads_to_proxy(version: &Version, survey: &Survey) -> bool {
    let reader = survey.reader_host();
    let known = survey.known(survey.endpoint(), reader.as_deref());
    let all: Vec<HostKind> =
        version.variables.0.values().flat_map(|value| mentions(value, &known)).map(|mention| mention.kind).collect();
    !version.hidden && !all.is_empty() && all.into_iter().all(HostKind::is_ours)
}

/// Which versions of a function are called, and by what; an empty number stands for any.
async fn called(cloud: &Cloud, arn: &str, name: &str, events: &Events) -> Answer<Vec<(String, String)>> {
    let (aliases, provisioned, events) =
        tokio::join!(cloud.lambda.aliases(name), cloud.lambda.provisioned(name), events.read(cloud));
    let (aliases, provisioned, events) = (aliases?, provisioned?, events?);
    let mut all: Vec<(String, String)> = Vec::new();
    for alias in aliases {
        let by = format!("the alias {}", alias.name);
        all.extend(alias.split.map(|split| (split.version, by.clone())));
        all.push((alias.version, by));
    }
    all.extend(bound(arn, events, &provisioned).map(|(number, by)| (number.to_owned(), by.to_owned())));
    Ok(all)
}

/// The databases of the Region, with their groups.
async fn databases(cloud: &Cloud) -> Result<Vec<(String, Vec<String>)>, String> {
    let (instances, clusters) = tokio::join!(cloud.rds.instances(None), cloud.rds.clusters());
    let refused = |why| format!("the databases could not be listed: {why}");
    let mut all: Vec<(String, Vec<String>)> = Vec::new();
    all.extend(instances.map_err(refused)?.into_iter().map(|one| (one.cluster.unwrap_or(one.id), one.security_groups)));
    all.extend(clusters.map_err(refused)?.into_iter().map(|one| (one.id, one.security_groups)));
    Ok(all)
}

/// The databases that have a group, but for `own`.
fn with_group(all: &[(String, Vec<String>)], group: &str, own: &[&str]) -> Vec<String> {
    let has = |(id, groups): &&(String, Vec<String>)| {
        groups.iter().any(|one| one == group) && !own.iter().any(|own| own.eq_ignore_ascii_case(id))
    };
    let mut found: Vec<String> = all.iter().filter(has).map(|(id, _)| format!("the database {id}")).collect();
    found.dedup();
    found
}

/// What an interface is, where it is not a database's: RDS keeps those, and describes all of them alike.
fn no_database(one: &Interface) -> Option<String> {
    (!(one.managed && one.description == OF_DATABASES)).then(|| described(one))
}

fn described(one: &Interface) -> String {
    let kind = one.kind.as_deref().unwrap_or("of unknown type");
    if one.description.is_empty() {
        return format!("the network interface {} ({kind})", one.id);
    }
    format!("the network interface {} ({kind}, {})", one.id, one.description)
}

/// All of them; unknown where one is.
fn together<const N: usize>(users: [Users; N]) -> Users {
    let mut all = Vec::new();
    for users in users {
        all.extend(users?);
    }
    all.sort();
    all.dedup();
    Ok(all)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn interface(kind: Option<&str>, account: Option<&str>) -> Interface {
        Interface {
            id: "eni-1".to_owned(),
            kind: kind.map(str::to_owned),
            account: account.map(str::to_owned),
            description: "x".to_owned(),
            managed: true,
        }
    }

    #[test]
    fn only_a_function_of_this_account_is_one() {
        let facts = Facts {
            account: "123456789012".to_owned(),
            port: 3306,
            of_proxy: Vec::new(),
            rules: Vec::new(),
            moved: BTreeMap::new(),
            others: BTreeMap::new(),
            beside: BTreeMap::new(),
        };
        let own = Some("123456789012");
        assert_eq!(facts.no_function(&interface(Some("lambda"), own)), None);
        for (kind, account) in
            [(Some("interface"), own), (None, own), (Some("lambda"), None), (Some("lambda"), Some("2"))]
        {
            assert!(facts.no_function(&interface(kind, account)).is_some(), "{kind:?} {account:?}");
        }
    }

    #[test]
    fn only_an_interface_that_rds_keeps_is_a_database() {
        let database = Interface { description: OF_DATABASES.to_owned(), ..interface(Some("interface"), None) };
        assert_eq!(no_database(&database), None);
        assert!(no_database(&Interface { managed: false, ..database }).is_some());
        assert!(no_database(&interface(Some("interface"), None)).is_some());
    }
}
