//! What flags asked for and nothing else in the account shows: as whom and how functions log in.
//!
//! Tags of the proxy remember it, so that a later run without the flags, and `status`, want the same
//! (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_Tagging.html> says what a tag may hold).

use super::auth::Login;
use super::evidence::takes;
use super::problem::Problem;
use super::secrets::Secrets;
use super::{direct, selection};
use crate::cloud::rds::Proxy;
use crate::cloud::tags::{LOGIN, USERS};
use crate::cloud::{Cloud, Owner, Tags, tags};
use crate::spec::{self, ClientAuth, Spec};

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
    wishes.extend(spec.log_retention.map(|days| (tags::LOG_RETENTION.to_owned(), days.to_string())));
    let users = spec.db_users.join(" ");
    let fits = users.len() <= LONGEST && users.chars().all(|c| c.is_alphanumeric() || " _.:/=+-@".contains(c));
    // A name that no tag may hold is not remembered: then the flag is needed every time.
    if fits && !users.is_empty() {
        wishes.insert(tags::USERS.to_owned(), users);
    }
    wishes
}

/// The settings, with what an earlier run's flags asked for where today's are silent.
///
/// Anyone who may tag the proxy can write these tags, so they are held to the rules of the flags, and believed as far
/// as the account itself shows the same: they may narrow what is granted, and never widen it.
///
/// # Errors
/// When a tag names a user that no flag may name, or another login than the proxy has.
pub fn recall(spec: &Spec, tags: &Tags, proxy: &Proxy) -> Result<Spec, Problem> {
    let mut spec = spec.clone();
    selection::recall(&mut spec, tags, &proxy.name)?;
    direct::recall(&mut spec, tags, &proxy.name)?;
    if spec.client_auth == ClientAuth::Auto {
        spec.client_auth = match tags.get(LOGIN).map(String::as_str) {
            Some("iam") => ClientAuth::Iam,
            Some("password") => ClientAuth::Password,
            _ => ClientAuth::Auto,
        };
        let remembered = match spec.client_auth {
            ClientAuth::Iam => Some(true),
            ClientAuth::Password => Some(false),
            ClientAuth::Auto => None,
        };
        if let (Some(remembered), Some(takes)) = (remembered, takes(proxy))
            && remembered != takes
        {
            let word = |iam: bool| if iam { "IAM tokens" } else { "passwords" };
            return Err(Problem::unfit(
                format!(
                    "reading what the proxy remembers ({}): its tag {LOGIN} says {}, but the proxy takes {} alone",
                    proxy.name,
                    word(remembered),
                    word(takes)
                ),
                [
                    "A tag alone does not change how functions log in, since others may write tags.",
                    "Say which is right: --client-auth iam or --client-auth password.",
                ],
            ));
        }
    }
    if spec.log_retention.is_none() {
        // Anyone who wrote this tag has events kept for another span: read like the flag, and shown in the plan.
        let days = tags.get(tags::LOG_RETENTION).and_then(|days| days.parse().ok());
        spec.log_retention = days.and_then(|days| spec::log_retention(days).ok());
    }
    if spec.connect_policy_arn.is_none() {
        // Anyone who wrote this tag gets nothing by it: such a policy is only compared, and granted to nobody.
        let remembered = tags.get(tags::CONNECT_POLICY).and_then(|arn| crate::spec::connect_policy(arn).ok());
        spec.connect_policy_arn = remembered;
    }
    if spec.db_users.is_empty() {
        let users = tags.get(USERS).into_iter().flat_map(|users| users.split(' '));
        spec.db_users = users.filter(|user| !user.is_empty()).map(str::to_owned).collect();
        for user in &spec.db_users {
            if let Err(problem) = spec::usable_user(user) {
                return Err(Problem::unfit(
                    format!(
                        "reading what the proxy remembers ({}): its tag {USERS} names {user:?}, which is not usable: {problem}",
                        proxy.name
                    ),
                    ["Remove the tag, or say as whom the functions log in: --db-user NAME."],
                ));
            }
        }
    }
    Ok(spec)
}

/// The users that nothing but the proxy's tags names.
#[must_use]
pub fn beyond(asked: &Spec, recalled: &Spec, login: &Login) -> Vec<String> {
    if !asked.db_users.is_empty() {
        return Vec::new();
    }
    recalled.db_users.iter().filter(|user| !login.logins.in_variables(user)).cloned().collect()
}

/// Stops where a user that only a tag names may not connect yet.
///
/// # Errors
/// When no connect policy names one of them, or one cannot be read.
pub async fn granted(
    cloud: &Cloud,
    beyond: &[String],
    login: &Login,
    owner: &Owner,
    (policy, path): (&str, &str),
) -> Result<(), Problem> {
    if beyond.is_empty() || !login.iam {
        return Ok(());
    }
    let mut users = named_by(cloud, policy).await?.map(|(_, users)| users).unwrap_or_default();
    if beyond.iter().any(|user| !users.contains(user)) {
        // There may be further policies, for functions with other users.
        let further = cloud.iam.policies_under(path).await;
        for arn in further.map_err(Problem::refused(format!("listing the connect policies ({path})")))? {
            let found = named_by(cloud, &arn).await?.filter(|(tags, _)| owner.owns(tags));
            users.extend(found.into_iter().flat_map(|(_, users)| users));
        }
    }
    beyond.iter().find(|user| !users.contains(user)).map_or(Ok(()), |user| Err(widens(user)))
}

/// The tags of a policy, and the users that its document names.
async fn named_by(cloud: &Cloud, arn: &str) -> Result<Option<(Tags, Vec<String>)>, Problem> {
    let doing = || format!("reading the connect policy ({arn})");
    let Some(found) = cloud.iam.policy(arn).await.map_err(Problem::refused(doing()))? else { return Ok(None) };
    let document = cloud.iam.policy_document(arn, &found.version).await.map_err(Problem::refused(doing()))?;
    let resources = document["Statement"][0]["Resource"].as_array().into_iter().flatten();
    let user = |resource: &serde_json::Value| resource.as_str()?.rsplit_once('/').map(|(_, user)| user.to_owned());
    Ok(Some((found.tags, resources.filter_map(user).collect())))
}

/// Stops where a user that only a tag names would give the proxy a further secret.
///
/// # Errors
/// When one of them does.
pub fn no_new_secret(beyond: &[String], secrets: &Secrets, proxy: Option<&Proxy>) -> Result<(), Problem> {
    let has = |arn: &str| proxy.is_some_and(|proxy| proxy.auth.iter().any(|auth| auth.secret == arn));
    let new = secrets.found.iter().filter(|secret| !has(&secret.arn)).filter_map(|secret| secret.user.as_ref());
    new.into_iter().find(|user| beyond.contains(user)).map_or(Ok(()), |user| Err(widens(user)))
}

fn widens(user: &str) -> Problem {
    Problem::unfit(
        format!(
            "reading what the proxy remembers: only its tag {USERS} names the database user {user}, and nothing else of the account does"
        ),
        [
            "A tag alone grants nothing, since others may write tags.".to_owned(),
            format!("If functions log in as that user, say so: --db-user {user}."),
        ],
    )
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

    /// A proxy that takes tokens alone, or passwords alone.
    fn proxy(iam: bool) -> Proxy {
        Proxy {
            name: "main-proxy".to_owned(),
            auth: vec![crate::cloud::rds::ProxyAuth::of("arn", iam)],
            ..Proxy::default()
        }
    }

    #[test]
    fn a_tag_is_held_to_the_rules_of_flags_and_to_what_the_proxy_does() {
        let silent = spec(ClientAuth::Auto, &[]);
        let tags = |key: &str, value: &str| Tags::from([(key.to_owned(), value.to_owned())]);
        assert!(recall(&silent, &tags(LOGIN, "password"), &proxy(true)).unwrap_err().to_string().contains(LOGIN));
        assert!(recall(&silent, &tags(LOGIN, "iam"), &proxy(false)).is_err());
        for bad in ["*", "a/b", "app a?min", "${aws:username}"] {
            assert!(recall(&silent, &tags(USERS, bad), &proxy(true)).unwrap_err().to_string().contains(USERS), "{bad}");
        }
    }

    #[test]
    fn what_was_asked_for_comes_back_and_flags_go_first() {
        let asked = spec(ClientAuth::Password, &["app", "reports"]);
        let memory = wishes(&asked);
        let later = recall(&spec(ClientAuth::Auto, &[]), &memory, &proxy(false)).unwrap();
        assert_eq!((later.client_auth, &later.db_users), (ClientAuth::Password, &asked.db_users));
        let now = recall(&spec(ClientAuth::Iam, &["admin"]), &memory, &proxy(false)).unwrap();
        assert_eq!((now.client_auth, now.db_users.as_slice()), (ClientAuth::Iam, &["admin".to_owned()][..]));
        assert!(wishes(&spec(ClientAuth::Auto, &[])).is_empty());
    }

    #[test]
    fn a_name_that_no_tag_may_hold_is_not_remembered() {
        assert!(wishes(&spec(ClientAuth::Auto, &["o'brien"])).is_empty());
        assert!(wishes(&spec(ClientAuth::Auto, &["a".repeat(300).as_str()])).is_empty());
    }
}
