//! Laws of alarms: states, rules, tags.

use serde_json::{Value, json};

use super::*;
use crate::account::World;
use crate::load::{Load, Rate};

fn alarm(name: &str, threshold: f64) -> Value {
    json!({
        "AlarmName": name, "Namespace": "AWS/Lambda", "MetricName": "Invocations", "Statistic": "Sum", "Period": 60,
        "Dimensions": [{ "Name": "FunctionName", "Value": "DBAppFunction" }], "EvaluationPeriods": 3, "DatapointsToAlarm": 2,
        "Threshold": threshold, "ComparisonOperator": "GreaterThanThreshold", "Tags": [{ "Key": "a", "Value": "1" }],
    })
}

#[test]
fn an_alarm_is_first_without_data_and_then_what_its_metric_says() {
    let mut world = account();
    assert_eq!(run(&mut world, "PutMetricAlarm", alarm("high", 1.0)), Ok(Value::Null));
    assert_eq!(run(&mut world, "PutMetricAlarm", alarm("low", 1e9)), Ok(Value::Null));
    let mut silent = alarm("silent", 1.0);
    silent["Dimensions"][0]["Value"] = json!("Nobody");
    run(&mut world, "PutMetricAlarm", silent.clone()).unwrap();
    silent["AlarmName"] = json!("quiet");
    silent["TreatMissingData"] = json!("notBreaching");
    run(&mut world, "PutMetricAlarm", silent).unwrap();
    let states = |world: &mut World| -> Vec<String> {
        let answer = run(world, "DescribeAlarms", json!({})).unwrap();
        answer["MetricAlarms"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| row["StateValue"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(states(&mut world), ["INSUFFICIENT_DATA"; 4]);
    world.tick(Moment(world.now.0 + 60_000));
    assert_eq!(states(&mut world), ["ALARM", "OK", "OK", "INSUFFICIENT_DATA"]);
    // What changes the load changes the state.
    world.set_load("DBAppFunction", Load { rate: Rate::Constant(0.0), ..Load::default() });
    world.tick(Moment(world.now.0 + 600_000));
    assert_eq!(states(&mut world)[0], "INSUFFICIENT_DATA");
}

#[test]
fn an_alarm_may_compute_with_several_metrics() {
    let mut world = account();
    let mut both = query("m1", "Errors", "DBAppFunction", "Sum", 60);
    both["ReturnData"] = json!(false);
    let mut all = query("m2", "Invocations", "DBAppFunction", "Sum", 60);
    all["ReturnData"] = json!(false);
    let alarm = json!({
        "AlarmName": "share", "Metrics": [both, all, { "Id": "e1", "Expression": "m1 / m2" }], "EvaluationPeriods": 2,
        "Threshold": 0.1, "ComparisonOperator": "GreaterThanOrEqualToThreshold",
    });
    run(&mut world, "PutMetricAlarm", alarm).unwrap();
    world.tick(Moment(world.now.0 + 60_000));
    let shown = run(&mut world, "DescribeAlarms", json!({ "AlarmNames": ["share"] })).unwrap();
    assert_eq!(shown["MetricAlarms"][0]["StateValue"], "OK", "{shown}");
}

#[test]
fn an_alarm_that_breaks_a_rule_is_refused() {
    let mut world = account();
    let changes: &[(&str, Value)] = &[
        ("Period", json!(61)),
        ("EvaluationPeriods", json!(1441)),
        ("EvaluationPeriods", json!(1)),
        ("ComparisonOperator", json!("Above")),
        ("TreatMissingData", json!("never")),
        ("Statistic", json!("Middle")),
        ("AlarmActions", json!(["topic"])),
        ("AlarmActions", json!(["arn:a", "arn:b", "arn:c", "arn:d", "arn:e", "arn:f"])),
        ("Metrics", json!([query("m1", "Errors", "DBAppFunction", "Sum", 60)])),
        ("Tags", json!([{ "Key": "aws:x", "Value": "" }])),
    ];
    for (member, value) in changes {
        let mut asked = alarm("a", 1.0);
        asked[*member] = value.clone();
        assert_eq!(run(&mut world, "PutMetricAlarm", asked), Err("ValidationError".into()), "{member} {value}");
    }
    for member in ["AlarmName", "EvaluationPeriods", "Namespace"] {
        let mut asked = alarm("a", 1.0);
        asked[member] = Value::Null;
        assert_eq!(run(&mut world, "PutMetricAlarm", asked), Err("MissingParameter".into()), "{member}");
    }
    assert!(world.monitoring.alarms.is_empty());
}

#[test]
fn alarms_are_tagged_at_creation_alone_found_by_name_and_deleted_all_or_none() {
    let mut world = account();
    let arn = "arn:aws:cloudwatch:eu-central-1:123456789012:alarm:one";
    run(&mut world, "PutMetricAlarm", alarm("one", 1.0)).unwrap();
    let mut again = alarm("one", 2.0);
    again["Tags"] = json!([{ "Key": "b", "Value": "2" }]);
    run(&mut world, "PutMetricAlarm", again).unwrap();
    let tags = |world: &mut World| run(world, "ListTagsForResource", json!({ "ResourceARN": arn })).unwrap();
    assert_eq!(tags(&mut world), json!({ "Tags": [{ "Key": "a", "Value": "1" }] }));
    run(&mut world, "TagResource", json!({ "ResourceARN": arn, "Tags": [{ "Key": "c", "Value": "3" }] })).unwrap();
    run(&mut world, "UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["a"] })).unwrap();
    assert_eq!(tags(&mut world), json!({ "Tags": [{ "Key": "c", "Value": "3" }] }));
    run(&mut world, "PutMetricAlarm", alarm("other", 1.0)).unwrap();
    let found = run(&mut world, "DescribeAlarms", json!({ "AlarmNamePrefix": "on" })).unwrap();
    assert_eq!(found["MetricAlarms"].as_array().map(Vec::len), Some(1));
    assert_eq!(found["MetricAlarms"][0]["Threshold"], 2.0);
    let page = run(&mut world, "DescribeAlarms", json!({ "MaxRecords": 1 })).unwrap();
    let rest = run(&mut world, "DescribeAlarms", json!({ "MaxRecords": 1, "NextToken": page["NextToken"] })).unwrap();
    assert_eq!(rest["MetricAlarms"][0]["AlarmName"], "other");
    assert_eq!(
        run(&mut world, "DeleteAlarms", json!({ "AlarmNames": ["one", "none"] })),
        Err("ResourceNotFound".into())
    );
    assert_eq!(world.monitoring.alarms.len(), 2);
    assert_eq!(run(&mut world, "DeleteAlarms", json!({ "AlarmNames": ["one", "other"] })), Ok(Value::Null));
    assert_eq!(
        run(&mut world, "ListTagsForResource", json!({ "ResourceARN": arn })),
        Err("ResourceNotFoundException".into())
    );
}

/// An alarm on more invocations than expected.
fn growth(name: &str, function: &str, width: f64) -> Value {
    json!({
        "AlarmName": name, "EvaluationPeriods": 2, "ComparisonOperator": "GreaterThanUpperThreshold", "ThresholdMetricId": "band",
        "Metrics": [
            query("m1", "Invocations", function, "Sum", 300),
            { "Id": "band", "Expression": format!("ANOMALY_DETECTION_BAND(m1, {width})") },
        ],
    })
}

#[test]
fn an_alarm_may_compare_with_a_band_of_what_is_expected() {
    let mut world = account();
    world.set_load_for_ever(
        "DBAppFunction",
        Load { rate: Rate::Daily { low: 1.0, high: 4.0, peak_hour: 12.0 }, ..Load::default() },
    );
    run(&mut world, "PutMetricAlarm", growth("grown", "DBAppFunction", 3.0)).unwrap();
    run(&mut world, "PutMetricAlarm", growth("nobody", "Nobody", 3.0)).unwrap();
    world.tick(Moment(world.now.0 + 60_000));
    let state = |world: &mut World, name: &str| {
        let shown = run(world, "DescribeAlarms", json!({ "AlarmNames": [name] })).unwrap();
        (shown["MetricAlarms"][0]["StateValue"].as_str().unwrap().to_owned(), shown["MetricAlarms"][0].clone())
    };
    let (now, shown) = state(&mut world, "grown");
    assert_eq!(now, "OK", "{shown}");
    assert_eq!(shown["ThresholdMetricId"], "band");
    assert!(shown.get("Threshold").is_none(), "{shown}");
    assert_eq!(state(&mut world, "nobody").0, "INSUFFICIENT_DATA");
    world.set_load("DBAppFunction", Load { rate: Rate::Constant(40.0), ..Load::default() });
    world.tick(Moment(world.now.0 + 1_200_000));
    let (now, shown) = state(&mut world, "grown");
    assert_eq!(now, "ALARM", "{shown}");
}

#[test]
fn an_alarm_with_a_band_that_breaks_a_rule_is_refused() {
    let mut world = account();
    let changes: &[(&str, Value)] = &[
        ("ThresholdMetricId", json!("m1")),
        ("ThresholdMetricId", json!("none")),
        ("ThresholdMetricId", Value::Null),
        ("Threshold", json!(1.0)),
        ("ComparisonOperator", json!("GreaterThanThreshold")),
    ];
    for (member, value) in changes {
        let mut asked = growth("a", "DBAppFunction", 2.0);
        asked[*member] = value.clone();
        assert_eq!(run(&mut world, "PutMetricAlarm", asked), Err("ValidationError".into()), "{member} {value}");
    }
    let mut hidden = growth("a", "DBAppFunction", 2.0);
    hidden["Metrics"][0]["ReturnData"] = json!(false);
    assert_eq!(run(&mut world, "PutMetricAlarm", hidden), Err("ValidationError".into()));
    assert!(world.monitoring.alarms.is_empty());
}
