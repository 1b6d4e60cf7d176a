//! Security groups, subnets and network ACLs that are not the usual ones.

use rdsproxy_setup::plan::Verdict;
use rdsproxy_setup::spec::NetworkType;
use sandbox::World;
use sandbox::parts::AclEntry;

use crate::access::lawful;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};

/// The id of the group of that name.
pub(crate) fn group(world: &World, name: &str) -> String {
    world.ec2.groups.iter().find(|(_, group)| group.name == name).map(|(id, _)| id.clone()).unwrap()
}

/// Puts a function into these groups.
fn place(world: &mut World, function: &str, groups: &[&str]) {
    let groups = groups.iter().map(|name| group(world, name)).collect();
    world.lambda.functions.get_mut(function).unwrap().latest.vpc.as_mut().unwrap().groups = groups;
}

/// Takes every way out of a group.
pub(crate) fn close(world: &mut World, name: &str) {
    let id = group(world, name);
    world.ec2.groups.get_mut(&id).unwrap().rules.retain(|_, rule| !rule.egress);
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_group_that_lets_nothing_out_gets_the_one_rule_that_it_needs() {
    let world = || {
        let mut world = newcomer();
        close(&mut world, "app-functions");
        world
    };
    let id = group(&world(), "app-functions");
    let want = lawful(&world, &wish("my-instance")).await;
    let rules = want["ec2"]["groups"][&id]["rules"].as_object().unwrap();
    let out: Vec<_> = rules.values().filter(|rule| rule["egress"] == true).collect();
    assert_eq!(out.len(), 1, "{out:?}");
    assert_eq!(
        (&out[0]["from_port"], &out[0]["tags"]["rdsproxy-setup:stack"]),
        (&3306.into(), &"my-instance-proxy".into())
    );
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn one_of_several_groups_that_lets_out_is_enough() {
    let world = || {
        let mut world = newcomer();
        close(&mut world, "app-functions");
        place(&mut world, "DBAppFunction", &["app-functions", "billing-functions"]);
        let second = group(&world, "my-cluster-db");
        world.rds.instances.get_mut("my-instance").unwrap().groups.push(second);
        world
    };
    let id = group(&world(), "app-functions");
    let want = lawful(&world, &wish("my-instance")).await;
    let rules = want["ec2"]["groups"][&id]["rules"].as_object().unwrap();
    assert!(rules.values().all(|rule| rule["egress"] != true), "{rules:?}");
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn a_function_in_the_databases_own_group_is_let_in() {
    let world = || {
        let mut world = newcomer();
        place(&mut world, "DBAppFunction", &["my-instance-db"]);
        world
    };
    lawful(&world, &wish("my-instance")).await;
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: killed at every call"]
async fn an_endpoint_of_another_network_type_needs_its_subnets() {
    let mut spec = wish("my-instance");
    spec.network_type = Some(NetworkType::Dual);
    let bed = Bed::of(newcomer(), NEVER, false);
    let why = format!("{:?}", Box::pin(bed.survey(&spec)).await.unwrap_err());
    assert!(why.contains("no IPv6 block, which DUAL needs"), "{why}");
    let world = || {
        let mut world = newcomer();
        for (number, subnet) in world.ec2.subnets.values_mut().enumerate() {
            subnet.ipv6_cidr = Some(format!("2001:db8:0:{number}::/64"));
        }
        world
    };
    let want = lawful(&world, &spec).await;
    assert_eq!(want["rds"]["proxies"]["my-instance-proxy"]["endpoint_network_type"], "DUAL");
    // A later run that does not ask keeps it; one that asks for another is refused.
    let bed = Bed::of(world(), NEVER, false);
    assert!(matches!(bed.up(&spec).await, Fate::Done(_)));
    assert!(matches!(bed.up(&wish("my-instance")).await, Fate::Done(_)));
    spec.network_type = Some(NetworkType::Ipv4);
    let entries = Box::pin(bed.survey(&spec)).await.unwrap().entries();
    assert!(entries.iter().any(|entry| matches!(&entry.verdict, Verdict::Conflict(why) if why[0].contains("DUAL"))));
}

/// Keeps TCP to a port from leaving any subnet.
pub(crate) fn wall(world: &mut World, port: u16) {
    for acl in world.ec2.acls.values_mut() {
        let entry = AclEntry {
            number: 1,
            protocol: "6".to_owned(),
            allow: false,
            egress: true,
            cidr: "10.0.0.0/16".to_owned(),
            ports: Some((port, port)),
        };
        acl.entries.push(entry);
    }
}

#[tokio::test(start_paused = true)]
async fn an_acl_in_the_way_is_told_for_named_subnets_and_not_read_otherwise() {
    let mut world = newcomer();
    wall(&mut world, 3306);
    let mut spec = wish("my-instance");
    let subnets = &world.rds.subnet_groups["private"].subnets;
    spec.subnets = subnets.iter().take(2).cloned().collect();
    let warnings = async |world: World, spec| {
        let bed = Bed::of(world, NEVER, false);
        let survey = Box::pin(bed.survey(&spec)).await.unwrap();
        let read = bed.actions(0).iter().any(|action| action == "DescribeNetworkAcls");
        (read, survey.database.warnings.join("\n"))
    };
    let (read, told) = warnings(world.clone(), spec.clone()).await;
    assert!(read && told.contains("network ACL") && told.contains("port 3306"), "{told}");
    let (_, told) = warnings(newcomer(), spec).await;
    assert!(!told.contains("network ACL"), "{told}");
    let (read, _) = warnings(world, wish("my-instance")).await;
    assert!(!read);
}
