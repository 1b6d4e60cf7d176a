//! The dashboard of a proxy: its body, as CloudWatch takes it.
//!
//! The structure is AWS's
//! (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>).

use serde_json::{Value, json};

use crate::alarms::NAMESPACE;

/// What a dashboard of a stack is called. Dashboards are of the whole account, so the name carries the Region.
#[must_use]
pub fn name(stack: &str, region: &str) -> String {
    format!("rdsproxy-setup-{stack}-{region}")
}

/// What a dashboard of ours begins with: "a good practice is to add a text widget at the top of the dashboard with a
/// message that the dashboard was created by script" (<https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutDashboard.html>). It
/// is what proves that the dashboard is the stack's.
#[must_use]
pub fn marker(stack: &str, region: &str) -> String {
    format!(
        "**{stack}** in {region}. rdsproxy-setup created this dashboard for the stack {stack}; changes made here are overwritten \
         by `rdsproxy-setup alarms --dashboard`."
    )
}

/// Whether a body is that of the stack's own dashboard.
#[must_use]
pub fn is_ours(body: &str, stack: &str, region: &str) -> bool {
    let Ok(body) = serde_json::from_str::<Value>(body) else { return false };
    let widgets = body.get("widgets").and_then(Value::as_array);
    let texts = widgets.into_iter().flatten().filter_map(|widget| widget.pointer("/properties/markdown")?.as_str());
    let marker = marker(stack, region);
    texts.into_iter().any(|text| text == marker)
}

/// Whether two bodies show the same.
#[must_use]
pub fn same(one: &str, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<Value>(text).ok();
    read(one).is_some_and(|one| Some(one) == read(other))
}

/// A widget's graph of a proxy's metrics: title, unit, statistic, metrics with their labels.
struct Graph {
    title: &'static str,
    unit: &'static str,
    statistic: &'static str,
    metrics: &'static [(&'static str, &'static str)],
}

const GRAPHS: [Graph; 8] = [
    Graph {
        title: "Connections to the database",
        unit: "connections",
        statistic: "Sum",
        metrics: &[
            ("DatabaseConnections", "open"),
            ("DatabaseConnectionsCurrentlyBorrowed", "in use"),
            ("DatabaseConnectionsCurrentlySessionPinned", "pinned"),
            ("MaxDatabaseConnectionsAllowed", "the most"),
        ],
    },
    Graph { title: "Clients", unit: "connections", statistic: "Sum", metrics: &[("ClientConnections", "connected")] },
    Graph {
        title: "Waiting for a connection",
        unit: "microseconds",
        statistic: "Average",
        metrics: &[("DatabaseConnectionsBorrowLatency", "mean")],
    },
    Graph {
        title: "Latency of queries",
        unit: "microseconds",
        statistic: "Average",
        metrics: &[("QueryResponseLatency", "at the proxy"), ("QueryDatabaseResponseLatency", "of the database")],
    },
    Graph { title: "Queries", unit: "a minute", statistic: "Sum", metrics: &[("QueryRequests", "queries")] },
    Graph {
        title: "New connections of clients",
        unit: "a minute",
        statistic: "Sum",
        metrics: &[("ClientConnectionsSetupSucceeded", "logged in"), ("ClientConnectionsSetupFailedAuth", "refused")],
    },
    Graph {
        title: "New connections to the database",
        unit: "a minute",
        statistic: "Sum",
        metrics: &[("DatabaseConnectionsSetupSucceeded", "opened"), ("DatabaseConnectionsSetupFailed", "failed")],
    },
    Graph {
        title: "Requests to the database",
        unit: "a minute",
        statistic: "Sum",
        metrics: &[("DatabaseConnectionRequests", "all"), ("DatabaseConnectionRequestsWithTLS", "with TLS")],
    },
];

/// The body of a stack's dashboard, with the state of these alarms.
#[must_use]
pub fn body(stack: &str, region: &str, role: Option<&str>, alarms: &[String]) -> String {
    let text = json!({
        "type": "text", "x": 0, "y": 0, "width": 24, "height": 2, "properties": { "markdown": marker(stack, region) },
    });
    let mut widgets = vec![text];
    let mut top = 2;
    if !alarms.is_empty() {
        let properties = json!({ "title": "Alarms", "alarms": alarms });
        widgets.push(json!({ "type": "alarm", "x": 0, "y": top, "width": 24, "height": 3, "properties": properties }));
        top += 3;
    }
    let graph = |title: &str, unit: &str, statistic: &str, metrics: Vec<Value>, place: usize| {
        json!({
            "type": "metric", "x": place % 2 * 12, "y": top + place / 2 * 6, "width": 12, "height": 6,
            "properties": {
                "title": title, "region": region, "view": "timeSeries", "stat": statistic, "period": 60, "metrics": metrics,
                "yAxis": { "left": { "min": 0, "label": unit, "showUnits": false } },
            },
        })
    };
    for (place, one) in GRAPHS.iter().enumerate() {
        let row = |(metric, label): &(&str, &str)| json!([NAMESPACE, metric, "ProxyName", stack, { "label": label }]);
        let metrics = one.metrics.iter().map(row).collect();
        widgets.push(graph(one.title, one.unit, one.statistic, metrics, place));
    }
    if let Some(role) = role {
        let of = ["ProxyName", stack, "TargetGroup", "default", "TargetRole", role];
        let mut row = vec![json!(NAMESPACE), json!("AvailabilityPercentage")];
        row.extend(of.iter().map(|text| json!(text)));
        row.push(json!({ "label": "health checks that succeed" }));
        widgets.push(graph("Availability", "percent", "Average", vec![Value::Array(row)], GRAPHS.len()));
    }
    json!({ "widgets": widgets }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dashboard_shows_whose_it_is_and_nothing_overlaps() {
        let alarms = ["arn:aws:cloudwatch:eu-central-1:123456789012:alarm:rdsproxy-setup/p/pool".to_owned()];
        let text = body("p", "eu-central-1", Some("READWRITE"), &alarms);
        assert!(is_ours(&text, "p", "eu-central-1"));
        assert!(
            !is_ours(&text, "other", "eu-central-1") && !is_ours(&text, "p", "eu-west-1") && !is_ours("no", "p", "x")
        );
        let parsed: Value = serde_json::from_str(&text).unwrap();
        let widgets = parsed["widgets"].as_array().unwrap();
        assert_eq!(widgets.len(), 11);
        let number = |widget: &Value, key: &str| widget[key].as_u64().unwrap();
        for (at, one) in widgets.iter().enumerate() {
            assert!(number(one, "x") + number(one, "width") <= 24);
            for other in &widgets[at + 1..] {
                let apart = |from: &str, size: &str| {
                    number(one, from) + number(one, size) <= number(other, from)
                        || number(other, from) + number(other, size) <= number(one, from)
                };
                assert!(apart("x", "width") || apart("y", "height"), "{one} {other}");
            }
        }
    }

    #[test]
    fn bodies_are_compared_by_what_they_say() {
        assert!(same(r#"{"a": 1, "b": [2]}"#, r#"{"b":[2],"a":1}"#));
        assert!(!same(r#"{"a": 1}"#, r#"{"a": 2}"#) && !same("no", "no"));
    }
}
