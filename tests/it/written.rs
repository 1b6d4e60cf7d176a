//! Law 10: no run ever writes an empty, malformed or foreign host into a variable.
//!
//! The bed holds every write of every suite to it, as it is made: each change of a function's variables, and each
//! version that is published. Nothing of the product's own reading of values is used here.

use std::collections::{BTreeMap, BTreeSet};

use sandbox::World;

/// Variables by name.
type Variables = BTreeMap<String, String>;

/// Every host that the account has had so far, and the database that it leads to; `None` where that is not known.
#[derive(Debug, Default)]
pub(crate) struct Hosts(BTreeMap<String, Option<String>>);

impl Hosts {
    /// Learns the hosts that the account has now. One that goes later stays known: it may be written by a run that read
    /// it before, and a teardown goes back to a database that is gone.
    pub(crate) fn learn(&mut self, world: &World) {
        let rds = &world.rds;
        for (id, instance) in &rds.instances {
            self.add(&instance.endpoint, Some(instance.cluster.as_ref().unwrap_or(id)));
        }
        for (id, cluster) in &rds.clusters {
            let custom = cluster.custom_endpoints.iter().map(|custom| &custom.endpoint);
            for host in [&cluster.endpoint, &cluster.reader_endpoint].into_iter().chain(custom) {
                self.add(host, Some(id));
            }
        }
        let served = |proxy: &str| rds.proxies.get(proxy)?.target_group.target.as_ref().map(|target| &target.id);
        for (name, proxy) in &rds.proxies {
            self.add(&proxy.endpoint, served(name));
        }
        for endpoint in rds.endpoints.values() {
            self.add(&endpoint.endpoint, served(&endpoint.proxy));
        }
    }

    fn add(&mut self, host: &str, database: Option<&String>) {
        if !host.is_empty() {
            let known = self.0.entry(host.to_ascii_lowercase()).or_default();
            if database.is_some() {
                *known = database.cloned();
            }
        }
    }

    /// What is wrong with a function's variables as they are written, where they differ from before.
    pub(crate) fn wrong(&self, before: &Variables, after: &Variables) -> Vec<String> {
        let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let wrong = |name: &&String| match (before.get(*name), after.get(*name)) {
            (Some(old), Some(new)) => self.differs(old, new).map(|why| format!("{name}: {why}")),
            (Some(_), None) => Some(format!("{name} is gone")),
            (None, _) => Some(format!("{name} is new")),
        };
        names.iter().filter_map(wrong).collect()
    }

    /// What is wrong with a version, where the function led to a database before.
    pub(crate) fn wrong_version(&self, before: &Variables, after: &Variables) -> Vec<String> {
        let leads = |(_, value): &(&String, &String)| words(&plain(value)).any(|word| self.0.contains_key(&host(word)));
        let copy = |(name, value): (&String, &String)| (name.clone(), value.clone());
        let before: Variables = before.iter().filter(leads).map(copy).collect();
        let after = after.iter().filter(|(name, _)| before.contains_key(*name)).map(copy);
        self.wrong(&before, &after.collect())
    }

    /// Only hosts and ports may differ, each host by one that leads to the same database.
    fn differs(&self, old: &str, new: &str) -> Option<String> {
        if old == new {
            return None;
        }
        let (old, new) = (plain(old), plain(new));
        let (olds, news): (Vec<&str>, Vec<&str>) = (words(&old).collect(), words(&new).collect());
        if olds.len() != news.len() || between(&old) != between(&new) {
            return Some("more than hosts and ports was changed".to_owned());
        }
        olds.iter().zip(news).filter(|(old, new)| **old != *new).find_map(|(old, new)| {
            if old.parse::<u16>().is_ok() && new.parse::<u16>().is_ok_and(|port| port != 0) {
                return None;
            }
            let Some(leads) = self.0.get(&host(new)) else {
                return Some(format!("{new:?} is no host of this account"));
            };
            let led = self.0.get(&host(old))?;
            let same = led.is_none() || leads.is_none() || led == leads;
            (!same).then(|| format!("{new} leads to {leads:?}, and {old} to {led:?}"))
        })
    }
}

/// The value with every `%41` as the letter that it stands for.
fn plain(value: &str) -> String {
    percent_encoding::percent_decode_str(value).decode_utf8_lossy().into_owned()
}

fn part_of_a_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_')
}

fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split(|c: char| !part_of_a_word(c)).filter(|word| !word.is_empty())
}

fn between(value: &str) -> String {
    value.chars().filter(|c| !part_of_a_word(*c)).collect()
}

fn host(word: &str) -> String {
    word.trim_end_matches('.').to_ascii_lowercase()
}

/// The variables of a function and of its versions.
#[derive(Debug, Default)]
pub(crate) struct Held {
    latest: Variables,
    versions: BTreeMap<u64, Variables>,
}

impl Held {
    /// As they are now.
    pub(crate) fn of(world: &World, function: &str) -> Option<Self> {
        let function = world.lambda.functions.get(function)?;
        let versions = function.versions.iter();
        Some(Self {
            latest: function.latest.environment.clone().unwrap_or_default(),
            versions: versions
                .map(|(number, version)| (*number, version.environment.clone().unwrap_or_default()))
                .collect(),
        })
    }

    /// What a write made wrong.
    pub(crate) fn wrong(&self, after: &Self, hosts: &Hosts) -> Vec<String> {
        let mut wrong = hosts.wrong(&self.latest, &after.latest);
        let new = after.versions.iter().filter(|(number, _)| !self.versions.contains_key(*number));
        let former = self.versions.values().next_back();
        for (number, version) in new {
            let found = former.map(|former| hosts.wrong_version(former, version)).unwrap_or_default();
            wrong.extend(found.into_iter().map(|found| format!("version {number}: {found}")));
        }
        wrong
    }
}

/// The function that a request writes: its configuration, or a new version of it.
pub(crate) fn writes(method: &str, target: &str) -> Option<String> {
    let rest = target.strip_prefix("/2015-03-31/functions/")?;
    let (name, what) = rest.split_once('/')?;
    let what = what.split('?').next().unwrap_or(what);
    let name = plain(name);
    let name = name.rsplit(':').next().unwrap_or(&name).to_owned();
    matches!((method, what), ("PUT", "configuration") | ("POST", "versions")).then_some(name)
}

mod tests {
    use super::{Held, Hosts, Variables, writes};
    use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

    const WRITER: &str = "db.c9akciq32abc.eu-central-1.rds.amazonaws.com";
    const PROXY: &str = "db-proxy.proxy-c9akciq32abc.eu-central-1.rds.amazonaws.com";
    const OTHER: &str = "other.c9akciq32abc.eu-central-1.rds.amazonaws.com";

    fn hosts() -> Hosts {
        let mut hosts = Hosts::default();
        for (host, database) in [(WRITER, Some("db")), (PROXY, Some("db")), (OTHER, Some("other"))] {
            hosts.add(host, database.map(str::to_owned).as_ref());
        }
        hosts
    }

    fn one(value: &str) -> Variables {
        [("DB_HOST".to_owned(), value.to_owned())].into()
    }

    /// What is wrong with a value that stood at the database; `{}` is the host.
    fn wrong(old: &str, new: &str) -> String {
        hosts().wrong(&one(&old.replace("{}", WRITER)), &one(new)).join("; ")
    }

    #[test]
    fn what_runs_may_write_passes() {
        for form in
            ["{}", "{}:3306", "mysql://app:p%40ss@{}:3306/shop?ssl=true", "mysql%3A%2F%2Fapp%40{}%3A3306%2Fshop"]
        {
            assert_eq!(wrong(form, &form.replace("{}", PROXY)), "", "{form}");
        }
        assert_eq!(wrong("{}:3307", &format!("{PROXY}:3306")), "");
        assert_eq!(wrong("{}.", &format!("{PROXY}.")), "");
        assert_eq!(wrong("dead.proxy-x.eu-central-1.rds.amazonaws.com", PROXY), "");
        assert_eq!(hosts().wrong_version(&one(WRITER), &one(PROXY)), [""; 0]);
    }

    #[test]
    fn what_no_run_may_write_is_found() {
        for new in ["", " ", "None", "db-proxy.proxy-.eu-central-1.rds.amazonaws.com", "eu-central-1.rds.amazonaws.com"]
        {
            assert_ne!(wrong("{}", new), "", "{new:?} passed");
        }
        assert!(wrong("{}", OTHER).contains("leads to"), "another database's");
        assert!(wrong("mysql://app:secret@{}/shop", &format!("mysql://app@{PROXY}/shop")).contains("more than hosts"));
        assert!(wrong("{}:3306", &format!("{PROXY}:0")).contains("no host"));
        assert!(wrong("{}:3306", &format!("{PROXY}:")).contains("more than hosts"));
        assert_eq!(hosts().wrong(&one(WRITER), &Variables::new()), ["DB_HOST is gone"]);
        assert_eq!(hosts().wrong(&Variables::new(), &one(PROXY)), ["DB_HOST is new"]);
        assert_ne!(hosts().wrong_version(&one(WRITER), &one("")), [""; 0]);
        assert_ne!(hosts().wrong_version(&one(WRITER), &Variables::new()), [""; 0]);
    }

    #[test]
    fn writes_are_told_from_reads() {
        let name = Some("F".to_owned());
        assert_eq!(writes("PUT", "/2015-03-31/functions/F/configuration"), name);
        assert_eq!(
            writes("PUT", "/2015-03-31/functions/arn%3Aaws%3Alambda%3Ax%3A1%3Afunction%3AF/configuration"),
            name
        );
        assert_eq!(writes("POST", "/2015-03-31/functions/F/versions?x=y"), name);
        assert_eq!(writes("GET", "/2015-03-31/functions/F/configuration"), None);
        assert_eq!(writes("GET", "/2015-03-31/functions/F/versions"), None);
    }

    /// The bed sees what a run writes: an `up` and a teardown write to each function and make a version.
    #[tokio::test(start_paused = true)]
    async fn the_bed_looks_at_every_write() {
        let bed = Bed::new(NEVER, false);
        assert!(matches!(bed.up(&wish("my-cluster")).await, Fate::Done(_)));
        let (changed, published) = bed.gate.account.with(|world| {
            let of = |action: &str| world.log.iter().filter(|call| call.action == action).count();
            (of("UpdateFunctionConfiguration"), of("PublishVersion"))
        });
        assert!(changed > 0 && published > 0);
        assert_eq!(bed.gate.looked_at(), changed + published);
        assert_eq!(bed.gate.wrong(), [""; 0]);
    }

    /// And does not pass a host that is none, through the same wire.
    #[tokio::test(start_paused = true)]
    #[should_panic(expected = "a run wrote what no run may write")]
    async fn the_bed_fails_where_a_host_is_empty() {
        let bed = Bed::of(newcomer(), NEVER, false);
        let mut function = bed.cloud.lambda.get("DBAppFunction").await.unwrap().unwrap();
        let mut variables = function.variables.clone();
        variables.0.values_mut().filter(|value| value.contains("rds.amazonaws.com")).for_each(String::clear);
        assert_ne!(variables, function.variables);
        function.variables = bed.cloud.lambda.set_variables(&function, &variables).await.map(|_| variables).unwrap();
    }

    #[test]
    fn a_version_is_held_to_the_one_before_it() {
        let held = |latest: &str, versions: &[(u64, &str)]| Held {
            latest: one(latest),
            versions: versions.iter().map(|(number, value)| (*number, one(value))).collect(),
        };
        let before = held(PROXY, &[(1, WRITER)]);
        assert_eq!(before.wrong(&held(PROXY, &[(1, WRITER), (2, PROXY)]), &hosts()), [""; 0]);
        let wrong = before.wrong(&held(PROXY, &[(1, WRITER), (2, "")]), &hosts());
        assert_eq!(wrong, ["version 2: DB_HOST: more than hosts and ports was changed"]);
    }
}
