//! Plans show where each variable leads before and after: hosts and ports, and nothing else of its value.

use serde_json::{Value, json};

use crate::desk::{Desk, Shown};

const SECRET: &str = "geheim";

/// `my-instance` on a port of its own, and a function that knows it by two variables and by a URL.
fn desk() -> (Desk, String) {
    let desk = Desk::new();
    let mut host = String::new();
    desk.change(|world| {
        let instance = world.rds.instances.get_mut("my-instance").unwrap();
        instance.port = 3307;
        host.clone_from(&instance.endpoint);
        let url = format!("mysql://admin:{SECRET}@{host}:3307/app?token={SECRET}");
        let variables = [("DB_HOST", host.clone()), ("DB_PORT", "3307".to_owned()), ("DATABASE_URL", url)];
        let function = world.lambda.functions.get_mut("DBAppFunction").unwrap();
        function.latest.environment = Some(variables.map(|(name, value)| (name.to_owned(), value)).into());
    });
    (desk, host)
}

fn up(desk: &Desk, more: &[&str]) -> Shown {
    let all = ["up", "--db", "my-instance", "--client-auth", "password", "--function", "DBAppFunction"];
    desk.run(&[&all[..], more].concat())
}

/// What a plan says of one function, without what stands left of it.
fn rows(text: &str, first: &str, count: usize) -> Vec<String> {
    let rows = text.lines().skip_while(|line| !line.ends_with(first)).skip(1).take(count);
    rows.map(|row| row.trim().to_owned()).collect()
}

#[test]
fn plans_show_where_each_variable_leads() {
    let (desk, host) = desk();
    let plan = up(&desk, &["--dry-run"]);
    let proxy = "my-instance-proxy.proxy-….eu-central-1.rds.amazonaws.com";
    let expected = |from: (&str, u16), to: (&str, u16)| {
        [
            format!("DATABASE_URL: {}:{}", from.0, from.1),
            format!("-> {}:{}", to.0, to.1),
            format!("DB_HOST:      {}", from.0),
            format!("-> {}", to.0),
            format!("DB_PORT:      {} -> {}", from.1, to.1),
        ]
    };
    assert_eq!(rows(&plan.stdout, "change DBAppFunction", 5), expected((&host, 3307), (proxy, 3306)), "{plan}");
    let plan = up(&desk, &["--dry-run", "--output", "json"]);
    let document: Value = serde_json::from_str(&plan.stdout).unwrap();
    let variables = |host: (&str, u16), proxy: (&str, u16)| {
        let one = |variable: &str, from: String, to: String| json!({"function": "DBAppFunction", "variable": variable, "from": from, "to": to});
        let with = |(host, port): (&str, u16)| format!("{host}:{port}");
        json!([
            one("DATABASE_URL", with(host), with(proxy)),
            one("DB_HOST", host.0.to_owned(), proxy.0.to_owned()),
            one("DB_PORT", host.1.to_string(), proxy.1.to_string()),
        ])
    };
    assert_eq!(document["plan"][12]["variables"], variables((&host, 3307), (proxy, 3306)), "{plan}");
    assert!(!plan.to_string().contains(SECRET), "{plan}");

    let done = up(&desk, &["--yes", "--timeout", "12h"]);
    assert_eq!(done.code, Some(0), "{done}");
    let document: Value = serde_json::from_str(&up(&desk, &["--dry-run", "--output", "json"]).stdout).unwrap();
    assert_eq!(document["plan"][12]["variables"], json!([]));
    let proxy = desk.store().world().unwrap().rds.proxies["my-instance-proxy"].endpoint.clone();
    // A copy of the account shows the same plan for people.
    let text = desk.run(&["teardown", "--db", "my-instance"]);
    assert_eq!(text.code, Some(4), "{text}");
    let world = desk.store().world().unwrap();
    let gone = desk.run(&["teardown", "--db", "my-instance", "--yes"]);
    let put_back = "restore DATABASE_URL, DB_HOST, DB_PORT";
    assert_eq!(rows(&gone.stderr, put_back, 5), expected((&proxy, 3306), (&host, 3307)), "{gone}");
    assert!(!gone.to_string().contains(SECRET), "{gone}");
    desk.change(|now| *now = world);
    let gone = desk.run(&["teardown", "--db", "my-instance", "--yes", "--output", "json"]);
    let document: Value = serde_json::from_str(&gone.stdout).unwrap();
    assert_eq!(document["changes"][0]["variables"], variables((&proxy, 3306), (&host, 3307)), "{gone}");
    assert_eq!(document["changes"][1]["variables"], json!([]), "{gone}");
    assert!(!gone.to_string().contains(SECRET), "{gone}");
}
