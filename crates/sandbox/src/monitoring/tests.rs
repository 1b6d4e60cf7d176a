//! Laws of metrics: periods, lag, paging, labels.

#![expect(clippy::float_cmp, reason = "sums and maxima of whole numbers")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::account::{Call, Moment, Principal, Service, World};

mod alarms;
mod dashboards;
mod protocols;
mod versions;

/// A caller whose calendar is so many milliseconds ahead of the account's.
const AHEAD: i64 = 1_000_000_000;

const DAY: u64 = 86_400_000;

fn run(world: &mut World, action: &str, input: Value) -> Result<Value, String> {
    let principal = Principal { arn: "arn:aws:iam::123456789012:user/u".into(), policies: None };
    let now = world.now;
    let call = Call { service: Service::Monitoring, action: action.into(), input, principal, now, ahead: AHEAD };
    handle(world, &call).map_err(|error| error.code)
}

/// The sample account at noon of its second day.
fn account() -> World {
    let mut world = World::newcomer();
    world.tick(Moment(DAY * 3 / 2));
    world
}

/// Seconds by the caller's calendar, so many before now.
fn ago(world: &World, seconds: i64) -> i64 {
    (world.now.unix_signed() + AHEAD) / 1000 - seconds
}

fn query(id: &str, name: &str, function: &str, stat: &str, period: i64) -> Value {
    let metric = json!({
        "Namespace": "AWS/Lambda", "MetricName": name, "Dimensions": [{ "Name": "FunctionName", "Value": function }],
    });
    json!({ "Id": id, "MetricStat": { "Metric": metric, "Period": period, "Stat": stat } })
}

fn data(world: &mut World, seconds: i64, queries: &Value) -> Result<Value, String> {
    let (start, end) = (ago(world, seconds), ago(world, 0));
    run(world, "GetMetricData", json!({ "StartTime": start, "EndTime": end, "MetricDataQueries": queries }))
}

fn values(answer: &Value, at: usize) -> Vec<f64> {
    let values = answer["MetricDataResults"][at]["Values"].as_array().unwrap();
    values.iter().map(|value| value.as_f64().unwrap()).collect()
}

/// Milliseconds of the timestamps of a result.
fn moments(answer: &Value, at: usize) -> Vec<i64> {
    let moments = answer["MetricDataResults"][at]["Timestamps"].as_array().unwrap();
    moments.iter().map(|at| at.as_str().unwrap().strip_prefix("~at:").unwrap().parse().unwrap()).collect()
}

#[test]
fn a_metric_is_read_by_the_callers_calendar_newest_first_and_without_the_last_two_minutes() {
    let mut world = account();
    let queries = json!([query("m1", "Invocations", "DBAppFunction", "Sum", 60)]);
    let answer = data(&mut world, 600, &queries).unwrap();
    let times = moments(&answer, 0);
    assert_eq!(times.first(), Some(&(ago(&world, 180) / 60 * 60 * 1000)));
    assert!(times.windows(2).all(|pair| pair[0] - pair[1] == 60_000));
    assert_eq!(answer["MetricDataResults"][0]["Label"], "Invocations");
    assert_eq!(answer["MetricDataResults"][0]["StatusCode"], "Complete");
    let ascending = json!({
        "StartTime": ago(&world, 600), "EndTime": ago(&world, 0), "MetricDataQueries": queries, "ScanBy": "TimestampAscending",
    });
    let ascending = run(&mut world, "GetMetricData", ascending).unwrap();
    assert_eq!(moments(&ascending, 0), times.into_iter().rev().collect::<Vec<_>>());
}

#[test]
fn sums_of_minutes_are_the_sum_of_their_hour_and_maxima_its_maximum() {
    let mut world = account();
    let of = |stat: &str, period: i64| query("m1", "Invocations", "DBAppFunction", stat, period);
    let (start, end) = (ago(&world, 7200), ago(&world, 3600));
    let mut read = |query: Value| {
        let input = json!({ "StartTime": start, "EndTime": end, "MetricDataQueries": [query] });
        values(&run(&mut world, "GetMetricData", input).unwrap(), 0)
    };
    let minutes = read(of("Sum", 60));
    assert_eq!(minutes.len(), 60);
    assert_eq!(read(of("Sum", 3600)), [minutes.iter().sum::<f64>()]);
    assert_eq!(read(of("SampleCount", 3600)), [minutes.iter().sum::<f64>()]);
    let peaks = read(query("m1", "ConcurrentExecutions", "DBAppFunction", "Maximum", 60));
    let peak = read(query("m1", "ConcurrentExecutions", "DBAppFunction", "Maximum", 3600));
    assert_eq!(peak, [peaks.into_iter().fold(0.0, f64::max)]);
}

#[test]
fn expressions_stand_on_other_queries_and_hidden_ones_are_not_answered() {
    let mut world = account();
    let mut hidden = query("m1", "Invocations", "DBAppFunction", "Sum", 300);
    hidden["ReturnData"] = json!(false);
    let ratio = json!({ "Id": "e1", "Expression": "e2 / 2", "Label": "half" });
    let queries = json!([ratio, hidden, { "Id": "e2", "Expression": "m1 * 1" }]);
    let answer = data(&mut world, 1800, &queries).unwrap();
    let ids: Vec<&str> =
        answer["MetricDataResults"].as_array().unwrap().iter().map(|row| row["Id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["e1", "e2"]);
    assert_eq!(answer["MetricDataResults"][0]["Label"], "half");
    let (half, whole) = (values(&answer, 0), values(&answer, 1));
    assert!(!whole.is_empty() && half.iter().zip(&whole).all(|(half, whole)| half * 2.0 == *whole));
}

#[test]
fn a_metric_that_is_not_there_is_empty_and_no_error() {
    let mut world = account();
    let queries =
        json!([query("m1", "Invocations", "Nobody", "Sum", 60), query("m2", "Nothing", "DBAppFunction", "Sum", 60)]);
    let answer = data(&mut world, 600, &queries).unwrap();
    for at in 0..2 {
        assert_eq!(values(&answer, at), [0.0; 0]);
        assert_eq!(answer["MetricDataResults"][at]["StatusCode"], "Complete");
    }
}

#[test]
fn a_call_that_breaks_a_rule_is_refused() {
    let mut world = account();
    let of = |stat: &str, period: i64| query("m1", "Invocations", "DBAppFunction", stat, period);
    let day = 86_400;
    let many: Vec<Value> =
        (0..501).map(|n| query(&format!("m{n}"), "Invocations", "DBAppFunction", "Sum", 60)).collect();
    let mut both = of("Sum", 60);
    both["Expression"] = json!("1");
    for (seconds, queries) in [
        (600, json!([of("Sum", 61)])),
        (600, json!([of("Middle", 60)])),
        (600, json!([of("Sum", 60), of("Sum", 60)])),
        (600, json!([query("M1", "Invocations", "DBAppFunction", "Sum", 60)])),
        (600, json!([{ "Id": "e1", "Expression": "m9 + 1" }])),
        (600, json!([{ "Id": "e1", "Expression": "e2" }, { "Id": "e2", "Expression": "e1" }])),
        (600, json!([both])),
        (600, json!(many)),
        (600, json!([])),
        (0, json!([of("Sum", 60)])),
        (16 * day, json!([of("Sum", 60)])),
        (64 * day, json!([of("Sum", 300)])),
    ] {
        assert_eq!(data(&mut world, seconds, &queries), Err("ValidationError".into()), "{seconds} {queries}");
    }
    assert!(data(&mut world, 16 * day, &json!([of("Sum", 300)])).is_ok());
    let missing = json!({ "EndTime": 1, "MetricDataQueries": [of("Sum", 60)] });
    assert_eq!(run(&mut world, "GetMetricData", missing), Err("MissingParameter".into()));
}

#[test]
fn pages_hold_every_point_once() {
    let mut world = account();
    let queries = json!([
        query("m1", "Invocations", "DBAppFunction", "Sum", 60),
        query("m2", "Duration", "OrdersFunction", "Average", 60),
    ]);
    let whole = data(&mut world, 3600, &queries).unwrap();
    let (mut found, mut next) = (BTreeMap::<String, Vec<f64>>::new(), Value::Null);
    loop {
        let input = json!({
            "StartTime": ago(&world, 3600), "EndTime": ago(&world, 0), "MetricDataQueries": queries, "MaxDatapoints": 25,
            "NextToken": next,
        });
        let page = run(&mut world, "GetMetricData", input).unwrap();
        let rows = page["MetricDataResults"].as_array().unwrap();
        let mut count = 0;
        for (at, row) in rows.iter().enumerate() {
            count += values(&page, at).len();
            found.entry(row["Id"].as_str().unwrap().to_owned()).or_default().extend(values(&page, at));
        }
        assert!(count <= 25);
        next = page["NextToken"].clone();
        if next.is_null() {
            break;
        }
    }
    assert_eq!(found["m1"], values(&whole, 0));
    assert_eq!(found["m2"], values(&whole, 1));
    let token = json!({ "StartTime": ago(&world, 600), "EndTime": ago(&world, 0), "MetricDataQueries": queries, "NextToken": "x" });
    assert_eq!(run(&mut world, "GetMetricData", token), Err("InvalidNextToken".into()));
}

#[test]
fn statistics_are_the_same_as_data_and_limited_to_1440_points() {
    let mut world = account();
    let dimensions = json!([{ "Name": "DBInstanceIdentifier", "Value": "my-instance" }]);
    let mut ask = json!({
        "Namespace": "AWS/RDS", "MetricName": "DatabaseConnections", "Dimensions": dimensions, "Period": 300,
        "StartTime": ago(&world, 86_400), "EndTime": ago(&world, 600), "Statistics": ["Maximum", "SampleCount"],
        "ExtendedStatistics": ["p50"],
    });
    let answer = run(&mut world, "GetMetricStatistics", ask.clone()).unwrap();
    let points = answer["Datapoints"].as_array().unwrap();
    assert_eq!(points.len(), 286);
    assert!(
        points.iter().all(|point| point["SampleCount"] == 5.0
            && point["Unit"] == "Count"
            && point["Maximum"].as_f64() > Some(0.0))
    );
    assert!(points[0]["ExtendedStatistics"]["p50"].as_f64() <= points[0]["Maximum"].as_f64());
    ask["Period"] = json!(60);
    ask["StartTime"] = json!(ago(&world, 2 * 86_400));
    assert_eq!(run(&mut world, "GetMetricStatistics", ask.clone()), Err("InvalidParameterCombination".into()));
    ask["Period"] = json!(300);
    ask["Statistics"] = json!([]);
    ask["ExtendedStatistics"] = json!([]);
    assert_eq!(run(&mut world, "GetMetricStatistics", ask), Err("MissingParameter".into()));
}

/// The metrics that a list names, as texts.
fn listed(world: &mut World, input: Value) -> Vec<String> {
    let answer = run(world, "ListMetrics", input).unwrap();
    let named = |metric: &Value| {
        let dimensions: Vec<String> = metric["Dimensions"]
            .as_array()
            .unwrap()
            .iter()
            .map(|each| format!("{}={}", each["Name"].as_str().unwrap(), each["Value"].as_str().unwrap()))
            .collect();
        format!("{} {}", metric["MetricName"].as_str().unwrap(), dimensions.join(","))
    };
    answer["Metrics"].as_array().unwrap().iter().map(named).collect()
}

#[test]
fn metrics_are_listed_by_namespace_name_and_dimensions_and_only_where_there_is_data() {
    let mut world = account();
    let all = listed(&mut world, json!({ "Namespace": "AWS/RDS", "MetricName": "DatabaseConnections" }));
    for wanted in [
        "DBInstanceIdentifier=my-instance",
        "DBClusterIdentifier=my-cluster",
        "DBClusterIdentifier=my-cluster,Role=WRITER",
        "DBClusterIdentifier=my-cluster,Role=READER",
    ] {
        assert!(all.contains(&format!("DatabaseConnections {wanted}")), "{wanted} of {all:?}");
    }
    let of_function =
        json!({ "Dimensions": [{ "Name": "FunctionName", "Value": "OrdersFunction" }], "MetricName": "Invocations" });
    assert_eq!(
        listed(&mut world, of_function),
        [
            "Invocations FunctionName=OrdersFunction",
            "Invocations FunctionName=OrdersFunction,Resource=OrdersFunction:live"
        ]
    );
    assert!(listed(&mut world, json!({ "MetricName": "ProvisionedConcurrentExecutions" })).is_empty());
    assert!(
        listed(&mut world, json!({ "MetricName": "Invocations" })).contains(&"Invocations ".to_owned()),
        "the account's own"
    );
    let mut empty = World::empty();
    assert!(listed(&mut empty, json!({})).is_empty());
}

#[test]
fn a_cluster_is_its_instances_together() {
    let mut world = account();
    let of = |dimensions: Value, stat: &str| {
        let metric = json!({ "Namespace": "AWS/RDS", "MetricName": "DatabaseConnections", "Dimensions": dimensions });
        json!({ "Id": "m1", "MetricStat": { "Metric": metric, "Period": 60, "Stat": stat } })
    };
    let mut sum =
        |dimensions: Value, stat: &str| values(&data(&mut world, 240, &json!([of(dimensions, stat)])).unwrap(), 0);
    let instance = |name: &str| json!([{ "Name": "DBInstanceIdentifier", "Value": name }]);
    let cluster = json!([{ "Name": "DBClusterIdentifier", "Value": "my-cluster" }]);
    let (writer, reader) = (sum(instance("my-cluster-writer"), "Sum"), sum(instance("my-cluster-reader"), "Sum"));
    assert_eq!(
        sum(cluster.clone(), "Sum"),
        writer.iter().zip(&reader).map(|(one, other)| one + other).collect::<Vec<_>>()
    );
    assert!(sum(cluster, "SampleCount").iter().all(|count| *count == 2.0));
}

#[test]
fn an_instance_has_no_metrics_before_it_was_created() {
    let mut world = account();
    let created = Moment(world.now.0 - 600_000);
    world.loads.created.insert("my-instance".into(), created);
    let metric = json!({
        "Namespace": "AWS/RDS", "MetricName": "CPUUtilization",
        "Dimensions": [{ "Name": "DBInstanceIdentifier", "Value": "my-instance" }],
    });
    let queries = json!([{ "Id": "m1", "MetricStat": { "Metric": metric, "Period": 60, "Stat": "Average" } }]);
    let answer = data(&mut world, 86_400, &queries).unwrap();
    assert!((7..=9).contains(&values(&answer, 0).len()), "{answer}");
}
