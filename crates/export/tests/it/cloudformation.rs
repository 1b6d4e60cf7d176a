//! What the templates of a known stack say.

use export::cloudformation;
use serde_json::{Value, json};

use crate::sample;

fn read(name: &str) -> Value {
    let files = cloudformation(&sample::whole()).unwrap();
    serde_json::from_str(&files.iter().find(|file| file.name == name).unwrap().text).unwrap()
}

#[test]
fn the_target_group_is_in_the_second_template_alone_and_registers_nothing() {
    assert!(!read("template.json").to_string().contains("DBProxyTargetGroup"));
    let group = &read("pool.json")["Resources"]["TargetGroup"];
    assert_eq!(group["Type"], "AWS::RDS::DBProxyTargetGroup");
    assert_eq!(group["Properties"]["ConnectionPoolConfigurationInfo"]["MaxConnectionsPercent"], 60);
    assert!(group["Properties"].get("DBClusterIdentifiers").is_none());
}

#[test]
fn everything_that_is_imported_stays_when_the_stack_goes() {
    for (id, resource) in read("pool.json")["Resources"].as_object().unwrap() {
        assert_eq!(
            (&resource["DeletionPolicy"], &resource["UpdateReplacePolicy"]),
            (&json!("Retain"), &json!("Retain")),
            "{id}"
        );
    }
}

#[test]
fn the_mark_of_the_hand_over_is_among_the_tags() {
    let tags = read("template.json")["Resources"]["Proxy"]["Properties"]["Tags"].clone();
    assert!(tags.as_array().unwrap().contains(&json!({"Key": "rdsproxy-setup:handed-over", "Value": "yes"})));
}

#[test]
fn the_template_for_elsewhere_holds_no_id_of_this_account() {
    let text = read("stackset.json").to_string();
    for id in ["123456789012", "vpc-0", "sg-0", "subnet-0", "prx-", "rds!cluster"] {
        assert!(!text.contains(id), "{id}: {text}");
    }
    assert_eq!(read("stackset.json")["Parameters"]["DatabasePort"]["Default"], 5433);
}

#[test]
fn no_template_holds_a_secret_value() {
    for file in cloudformation(&sample::whole()).unwrap() {
        assert!(!file.text.contains("SecretString"), "{}", file.name);
    }
}
