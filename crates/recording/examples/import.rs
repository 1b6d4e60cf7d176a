//! Turns facts about a response, as JSON on stdin, into lines of `tests/recordings/real.jsonl`.
//!
//! A fact is `{"source": URL, "note": "", "service": "RDS", "operation": "DescribeDBProxies", "status": 200, "members":
//! {…}}`, for a refusal `code` and `message` instead of `members`. Members have their names on the wire.
#![expect(clippy::print_stdout, reason = "an example writes what it made")]

use std::io::Read as _;

use recording::{Exchange, Line, Run, Tape, wire};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    for line in text.lines() {
        let fact: Value = serde_json::from_str(line)?;
        let word = |name: &str| fact[name].as_str().unwrap_or_default();
        let (service, operation) = (word("service"), word("operation"));
        let status = u16::try_from(fact["status"].as_u64().unwrap_or_default())?;
        let (code, message) = (word("code"), word("message"));
        let (kind, body) = match (service, code) {
            ("RDS" | "EC2" | "IAM" | "STS", "") => {
                ("text/xml", wire::xml(service, operation, &fact["members"]).into_bytes())
            }
            ("RDS" | "EC2" | "IAM" | "STS", code) => ("text/xml", wire::xml_error(service, code, message).into_bytes()),
            ("CloudWatch", "") => ("application/cbor", wire::cbor(&fact["members"])),
            (_, "") => ("application/json", fact["members"].to_string().into_bytes()),
            (_, code) => ("application/json", json!({ "__type": code, "message": message }).to_string().into_bytes()),
        };
        let tape = Tape::memory(&Run::default());
        tape.call(&Exchange {
            service,
            operation,
            method: "POST",
            uri: "https://example.com/",
            status: Some(status),
            answered_as: kind,
            answered: &body,
            attempt: 1,
            ..Exchange::default()
        });
        let text = tape.text();
        let Some(Line::Call(call)) = text.lines().nth(1).map(serde_json::from_str).transpose()? else { continue };
        let members = call.response.map(|response| response.members).filter(|members| !members.is_null());
        let error = call.error.map(|error| json!({ "code": error.code, "message": error.message }));
        println!(
            "{}",
            json!({ "source": word("source"), "note": word("note"), "service": service, "operation": operation, "status": status,
                "members": members, "error": error })
        );
    }
    Ok(())
}
