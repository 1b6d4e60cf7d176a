//! Whatever is in a variable, a secret, a tag or a description, in whichever protocol and however encoded: no line
//! holds it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use proptest::prelude::*;
use recording::{Exchange, Line, Run, Tape, wire};
use serde_json::{Map, Value, json};

#[path = "../../../tests/recordings/wire.rs"]
#[expect(dead_code, reason = "forms alone are needed")]
mod questions;

/// A canary: long enough not to be there by chance, with marks of every kind in it.
fn canary() -> impl Strategy<Value = String> {
    "[a-z]{2}[0-9]{2}[A-Z]{3}[a-z0-9]{5,12}[!-~ äß]{0,12}"
}

/// The forms in which it may come, and in which it must not come out.
fn forms(canary: &str) -> Vec<String> {
    let hex = canary.bytes().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
    let escaped = |text: &str| {
        let quoted = Value::String(text.to_owned()).to_string();
        quoted[1..quoted.len() - 1].to_owned()
    };
    vec![
        canary.to_owned(),
        STANDARD.encode(canary),
        URL_SAFE_NO_PAD.encode(canary),
        utf8_percent_encode(canary, NON_ALPHANUMERIC).to_string(),
        escaped(canary),
        escaped(&escaped(canary)),
        hex,
        canary.chars().rev().collect(),
    ]
}

/// A value with a canary in it, as variables, secrets, tags and descriptions have them.
fn value(canary: &str, how: u8) -> String {
    let all = forms(canary);
    let one = &all[usize::from(how) % all.len()];
    match how / 8 % 6 {
        0 => one.clone(),
        1 => format!("mysql://app:{one}@shop.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com:3306/shop?x={one}"),
        2 => json!({ "password": one, "nested": { one.clone(): [one] } }).to_string(),
        3 => json!({ "inner": json!({ "password": one }).to_string() }).to_string(),
        4 => format!("{one}.rds.amazonaws.com {one} port 3306"),
        _ => STANDARD.encode(json!({ "password": one }).to_string()),
    }
}

/// Where people put things, in what AWS takes and answers.
fn places(held: &str, one: &str) -> Vec<(&'static str, &'static str, Value)> {
    let policy = json!({
        "Version": "2012-10-17", "Id": held,
        "Statement": [{ "Sid": held, "Effect": "Allow", "Action": ["rds-db:connect", held], "Principal": { "AWS": "*" },
            "Condition": { "StringEquals": { "aws:ResourceTag/team": held }, held.to_owned(): { "aws:x": held } }, "Extra": held }],
        one: held,
    });
    let tags = json!([{ "Key": "team", "Value": held, "Other": held }]);
    let function = json!({
        "FunctionName": "orders", "Description": held, "Tags": { "team": held }, "Layers": held, "Extra": { one: held },
        "Environment": { "Variables": { "DB_HOST": held, "DB_PORT": held, "PASSWORD": held }, "Unknown": held },
        "VpcConfig": [held, { one: [held] }], "Code": { "Location": held, "ZipFile": held },
    });
    vec![
        ("Lambda", "GetFunctionConfiguration", function.clone()),
        (
            "Lambda",
            "GetFunction",
            json!({ "Configuration": function, "Code": { "Location": held, one: held }, "Tags": { "team": held } }),
        ),
        ("Lambda", "GetPolicy", json!({ "Policy": policy.to_string(), "RevisionId": "r" })),
        ("Lambda", "Invoke", json!({ "anything": held, one: [held] })),
        ("Secrets Manager", "GetSecretValue", json!({ "Name": "n", "SecretString": held, "SecretBinary": held })),
        ("Secrets Manager", "CreateSecret", json!({ "Name": "n", "SecretString": held, "Description": held })),
        ("Secrets Manager", "DescribeSecret", json!({ "Name": "n", "Description": held, "Tags": tags })),
        ("Secrets Manager", "GetRandomPassword", json!({ "RandomPassword": held })),
        (
            "RDS",
            "DescribeDBProxies",
            json!({ "DBProxies": [{ "DBProxyName": "p", "Auth": [{ "Description": held }], "Extra": held }] }),
        ),
        ("RDS", "ListTagsForResource", json!({ "TagList": tags })),
        (
            "RDS",
            "DescribeDBInstances",
            json!({ "DBInstances": [{ "TagList": tags,
            "DBSubnetGroup": { "DBSubnetGroupDescription": held, "Subnets": held }, "Endpoint": { one.replace(' ', ""): held } }] }),
        ),
        (
            "RDS",
            "DescribeDBParameters",
            json!({ "Parameters": [{ "ParameterName": "init_connect", "ParameterValue": held, "Description": held }] }),
        ),
        (
            "RDS",
            "DescribeDBProxyTargetGroups",
            json!({ "TargetGroups": [{ "ConnectionPoolConfig": { "InitQuery": held } }] }),
        ),
        (
            "EC2",
            "DescribeSecurityGroups",
            json!({ "securityGroupInfo": [{ "groupDescription": held,
            "tagSet": [{ "key": "team", "value": held }], "ipPermissions": [{ "groups": [{ "description": held }], "ipRanges": [{ "description": held }] }] }] }),
        ),
        (
            "IAM",
            "GetRole",
            json!({ "Role": { "RoleName": "r", "Description": held, "Tags": tags, "AssumeRolePolicyDocument": policy.to_string() } }),
        ),
        ("IAM", "GetRolePolicy", json!({ "PolicyDocument": policy.to_string() })),
        ("IAM", "SimulatePrincipalPolicy", json!({ "PolicyInputList": [policy.to_string(), held] })),
        ("KMS", "DescribeKey", json!({ "KeyMetadata": { "KeyId": "k", "Description": held } })),
        ("KMS", "GetKeyPolicy", json!({ "Policy": policy.to_string() })),
        ("CloudWatch", "PutDashboard", json!({ "DashboardBody": held })),
        (
            "CloudWatch",
            "DescribeAlarms",
            json!({ "MetricAlarms": [{ "AlarmDescription": held, "StateReasonData": held,
            "Metrics": [{ "Label": format!("{held} x"), "Expression": held }] }] }),
        ),
        (
            "CloudWatch Logs",
            "FilterLogEvents",
            json!({ "events": [{ "message": held, "logStreamName": "s" }], "filterPattern": held }),
        ),
        (
            "Unheard Of",
            "DoAnything",
            json!({ "Whatever": held, one: { one: [held, { one: held }] }, "List": [[held]] }),
        ),
    ]
}

fn request(service: &str, members: &Value) -> (&'static str, Vec<u8>) {
    match service {
        "RDS" | "EC2" | "IAM" => ("application/x-www-form-urlencoded", questions::form("A", members, false)),
        "CloudWatch" => ("application/cbor", wire::cbor(members)),
        _ => ("application/json", members.to_string().into_bytes()),
    }
}

fn response(service: &str, operation: &str, members: &Value) -> (&'static str, Vec<u8>) {
    match service {
        "RDS" | "EC2" | "IAM" => ("text/xml", wire::xml(service, operation, members).into_bytes()),
        _ => request(service, members),
    }
}

fn held_to_nothing(text: &str, canary: &str) -> Result<(), TestCaseError> {
    let core: String = canary.chars().take_while(char::is_ascii_alphanumeric).collect();
    for form in forms(canary).into_iter().chain([core.clone(), core.to_lowercase()]) {
        prop_assert!(!text.contains(&form), "{form} is in {}", text.lines().find(|line| line.contains(&form)).unwrap());
    }
    for line in text.lines() {
        let read: Result<Line, _> = serde_json::from_str(line);
        prop_assert!(read.is_ok(), "{line}: {read:?}");
        let value: Value = serde_json::from_str(line).unwrap();
        held_anywhere(&value, &core)?;
    }
    Ok(())
}

/// What is decoded from a line holds none either.
fn held_anywhere(value: &Value, core: &str) -> Result<(), TestCaseError> {
    match value {
        Value::String(text) => {
            prop_assert!(!text.to_lowercase().contains(&core.to_lowercase()), "{text}");
            if let Ok(inner @ Value::Object(_)) = serde_json::from_str::<Value>(text) {
                held_anywhere(&inner, core)?;
            }
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| held_anywhere(item, core)),
        Value::Object(members) => members.iter().try_for_each(|(name, value)| {
            prop_assert!(!name.to_lowercase().contains(&core.to_lowercase()), "{name}");
            held_anywhere(value, core)
        }),
        _ => Ok(()),
    }
}

fn run(flags: Vec<(String, Vec<String>)>) -> Run {
    Run { program: "0".to_owned(), time: "2026-01-01T00:00:00Z".to_owned(), command: "up".to_owned(), flags }
}

/// Records everything that `held` can be in.
fn recorded(tape: &Tape, held: &str, one: &str, refused: bool, plain: bool) {
    for (service, operation, members) in places(held, one) {
        let (sent_as, sent) = request(service, &members);
        let (answered_as, answered) = if refused {
            match service {
                "RDS" | "EC2" | "IAM" => ("text/xml", wire::xml_error(service, "AccessDenied", &format!("not {held} authorized")).into_bytes()),
                _ => ("application/json", json!({ "__type": "AccessDenied", "message": format!("{held} is not authorized"), "other": members }).to_string().into_bytes()),
            }
        } else {
            response(service, operation, &members)
        };
        let uri = format!(
            "https://host.example.com/2015-03-31/functions/orders?Description={}",
            utf8_percent_encode(held, NON_ALPHANUMERIC)
        );
        tape.call(&Exchange {
            service,
            operation,
            method: "POST",
            uri: &uri,
            sent_as,
            sent: &sent,
            status: Some(if refused { 403 } else { 200 }),
            answered_as,
            answered: &answered,
            attempt: 1,
            ..Exchange::default()
        });
        // A body that is not what its type says.
        tape.call(&Exchange {
            service,
            operation,
            method: "POST",
            uri: &uri,
            sent_as: answered_as,
            sent: held.as_bytes(),
            status: Some(200),
            answered_as: sent_as,
            answered: &sent,
            broken: Some(held),
            request_id: Some(held),
            attempt: 1,
            ..Exchange::default()
        });
        tape.call(&Exchange {
            service,
            operation,
            method: held,
            uri: if plain { "https://h/" } else { held },
            broken: Some(held),
            attempt: 1,
            ..Exchange::default()
        });
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn no_line_holds_what_somebody_put_there(canary in canary(), how in any::<u8>(), refused in any::<bool>()) {
        let one: String = canary.chars().filter(char::is_ascii_alphanumeric).collect();
        let held = value(&canary, how);
        let flags = vec![("--tag".to_owned(), vec![held.clone()]), ("--init-query".to_owned(), vec![held.clone()]), ("--unheard-of".to_owned(), vec![held.clone()])];
        let tape = Tape::memory(&run(flags));
        recorded(&tape, &held, &one, refused, false);
        tape.failure(&held, std::slice::from_ref(&held));
        held_to_nothing(&tape.text(), &canary)?;
    }

    /// Names are there with `--record-plain`; values are not.
    #[test]
    fn nor_does_a_plain_recording(canary in canary(), how in any::<u8>(), refused in any::<bool>()) {
        let one: String = canary.chars().filter(char::is_ascii_alphanumeric).collect();
        let held = value(&canary, how);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plain.jsonl");
        let tape = Tape::file(&run(vec![("--db".to_owned(), vec!["my-shop".to_owned()])]), &path, true).unwrap();
        recorded(&tape, &held, &one, refused, true);
        let text = std::fs::read_to_string(&path).unwrap();
        prop_assert!(text.contains("my-shop"));
        held_to_nothing(&text, &canary)?;
    }

    /// Under pseudonyms, not even a name comes out.
    #[test]
    fn no_name_comes_out_under_pseudonyms(name in "[a-z]{3}[0-9]{2}[a-z]{6,10}", operation in "[A-Z][a-z]{2,8}") {
        let tape = Tape::memory(&run(vec![("--db".to_owned(), vec![name.clone()])]));
        let host = format!("{name}.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com");
        let members = json!({ "DBInstances": [{ "DBInstanceIdentifier": name, "Endpoint": { "Address": host }, "MasterUsername": name,
            "DBInstanceArn": format!("arn:aws:rds:eu-central-1:123456789012:db:{name}") }] });
        let body = wire::xml("RDS", &operation, &members);
        tape.call(&Exchange { service: "RDS", operation: &operation, uri: "https://rds.eu-central-1.amazonaws.com/", status: Some(200), answered: body.as_bytes(), ..Exchange::default() });
        tape.event(recording::line::Event { event: "note".to_owned(), text: Some(format!("the database {name} is behind {name}-proxy")), functions: vec![name.clone()], ..Default::default() });
        let text = tape.text();
        prop_assert!(!text.contains(&name), "{text}");
        prop_assert!(!text.contains("123456789012") && !text.contains("c1a2b3c4d5e6"), "{text}");
        // The same name has one pseudonym everywhere.
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let given = lines[0]["flags"][0]["values"][0].as_str().unwrap();
        prop_assert_eq!(lines[1]["response"]["members"]["DBInstances"][0]["DBInstanceIdentifier"].as_str(), Some(given));
        prop_assert_eq!(lines[2]["text"].as_str().unwrap(), format!("the database {given} is behind {given}-proxy"));
    }

    /// Whatever comes over the wire, a line is written and can be read.
    #[test]
    fn any_bytes_become_a_line(sent in proptest::collection::vec(any::<u8>(), 0..200), kind in "(text/xml|application/json|application/cbor|application/x-www-form-urlencoded|)") {
        let tape = Tape::memory(&Run::default());
        let exchange = Exchange { service: "RDS", operation: "A", uri: "x", sent_as: &kind, sent: &sent, status: Some(500), answered_as: &kind, answered: &sent, ..Exchange::default() };
        tape.call(&exchange);
        tape.call(&Exchange { status: Some(200), ..exchange });
        for line in tape.text().lines() {
            let read: Result<Line, _> = serde_json::from_str(line);
            prop_assert!(read.is_ok(), "{}", line);
        }
    }

    /// What is known to be harmless is kept as it is, in every protocol.
    #[test]
    fn what_is_harmless_stays(port in 1_u16.., state in "(AVAILABLE|UNAVAILABLE|REGISTERING)", tls in any::<bool>()) {
        for service in ["RDS", "CloudWatch", "Lambda"] {
            let members = json!({ "Targets": [{ "Port": port.to_string(), "TargetHealth": { "State": state } }], "RequireTLS": tls.to_string() });
            let (kind, body) = response(service, "DescribeDBProxyTargets", &members);
            let tape = Tape::memory(&Run::default());
            tape.call(&Exchange { service, operation: "O", uri: "https://h/", status: Some(200), answered_as: kind, answered: &body, ..Exchange::default() });
            let text = tape.text();
            let Line::Call(call) = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap() else { panic!("{text}") };
            prop_assert_eq!(call.response.unwrap().members, members);
        }
    }
}

#[test]
fn a_variable_s_host_and_port_stay_and_nothing_else_of_it() {
    let tape = Tape::memory(&Run::default());
    let host = "shop.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com";
    let variables = json!({ "Environment": { "Variables": { "URL": format!("mysql://app:hunter2@{host}:3307/x"), "DB_PORT": "3306", "KEY": "3306" } } });
    tape.call(&Exchange {
        service: "Lambda",
        operation: "GetFunctionConfiguration",
        uri: "https://h/",
        status: Some(200),
        answered: variables.to_string().as_bytes(),
        ..Exchange::default()
    });
    let text = tape.text();
    let line: Value = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap();
    let held = &line["response"]["members"]["Environment"]["Variables"];
    assert_eq!(held["URL"], "<redacted: string, 75 characters; host n1.n2.eu-central-1.rds.amazonaws.com; port 3307>");
    assert_eq!(held["DB_PORT"], "<redacted: string, 4 characters; port 3306>");
    assert_eq!(held["KEY"], "<redacted: string, 4 characters>");
}

#[test]
fn memory_forgets_the_oldest_and_says_how_many() {
    let tape = Tape::memory(&Run::default());
    let functions: Vec<Value> =
        (0..200).map(|n| json!({ "FunctionName": format!("f{n}x"), "Runtime": "python3.13" })).collect();
    let body = json!({ "Functions": functions }).to_string();
    for _ in 0..2_000 {
        tape.call(&Exchange {
            service: "Lambda",
            operation: "ListFunctions",
            uri: "https://h/",
            status: Some(200),
            answered: body.as_bytes(),
            ..Exchange::default()
        });
    }
    let text = tape.text();
    assert!(text.len() < 9 * 1024 * 1024, "{}", text.len());
    let header: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let dropped = header["dropped"].as_u64().unwrap();
    assert!(dropped > 0 && dropped + text.lines().count() as u64 - 1 == 2_000, "{dropped}");
    let _: Map<String, Value> = serde_json::from_str(text.lines().last().unwrap()).unwrap();
}

#[cfg(unix)]
#[test]
fn a_file_is_its_owner_s_alone_and_never_overwritten() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.jsonl");
    let tape = Tape::file(&Run::default(), &path, false).unwrap();
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(Tape::file(&Run::default(), &path, false).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    assert_eq!(tape.write(&path).unwrap_err().kind(), std::io::ErrorKind::AlreadyExists);
    // A run that is killed leaves what it did until then.
    tape.call(&Exchange { service: "RDS", operation: "A", uri: "https://h/", ..Exchange::default() });
    assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 2);
}
