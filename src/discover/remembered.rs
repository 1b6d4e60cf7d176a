//! What flags asked for and nothing else of the account tells: as whom and how functions log in.
//!
//! Tags of the proxy remember it, so that a later run without the flags, and `status`, want the same
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html> says what a tag may hold).

use crate::cloud::{Tags, tags};
use crate::spec::{ClientAuth, Spec};

/// The longest value that a tag may have.
const LONGEST: usize = 256;

/// What the flags ask to be remembered.
#[must_use]
pub fn wishes(spec: &Spec) -> Tags {
    let mut wishes = Tags::new();
    let login = match spec.client_auth {
        ClientAuth::Auto => None,
        ClientAuth::Iam => Some("iam"),
        ClientAuth::Password => Some("password"),
    };
    wishes.extend(login.map(|login| (tags::LOGIN.to_owned(), login.to_owned())));
    let policy = spec.connect_policy_arn.clone().filter(|arn| arn.chars().count() <= LONGEST);
    wishes.extend(policy.map(|arn| (tags::CONNECT_POLICY.to_owned(), arn)));
    let users = spec.db_users.join(" ");
    let fits = users.len() <= LONGEST && users.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c));
    // A name that no tag may hold is not remembered: then the flag is needed every time.
    if fits && !users.is_empty() {
        wishes.insert(tags::USERS.to_owned(), users);
    }
    wishes
}

/// The wishes, with what an earlier run's flags asked for where today's are silent.
#[must_use]
pub fn recall(spec: &Spec, proxy: &Tags) -> Spec {
    let mut spec = spec.clone();
    if spec.client_auth == ClientAuth::Auto {
        spec.client_auth = match proxy.get(tags::LOGIN).map(String::as_str) {
            Some("iam") => ClientAuth::Iam,
            Some("password") => ClientAuth::Password,
            _ => ClientAuth::Auto,
        };
    }
    if spec.connect_policy_arn.is_none() {
        // Whoever wrote this tag gets nothing by it: such a policy is only compared, and granted to nobody.
        let remembered = proxy.get(tags::CONNECT_POLICY).and_then(|arn| crate::spec::connect_policy(arn).ok());
        spec.connect_policy_arn = remembered;
    }
    if spec.db_users.is_empty() {
        let users = proxy.get(tags::USERS).into_iter().flat_map(|users| users.split(' '));
        spec.db_users = users.filter(|user| !user.is_empty()).map(str::to_owned).collect();
    }
    spec
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{DatabaseRef, stack};

    fn spec(auth: ClientAuth, users: &[&str]) -> Spec {
        let database = DatabaseRef::parse("main").unwrap();
        let stack = stack(None, &database).unwrap();
        let users = users.iter().map(|&user| user.to_owned()).collect();
        Spec { client_auth: auth, db_users: users, ..Spec::of(database, stack) }
    }

    #[test]
    fn what_was_asked_for_comes_back_and_flags_go_first() {
        let asked = spec(ClientAuth::Password, &["app", "reports"]);
        let memory = wishes(&asked);
        let later = recall(&spec(ClientAuth::Auto, &[]), &memory);
        assert_eq!((later.client_auth, &later.db_users), (ClientAuth::Password, &asked.db_users));
        let now = recall(&spec(ClientAuth::Iam, &["admin"]), &memory);
        assert_eq!((now.client_auth, now.db_users.as_slice()), (ClientAuth::Iam, &["admin".to_owned()][..]));
        assert!(wishes(&spec(ClientAuth::Auto, &[])).is_empty());
    }

    #[test]
    fn a_name_that_no_tag_may_hold_is_not_remembered() {
        assert!(wishes(&spec(ClientAuth::Auto, &["o'brien"])).is_empty());
        assert!(wishes(&spec(ClientAuth::Auto, &["a".repeat(300).as_str()])).is_empty());
    }
}
