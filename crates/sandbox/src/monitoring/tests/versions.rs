//! Laws of metrics by version, for a weighted alias.

use super::*;

/// The dimensions of AWS's example of alarms on a shift.
fn executed(version: &str) -> Value {
    json!([
        { "Name": "FunctionName", "Value": "OrdersFunction" },
        { "Name": "Resource", "Value": "OrdersFunction:live" },
        { "Name": "ExecutedVersion", "Value": version },
    ])
}

/// The sample account, whose alias gave a second version a third for an hour and then all.
fn shifted() -> World {
    let mut world = account();
    let function = world.lambda.functions.remove("OrdersFunction").unwrap().with_version();
    world.lambda.functions.insert("OrdersFunction".into(), function);
    let mut point = |version: &str, weights: &[(&str, f64)]| {
        let alias = world.lambda.functions.get_mut("OrdersFunction").unwrap().aliases.get_mut("live").unwrap();
        version.clone_into(&mut alias.version);
        alias.weights = weights.iter().map(|(version, weight)| ((*version).to_owned(), *weight)).collect();
        world.tick(world.now);
        world.tick(Moment(world.now.0 + 3_600_000));
    };
    point("1", &[("2", 0.3)]);
    point("2", &[]);
    world
}

#[test]
fn both_versions_of_a_weighted_alias_are_listed_and_read() {
    let mut world = shifted();
    let of_version = json!({ "Dimensions": [{ "Name": "ExecutedVersion" }], "Namespace": "AWS/Lambda" });
    let mut listed = listed(&mut world, of_version);
    listed.sort();
    let mut want = Vec::new();
    for name in ["ConcurrentExecutions", "Duration", "Errors", "Invocations", "Throttles"] {
        for version in ["1", "2"] {
            want.push(format!(
                "{name} FunctionName=OrdersFunction,Resource=OrdersFunction:live,ExecutedVersion={version}"
            ));
        }
    }
    assert_eq!(listed, want);
    let of = |id: &str, dimensions: Value| {
        let metric = json!({ "Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": dimensions });
        json!({ "Id": id, "MetricStat": { "Metric": metric, "Period": 60, "Stat": "Sum" } })
    };
    let alias: Value = executed("1").as_array().unwrap()[..2].to_vec().into();
    let queries = json!([of("m1", executed("1")), of("m2", executed("2")), of("m3", alias), of("m4", executed("3"))]);
    let answer = data(&mut world, 3 * 3600, &queries).unwrap();
    let sum = |at: usize| values(&answer, at).iter().sum::<f64>();
    let share = sum(1) / (sum(0) + sum(1));
    assert!((0.27..0.33).contains(&share), "{share}");
    assert_eq!(values(&answer, 0).len(), 60, "none before the weights and none after them");
    assert!(values(&answer, 2).len() > 170 && sum(2) > 2.0 * (sum(0) + sum(1)), "the alias has metrics all the time");
    assert_eq!(values(&answer, 3), [0.0; 0]);
}

#[test]
fn an_alarm_may_be_about_one_version() {
    let mut world = shifted();
    let alias = world.lambda.functions.get_mut("OrdersFunction").unwrap().aliases.get_mut("live").unwrap();
    alias.weights = BTreeMap::from([("1".to_owned(), 0.5)]);
    world.tick(world.now);
    for version in ["1", "3"] {
        let alarm = json!({
            "AlarmName": version, "Namespace": "AWS/Lambda", "MetricName": "Invocations", "Statistic": "Sum", "Period": 60,
            "Dimensions": executed(version), "EvaluationPeriods": 3, "Threshold": 1.0,
            "ComparisonOperator": "GreaterThanThreshold",
        });
        run(&mut world, "PutMetricAlarm", alarm).unwrap();
    }
    world.tick(Moment(world.now.0 + 900_000));
    let shown = run(&mut world, "DescribeAlarms", json!({})).unwrap();
    let states: Vec<&Value> = shown["MetricAlarms"].as_array().unwrap().iter().map(|row| &row["StateValue"]).collect();
    assert_eq!(states, ["ALARM", "INSUFFICIENT_DATA"]);
}
