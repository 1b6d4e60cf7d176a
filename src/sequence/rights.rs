//! Steps 6 and 7: which connect policy is for which set of database users, and on which roles.
//!
//! A function's role gets the users that its functions use, so roles with other users have another policy. The first
//! set has the policy of the stack's own name, each further one a name that ends in a digest of its users. A policy
//! keeps the users that it has, for as long as roles carry it that no chosen function has: what is excluded loses
//! nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::list::PASSWORD_LOGIN;
use crate::cloud::{Answer, Cloud, Kind};
use crate::discover::Problem;
use crate::discover::grants::users_of;
use crate::engine::{Observed, crowd};
use crate::names::digest;
use crate::resources::NO_FUNCTION;
use crate::resources::attach::{Attach, Attachments, Rights};
use crate::resources::connect_policy::{ConnectPolicies, ConnectPolicy, Held, InForce, look, tells_of_further};
use crate::survey::Survey;
use crate::templates;

/// One connect policy: as whom, and on which roles.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Share {
    arn: String,
    users: Vec<String>,
    roles: BTreeSet<String>,
}

type Sets = Vec<(Vec<String>, BTreeSet<String>)>;

impl Survey {
    fn further_arn(&self, users: &[String]) -> String {
        self.names.further_policy_arn(&self.identity.partition, &self.identity.account, users)
    }

    fn connect_document(&self, proxy_id: &str, users: &[String]) -> serde_json::Value {
        let who = &self.identity;
        templates::connect(&who.partition, &self.region, &who.account, proxy_id, users)
    }

    fn role_names(&self) -> BTreeSet<String> {
        self.functions.iter().map(|found| found.role_name().to_owned()).collect()
    }

    /// Whether one policy is for everyone: an administrator's, or one that no function uses.
    fn is_undivided(&self) -> bool {
        !self.login.iam || self.spec.connect_policy_arn.is_some() || self.functions.is_empty()
    }

    /// Whether a policy is for exactly these users, whatever proxy it names.
    fn is_for(&self, found: &InForce, users: &[String]) -> bool {
        let marked = || {
            let document = self.connect_document(self.proxy_id()?, users);
            (found.digest == digest(&document.to_string())).then_some(())
        };
        marked().is_some() || found.document.as_ref().and_then(users_of).is_some_and(|have| have == users)
    }

    /// The set of users whose policy is the one of the stack's own name.
    fn first_of(&self, sets: &Sets, rights: &Rights) -> Option<usize> {
        let arn = self.policy_arn();
        let free = || sets.iter().position(|(users, _)| rights.held(&self.further_arn(users)).is_none());
        let Some(found) = rights.held(&arn) else { return free() };
        if let Some(at) = sets.iter().position(|(users, _)| self.is_for(found, users)) {
            return Some(at);
        }
        let chosen = |role: &String| sets.iter().any(|(_, roles)| roles.contains(role));
        if rights.roles(&arn).iter().all(chosen) { free() } else { None }
    }

    /// The policies that are wanted, the one of the stack's own name first.
    fn shares(&self) -> Vec<Share> {
        let main = self.policy_arn();
        if self.is_undivided() {
            return vec![Share { arn: main, users: self.grants.users(), roles: self.role_names() }];
        }
        let sets = self.grants.sets();
        let first = self.first_of(&sets, &self.seen.rights);
        let mut shares = Vec::new();
        for (at, (users, roles)) in sets.into_iter().enumerate() {
            if Some(at) == first {
                shares.insert(0, Share { arn: main.clone(), users, roles });
            } else {
                shares.push(Share { arn: self.further_arn(&users), users, roles });
            }
        }
        shares
    }

    /// Whether a policy gets other users while roles of others carry it still.
    fn is_late(&self, share: &Share) -> bool {
        let rights = &self.seen.rights;
        let other = |found: &InForce| self.owner.owns(&found.policy.tags) && !self.is_for(found, &share.users);
        // The users of a further one are in its name.
        !self.is_undivided()
            && share.arn == self.policy_arn()
            && rights.held(&share.arn).is_some_and(other)
            && rights.roles(&share.arn).iter().any(|role| !share.roles.contains(role))
    }

    /// Our policies that are nobody's any more.
    fn former(&self, shares: &[Share]) -> Vec<String> {
        if self.is_undivided() {
            return Vec::new();
        }
        let ours = |found: &&InForce| self.owner.owns(&found.policy.tags);
        let held = self.seen.rights.policies.present().into_iter().flatten();
        let held = held.filter(|(_, found)| ours(found)).map(|(arn, _)| arn);
        held.filter(|arn| shares.iter().all(|share| share.arn != **arn)).cloned().collect()
    }

    /// Whether there are policies beside the one of the stack's own name, or will be.
    fn has_further(&self, shares: &[Share]) -> bool {
        let main = self.policy_arn();
        !self.is_undivided()
            && (shares.iter().any(|share| share.arn != main) || self.former(shares).iter().any(|arn| *arn != main))
    }

    fn policy_of(&self, share: &Share, proxy_id: Option<&str>, further: bool) -> ConnectPolicy<'_> {
        ConnectPolicy {
            names: &self.names,
            owner: &self.owner,
            arn: share.arn.clone(),
            users: share.users.clone(),
            given: self.spec.connect_policy_arn.is_some(),
            document: proxy_id.map(|id| self.connect_document(id, &share.users)),
            unused: self.functions.is_empty().then(|| share.users.clone()),
            further,
        }
    }

    pub(crate) fn connect_policies<'a>(&'a self, main: &'a str, proxy_id: Option<&str>) -> ConnectPolicies<'a> {
        let shares = self.shares();
        let further = self.has_further(&shares);
        let now = shares.iter().filter(|share| !self.is_late(share));
        let all: Vec<ConnectPolicy<'_>> =
            now.map(|share| self.policy_of(share, proxy_id, further && share.arn == main)).collect();
        let given = self.spec.connect_policy_arn.is_some();
        ConnectPolicies {
            all,
            marked: further.then_some(main),
            not_needed: if self.login.iam {
                (given && self.functions.is_empty()).then(|| NO_FUNCTION.to_owned())
            } else {
                Some(PASSWORD_LOGIN.to_owned())
            },
            limit: self.timeouts.propagation,
        }
    }

    pub(crate) fn attach(&self, proxy_id: Option<&str>) -> Attach<'_> {
        let shares = self.shares();
        let further = self.has_further(&shares);
        let late = shares.iter().find(|share| self.is_late(share));
        let wanted: BTreeMap<String, String> =
            shares.iter().flat_map(|share| share.roles.iter().map(|role| (role.clone(), share.arn.clone()))).collect();
        let not_needed = match (self.login.iam, wanted.is_empty()) {
            (false, _) => Some(PASSWORD_LOGIN.to_owned()),
            (true, true) => Some(NO_FUNCTION.to_owned()),
            (true, false) => None,
        };
        Attach {
            wanted,
            former: self.former(&shares),
            late: late.map(|share| self.policy_of(share, proxy_id, further)),
            given: self.spec.connect_policy_arn.is_some(),
            not_needed,
            limit: self.timeouts.propagation,
        }
    }

    /// Looks at the connect policies and at who carries them: at the one of the stack's own name, and at further ones
    /// where there may be some.
    pub(crate) async fn look_for_rights(&self, cloud: &Cloud) -> Result<Rights, Problem> {
        let nothing = self.seen.role.is_absent() && self.seen.proxy.is_absent() && self.group().is_absent();
        // The policy comes after all of them: where none of them exists, it does not either.
        let given = self.spec.connect_policy_arn.is_some();
        if (nothing && !given) || !self.login.iam {
            return Ok(Rights::none());
        }
        match self.read_rights(cloud).await {
            Ok(rights) => Ok(rights),
            Err(refusal) if refusal.kind == Kind::Denied => {
                let why = refusal.to_string();
                Ok(Rights { policies: Observed::Unknown(why.clone()), attached: Observed::Unknown(why) })
            }
            Err(refusal) => Err(Problem::Refused { doing: "reading the connect policies".to_owned(), refusal }),
        }
    }

    async fn read_rights(&self, cloud: &Cloud) -> Answer<Rights> {
        let main = self.policy_arn();
        let extends = self.functions.is_empty() && !self.grants.users().is_empty();
        let with_document = self.spec.connect_policy_arn.is_some() || extends;
        let (mut held, mut attached) = (Held::new(), Attachments::default());
        let found = look(cloud, &main, with_document).await?;
        if let Some(found) = &found {
            held.insert(main.clone(), found.clone());
            attached.carriers.insert(main.clone(), cloud.iam.carriers(&main).await?);
        }
        let sets = if self.is_undivided() { Sets::new() } else { self.grants.sets() };
        let in_place = match (&found, sets.as_slice()) {
            _ if self.is_undivided() => true,
            (Some(found), [(users, roles)]) if !tells_of_further(&found.policy) => {
                let carriers = attached.carriers.get(&main);
                let alone = carriers.is_none_or(|carriers| carriers.roles.iter().all(|role| roles.contains(role)));
                alone || self.is_for(found, users)
            }
            _ => false,
        };
        if in_place {
            return Ok(Rights { policies: Observed::Present(held), attached: Observed::Present(attached) });
        }
        if let Some(found) = held.get_mut(&main)
            && found.document.is_none()
            && !sets.iter().any(|(users, _)| self.is_for(found, users))
        {
            found.document = Some(cloud.iam.policy_document(&main, &found.policy.version).await?);
        }
        let mut further = cloud.iam.policies_under(&self.names.path).await?;
        further.retain(|arn| *arn != main);
        let looks = further.iter().map(async |arn| {
            let Some(found) = look(cloud, arn, false).await? else { return Ok(None) };
            Ok(Some((found, cloud.iam.carriers(arn).await?)))
        });
        for (arn, found) in further.iter().zip(crowd(looks.collect()).await) {
            let found: Answer<_> = found;
            if let Some((found, carriers)) = found? {
                held.insert(arn.clone(), found);
                attached.carriers.insert(arn.clone(), carriers);
            }
        }
        attached.late = held.get(&main).cloned();
        Ok(Rights { policies: Observed::Present(held), attached: Observed::Present(attached) })
    }
}
