//! Instance types, of which the classes of databases are one each.

use serde_json::{Value, json};

use super::filters::page;
use crate::account::{AwsError, Call, Outcome, World};
use crate::input;
use crate::load::{TYPES, Type};
use crate::policy::glob;

/// `DescribeInstanceTypes`.
pub(super) fn describe(_: &World, call: &Call) -> Outcome {
    let wanted = input::texts(&call.input, "InstanceTypes");
    if wanted.len() > 100 {
        return Err(AwsError::new(400, "InvalidParameterValue", "At most 100 instance types can be given."));
    }
    let known = |name: &String| TYPES.iter().any(|each| each.name == name);
    let unknown: Vec<&str> = wanted.iter().filter(|name| !known(name)).map(String::as_str).collect();
    if !unknown.is_empty() {
        let message = format!("The following supplied instance types do not exist: [{}]", unknown.join(", "));
        return Err(AwsError::new(400, "InvalidInstanceType", message));
    }
    let size = input::number(&call.input, "MaxResults");
    if size.is_some_and(|size| !(5..=100).contains(&size)) {
        let message = "The maximum number of results must be between 5 and 100.";
        return Err(AwsError::new(400, "InvalidParameterValue", message));
    }
    let mut found = Vec::new();
    for each in TYPES.iter().filter(|each| wanted.is_empty() || wanted.iter().any(|name| name == each.name)) {
        if passes(each, &call.input)? {
            found.push(shown(each));
        }
    }
    let (found, next) = page(&call.input, found);
    Ok(json!({ "instanceTypeSet": found, "nextToken": next }))
}

fn passes(each: &Type, input: &Value) -> Result<bool, AwsError> {
    for filter in input::list(input, "Filters") {
        let name = input::text(filter, "Name").unwrap_or_default();
        let own = match name {
            "instance-type" => each.name.to_owned(),
            "current-generation" => "true".to_owned(),
            "memory-info.size-in-mib" => each.memory.to_string(),
            "vcpu-info.default-vcpus" => each.vcpus.to_string(),
            "processor-info.supported-architecture" => architecture(each).to_owned(),
            other => {
                return Err(AwsError::new(400, "InvalidParameterValue", format!("The filter '{other}' is invalid")));
            }
        };
        if !input::texts(filter, "Values").iter().any(|wanted| glob(wanted, &own)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Families with a `g` after their generation are Graviton's.
fn architecture(each: &Type) -> &'static str {
    let family = each.name.split('.').next().unwrap_or_default();
    if family.ends_with('g') { "arm64" } else { "x86_64" }
}

fn shown(each: &Type) -> Value {
    // Graviton has a core for each vCPU, the others two threads a core.
    let threads = if architecture(each) == "arm64" { 1 } else { 2 };
    json!({
        "instanceType": each.name,
        "currentGeneration": true,
        "bareMetal": false,
        "hypervisor": "nitro",
        "processorInfo": { "supportedArchitectures": [architecture(each)] },
        "vCpuInfo": {
            "defaultVCpus": each.vcpus,
            "defaultCores": each.vcpus / threads,
            "defaultThreadsPerCore": threads,
        },
        "memoryInfo": { "sizeInMiB": each.memory },
        "instanceStorageSupported": false,
        "burstablePerformanceSupported": each.name.starts_with('t'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{Moment, Principal, Service};

    fn run(input: Value) -> Result<Value, String> {
        let principal = Principal { arn: "arn:aws:iam::123456789012:user/u".into(), policies: None };
        let action = "DescribeInstanceTypes".into();
        let call = Call { service: Service::Ec2, action, input, principal, now: Moment(0), ahead: 0 };
        describe(&World::empty(), &call).map_err(|error| error.code)
    }

    #[test]
    fn a_class_of_a_database_is_a_type_without_its_prefix() {
        let found = run(json!({ "InstanceTypes": ["t3.medium", "r6g.large"] })).unwrap();
        let rows = found["instanceTypeSet"].as_array().unwrap();
        let of = |row: &Value| (row["memoryInfo"]["sizeInMiB"].as_u64(), row["vCpuInfo"]["defaultVCpus"].as_u64());
        assert_eq!(rows.iter().map(of).collect::<Vec<_>>(), [(Some(4096), Some(2)), (Some(16_384), Some(2))]);
        assert_eq!(run(json!({ "InstanceTypes": ["t3.medium", "db.t3.medium"] })), Err("InvalidInstanceType".into()));
        assert_eq!(run(json!({ "MaxResults": 4 })), Err("InvalidParameterValue".into()));
        let arm = run(json!({ "Filters": [{ "Name": "processor-info.supported-architecture", "Values": ["arm64"] }] }))
            .unwrap();
        assert!(
            arm["instanceTypeSet"]
                .as_array()
                .unwrap()
                .iter()
                .all(|row| row["instanceType"].as_str().unwrap().contains("g."))
        );
    }

    #[test]
    fn types_come_a_page_at_a_time() {
        let first = run(json!({ "MaxResults": 5 })).unwrap();
        assert_eq!(first["instanceTypeSet"].as_array().map(Vec::len), Some(5));
        let second = run(json!({ "MaxResults": 5, "NextToken": first["nextToken"] })).unwrap();
        assert_ne!(first["instanceTypeSet"], second["instanceTypeSet"]);
    }
}
