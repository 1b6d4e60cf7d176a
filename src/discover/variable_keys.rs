//! Customer keys of functions' variables: whether the caller may write under them.
//!
//! To change such a function, AWS may ask the caller for `kms:CreateGrant` and `kms:Encrypt` on the key
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html>). A refusal in the middle of step 13
//! would leave some functions at the proxy and some at the database, so it is looked at before.

use std::collections::BTreeMap;

use super::functions::FunctionUse;
use crate::cloud::iam::{Judgement, Known};
use crate::cloud::sts::Identity;
use crate::cloud::{Cloud, Kind, Refusal};
use crate::templates;

/// What an update of a function under a customer key may ask of the caller.
const ACTIONS: [&str; 2] = ["kms:CreateGrant", "kms:Encrypt"];

/// What a person should know of functions that step 13 may not be able to write, one sentence a key.
///
/// One that IAM's simulator allows is not mentioned. Key policies are not part of the simulation, so what it denies is
/// a warning and no more.
pub async fn warnings(cloud: &Cloud, who: &Identity, functions: &[FunctionUse]) -> Vec<String> {
    let mut keys: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for found in functions.iter().filter(|found| !found.holding(|kind| !kind.is_ours()).is_empty()) {
        if let Some(key) = &found.function.kms_key {
            keys.entry(key).or_default().push(&found.function.name);
        }
    }
    // The root user has every right that a key's policy leaves to the account.
    if keys.is_empty() || who.arn.ends_with(":root") {
        return Vec::new();
    }
    let arns: Vec<String> = keys.keys().map(|&key| key.to_owned()).collect();
    let judged = judged(cloud, who, &arns).await;
    let doubt = |key: &str| match &judged {
        Err(why) => Some(format!("whether these credentials may is not known: {why}")),
        Ok(judged) => {
            let denied = |found: &&Judgement| found.resource == key && !found.allowed();
            let denied: Vec<&str> = judged.iter().filter(denied).map(|found| found.action.as_str()).collect();
            let what = || format!("IAM's simulator does not allow {} to these credentials", denied.join(" and "));
            (!denied.is_empty()).then(what)
        }
    };
    let warning = |(key, functions): (&str, Vec<&str>)| {
        doubt(key).map(|doubt| {
            format!(
                "The variables of {} are encrypted with the customer key {key}, and to change them AWS may ask for {} on it: \
                 {doubt}. Unless the key's policy allows it, step 13 fails there. To see the rights needed: permissions --for up \
                 --with encrypted-variables.",
                functions.join(", "),
                ACTIONS.join(" and "),
            )
        })
    };
    keys.into_iter().filter_map(warning).collect()
}

/// What the simulator says of the caller and these keys, or why that is not known.
async fn judged(cloud: &Cloud, who: &Identity, keys: &[String]) -> Result<Vec<Judgement>, String> {
    let denied = |refusal: Refusal| match refusal.kind {
        Kind::Denied => format!("{} is not allowed to them", refusal.operation),
        _ => refusal.to_string(),
    };
    let caller = match who.arn.split_once(":assumed-role/") {
        None => who.arn.clone(),
        // The ARN of a session does not have the role's path.
        Some((_, session)) => {
            let name = session.split('/').next().unwrap_or(session);
            let role = cloud.iam.role(name).await.map_err(denied)?;
            role.ok_or_else(|| format!("the role {name} was not found"))?.arn
        }
    };
    let through = templates::via_lambda(&cloud.region, &who.partition);
    let known = Known { region: &cloud.region, account: &who.account, further: Some(("kms:ViaService", &through)) };
    let [grant, encrypt] = ACTIONS.map(|action| cloud.iam.simulate(&caller, action, keys, known));
    let (grant, encrypt) = tokio::join!(grant, encrypt);
    Ok(grant.map_err(denied)?.into_iter().chain(encrypt.map_err(denied)?).collect())
}
