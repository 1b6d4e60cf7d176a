//! Laws of dashboards: names, bodies, lists.

use serde_json::{Value, json};

use super::*;
use crate::account::{Call, World};

fn body() -> String {
    json!({ "widgets": [{ "type": "text", "x": 0, "y": 0, "width": 6, "height": 2, "properties": { "markdown": "hello" } }] }).to_string()
}

#[test]
fn a_dashboard_is_put_whole_shown_as_it_was_sent_listed_and_deleted() {
    let mut world = account();
    let put = |world: &mut World, name: &str, body: String| {
        run(world, "PutDashboard", json!({ "DashboardName": name, "DashboardBody": body }))
    };
    assert_eq!(put(&mut world, "one", body()), Ok(json!({ "DashboardValidationMessages": [] })));
    put(&mut world, "two", json!({ "widgets": [] }).to_string()).unwrap();
    let shown = run(&mut world, "GetDashboard", json!({ "DashboardName": "one" })).unwrap();
    assert_eq!(shown["DashboardBody"], body());
    assert_eq!(shown["DashboardArn"], "arn:aws:cloudwatch::123456789012:dashboard/one");
    put(&mut world, "one", json!({ "widgets": [] }).to_string()).unwrap();
    let shown = run(&mut world, "GetDashboard", json!({ "DashboardName": "one" })).unwrap();
    assert_eq!(shown["DashboardBody"], r#"{"widgets":[]}"#);
    let listed = run(&mut world, "ListDashboards", json!({ "DashboardNamePrefix": "t" })).unwrap();
    assert_eq!(listed["DashboardEntries"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["DashboardEntries"][0]["Size"], 14);
    // As many as possible go before the error.
    let names = json!({ "DashboardNames": ["none", "one"] });
    assert_eq!(run(&mut world, "DeleteDashboards", names), Err("DashboardNotFoundError".into()));
    assert_eq!(world.monitoring.dashboards.keys().collect::<Vec<_>>(), ["two"]);
    assert_eq!(run(&mut world, "DeleteDashboards", json!({ "DashboardNames": ["two"] })), Ok(json!({})));
    assert_eq!(
        run(&mut world, "GetDashboard", json!({ "DashboardName": "two" })),
        Err("DashboardNotFoundError".into())
    );
}

#[test]
fn a_dashboard_that_breaks_a_rule_is_refused() {
    let mut world = account();
    let refused = Err("InvalidParameterInput".into());
    for name in ["", "a b", "a.b", &"x".repeat(256)] {
        let asked = json!({ "DashboardName": name, "DashboardBody": body() });
        assert_eq!(run(&mut world, "PutDashboard", asked), refused, "{name}");
    }
    let bodies = [
        String::new(),
        "no".to_owned(),
        "[]".to_owned(),
        json!({ "widgets": [{ "type": "picture", "properties": {} }] }).to_string(),
        json!({ "widgets": [{ "type": "text" }] }).to_string(),
        json!({ "widgets": [{ "type": "metric", "properties": { "metrics": [] } }] }).to_string(),
    ];
    for body in bodies {
        let asked = json!({ "DashboardName": "a", "DashboardBody": body });
        assert_eq!(run(&mut world, "PutDashboard", asked), refused, "{body}");
    }
    assert!(world.monitoring.dashboards.is_empty());
}

#[test]
fn permissions_are_of_the_dashboard_which_has_no_region() {
    let world = account();
    let principal = Principal { arn: "arn:aws:iam::123456789012:user/u".into(), policies: None };
    let asked = |action: &str, input: Value| -> Vec<(String, String)> {
        let call = Call {
            service: Service::Monitoring,
            action: action.into(),
            input,
            principal: principal.clone(),
            now: Moment(0),
            ahead: 0,
        };
        needs(&world, &call).into_iter().map(|need| (need.action, need.resource)).collect()
    };
    let need =
        |action: &str| (format!("cloudwatch:{action}"), "arn:aws:cloudwatch::123456789012:dashboard/d".to_owned());
    assert_eq!(asked("PutDashboard", json!({ "DashboardName": "d" })), [need("PutDashboard")]);
    assert_eq!(asked("GetDashboard", json!({ "DashboardName": "d" })), [need("GetDashboard")]);
    assert_eq!(asked("DeleteDashboards", json!({ "DashboardNames": ["d"] })), [need("DeleteDashboards")]);
}
