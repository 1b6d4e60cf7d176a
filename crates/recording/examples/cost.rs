//! Measures what it costs to record a call: `cargo run --release -p rdsproxy-recording --example cost`.
#![expect(clippy::print_stdout, reason = "an example shows what it measured")]

use std::time::Instant;

use recording::{Exchange, Run, Tape, wire};
use serde_json::{Value, json};

fn main() {
    let function = |number: usize| {
        json!({ "FunctionName": format!("function-{number}"), "FunctionArn": format!("arn:aws:lambda:eu-central-1:123456789012:function:function-{number}"),
            "Runtime": "python3.13", "Role": "arn:aws:iam::123456789012:role/function", "Handler": "app.handler", "CodeSize": 2048, "Description": "orders",
            "Timeout": 30, "MemorySize": 256, "LastModified": "2026-01-01T00:00:00.000+0000", "State": "Active",
            "VpcConfig": { "SubnetIds": ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"], "SecurityGroupIds": ["sg-0123456789abcdef0"] },
            "Environment": { "Variables": { "DB_HOST": "my-instance.c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com", "DB_PORT": "3306", "A": "b", "C": "d" } } })
    };
    let page: Vec<Value> = (0..50).map(function).collect();
    let proxy = json!({ "DBProxies": [{ "DBProxyName": "my-instance-proxy", "Status": "available", "EngineFamily": "MYSQL",
        "Endpoint": "my-instance-proxy.proxy-c1a2b3c4d5e6.eu-central-1.rds.amazonaws.com", "VpcSubnetIds": ["subnet-1", "subnet-2"],
        "Auth": [{ "AuthScheme": "SECRETS", "SecretArn": "arn:aws:secretsmanager:eu-central-1:123456789012:secret:a-AbCdEf", "IAMAuth": "DISABLED" }] }] });
    for (what, service, operation, kind, body) in [
        (
            "one function (JSON)",
            "Lambda",
            "GetFunctionConfiguration",
            "application/json",
            function(1).to_string().into_bytes(),
        ),
        (
            "one proxy (XML)",
            "RDS",
            "DescribeDBProxies",
            "text/xml",
            wire::xml("RDS", "DescribeDBProxies", &proxy).into_bytes(),
        ),
        (
            "a page of 50 functions (JSON)",
            "Lambda",
            "ListFunctions",
            "application/json",
            json!({ "Functions": page }).to_string().into_bytes(),
        ),
    ] {
        let tape = Tape::memory(&Run::default());
        let calls = if body.len() > 10_000 { 200 } else { 5_000 };
        let began = Instant::now();
        for _ in 0..calls {
            tape.call(&Exchange {
                service,
                operation,
                method: "GET",
                uri: "https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions",
                status: Some(200),
                answered_as: kind,
                answered: &body,
                attempt: 1,
                ..Exchange::default()
            });
        }
        let each = began.elapsed() / calls;
        println!("{what}: {} bytes, {each:?} a call", body.len());
    }
}
