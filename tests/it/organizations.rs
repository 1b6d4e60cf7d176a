//! An account inside an organization: service control policies, permissions boundaries, and rules for new roles.

use rdsproxy_setup::sandbox::parts::Policy;
use rdsproxy_setup::sandbox::{Organization, Simulator, World};
use serde_json::{Value, json};

use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

const INSTANCE: &str = "my-instance";
const ROLE: &str = "DBAppFunctionRole";
pub(crate) const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/guardrails/workloads";

/// Everything is allowed but what the statement says.
fn all_but(statement: &Value) -> Vec<Value> {
    let all = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    vec![
        json!({"Version": "2012-10-17", "Statement": [all]}),
        json!({"Version": "2012-10-17", "Statement": [statement]}),
    ]
}

/// As AWS Control Tower writes it
/// (<https://docs.aws.amazon.com/controltower/latest/controlreference/primary-region-deny-policy.html>).
fn region_deny() -> Value {
    json!({"Effect": "Deny", "NotAction": ["iam:*", "sts:*", "organizations:*"], "Resource": "*", "Condition": {
        "StringNotEquals": {"aws:RequestedRegion": ["eu-central-1"]},
        "ArnNotLike": {"aws:PrincipalARN": ["arn:aws:iam::*:role/AWSControlTowerExecution"]}}})
}

pub(crate) fn join(world: &mut World, statement: &Value) {
    world.organization = Some(Organization { id: "o-a1b2c3d4e5".to_owned(), policies: all_but(statement) });
}

/// Puts a managed policy there that may serve as a boundary.
pub(crate) fn boundary(world: &mut World, condition: &Value) {
    let document = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}]});
    let policy = Policy::customer_managed(&world.account, &world.partition, "/guardrails/", "workloads", &document);
    assert_eq!(policy.arn, BOUNDARY);
    world.iam.policies.insert(policy.arn.clone(), policy);
}

fn bound(world: &mut World, role: &str) {
    world.iam.roles.get_mut(role).unwrap().boundary = Some(BOUNDARY.to_owned());
}

fn done<T: std::fmt::Debug>(fate: &Fate<T>) {
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
}

#[tokio::test(start_paused = true)]
async fn a_policy_that_denies_other_regions_is_no_denial_here() {
    for simulator in [Simulator::ByResource, Simulator::Rows] {
        let mut world = newcomer();
        world.simulator = simulator;
        join(&mut world, &region_deny());
        boundary(&mut world, &json!({"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}));
        bound(&mut world, ROLE);
        let bed = Bed::of(world, NEVER, false);
        done(&bed.up(&wish(INSTANCE)).await);
        assert_eq!(bed.notes(), [""; 0], "{simulator:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_the_simulator_cannot_know_is_said_and_blocks_nothing() {
    let perimeter = json!({"Effect": "Deny", "Action": "rds-db:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:ResourceOrgID": "o-a1b2c3d4e5"}}});
    let own = json!({"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}});
    let tagged = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "rds-db:*", "Resource": "*",
        "Condition": {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}]});
    for simulator in [Simulator::ByResource, Simulator::Rows] {
        for (case, word) in
            [("organization", "organization"), ("boundary", "boundary"), ("context", "aws:PrincipalOrgID")]
        {
            let mut world = newcomer();
            world.simulator = simulator;
            let statement = if case == "organization" { perimeter.clone() } else { region_deny() };
            join(&mut world, &statement);
            match case {
                "boundary" => {
                    boundary(&mut world, &own);
                    bound(&mut world, ROLE);
                }
                "context" => {
                    let role = world.iam.roles.get_mut(ROLE).unwrap();
                    role.inline.insert("own".to_owned(), tagged.to_string());
                }
                _ => {}
            }
            let bed = Bed::of(world, NEVER, false);
            done(&bed.up(&wish(INSTANCE)).await);
            let notes = bed.notes();
            let fits = |note: &String| note.contains("not be judged") && note.contains(word) && note.contains(ROLE);
            assert!(notes.iter().any(fits), "{simulator:?}, {case}: {notes:?}");
            let survey = Box::pin(bed.survey(&wish(INSTANCE))).await.unwrap();
            let found = rdsproxy_setup::doctor::of(&bed.cloud, &survey).await;
            assert!(found.is_clean(), "{simulator:?}, {case}: {found:#?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_denial_by_the_roles_own_policy_stops_inside_an_organization_too() {
    for simulator in [Simulator::ByResource, Simulator::Rows] {
        let mut world = newcomer();
        world.simulator = simulator;
        join(&mut world, &region_deny());
        let deny = json!({"Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": "rds-db:connect", "Resource": "*"}]});
        world.iam.roles.get_mut(ROLE).unwrap().inline.insert("no-database".to_owned(), deny.to_string());
        let bed = Bed::of(world, NEVER, false);
        let fate = bed.up(&wish(INSTANCE)).await;
        assert!(matches!(&fate, Fate::Stopped(why) if why.contains("RPX052")), "{fate:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn service_control_policies_hold_for_real_calls() {
    let mut world = newcomer();
    join(&mut world, &json!({"Effect": "Deny", "Action": "rds:CreateDBProxy", "Resource": "*"}));
    let fate = Bed::of(world, NEVER, false).up(&wish(INSTANCE)).await;
    assert!(
        matches!(&fate, Fate::Stopped(why) if why.contains("explicit deny in a service control policy")),
        "{fate:?}"
    );
}
