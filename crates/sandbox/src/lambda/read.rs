//! Reading functions.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, Need, World};
use super::super::input;
use super::super::policy::{self, Decision};
use super::{Function, LATEST, absent, named, shown};

pub(super) fn get(world: &World, call: &Call) -> Result<Value, AwsError> {
    let configuration = get_configuration(world, call)?;
    let (function, _) = named(world, call)?;
    let latest = &function.latest;
    let code = if latest.package_type == "Image" {
        let registry = format!("{}.dkr.ecr.{}.amazonaws.com", world.account, world.region);
        json!({"RepositoryType": "ECR", "ImageUri": format!("{registry}/{}:latest", latest.name)})
    } else {
        // A link of AWS's carries a signature that lets its holder read the code.
        let bucket = format!("awslambda-{}-tasks.s3.{}.amazonaws.com", world.region, world.region);
        let location = format!("https://{bucket}/snapshots/{}/{}?X-Amz-Signature=0", world.account, latest.name);
        json!({"RepositoryType": "S3", "Location": location})
    };
    let mut answer = json!({"Configuration": configuration, "Code": code});
    // Since July 2024 tags are shown only to callers with an explicit allow for `lambda:ListTags`; others get a 200
    // with the reason (`GetFunctionResponse` in Lambda's model; DataBiosphere/azul#6387).
    if !may_list_tags(world, call, function) {
        answer["TagsError"] = json!({
            "ErrorCode": "AccessDeniedException",
            "Message": format!(
                "User: {} is not authorized to perform: lambda:ListTags on resource: {} because no identity-based policy allows the lambda:ListTags action",
                call.principal.arn, latest.arn
            ),
        });
    } else if !function.tags.is_empty() {
        answer["Tags"] = json!(function.tags);
    }
    if let Some(reserved) = function.reserved {
        answer["Concurrency"] = json!({"ReservedConcurrentExecutions": reserved});
    }
    Ok(answer)
}

fn may_list_tags(world: &World, call: &Call, function: &Function) -> bool {
    let Some(documents) = &call.principal.policies else { return !world.lambda.tags_hidden };
    let tags = function.tags.iter().map(|(key, value)| (format!("aws:ResourceTag/{key}"), vec![value.clone()]));
    let (action, resource) = ("lambda:ListTags".to_owned(), function.latest.arn.clone());
    policy::evaluate(documents, &Need { action, resource, context: tags.collect() }) == Decision::Allowed
}

pub(super) fn get_configuration(world: &World, call: &Call) -> Result<Value, AwsError> {
    let (function, qualifier) = named(world, call)?;
    let version = function.version(qualifier).ok_or_else(|| absent(world, &function.latest.name, qualifier))?;
    Ok(shown::whole(world, call, function, version, qualifier))
}

pub(super) fn list(world: &World, call: &Call) -> Result<Value, AwsError> {
    let all = match input::text(&call.input, "FunctionVersion") {
        None => false,
        Some("ALL") => true,
        Some(other) => {
            return Err(super::check::constraint(
                other,
                "functionVersion",
                "Member must satisfy enum value set: [ALL]",
            ));
        }
    };
    let mut rows = Vec::new();
    for (name, function) in &world.lambda.functions {
        let qualifier = all.then_some(LATEST);
        rows.push((format!("{name}/{:020}", 0), shown::brief(world, call, function, &function.latest, qualifier)));
        for (number, version) in function.versions.iter().filter(|_| all) {
            let row = shown::brief(world, call, function, version, Some(&version.version));
            rows.push((format!("{name}/{number:020}"), row));
        }
    }
    Ok(shown::paged(rows, call, "Functions"))
}

pub(super) fn list_versions(world: &World, call: &Call) -> Result<Value, AwsError> {
    let (function, _) = named(world, call)?;
    let latest = (format!("{:020}", 0), shown::brief(world, call, function, &function.latest, Some(LATEST)));
    let published = function.versions.iter().map(|(number, version)| {
        (format!("{number:020}"), shown::brief(world, call, function, version, Some(&version.version)))
    });
    Ok(shown::paged([latest].into_iter().chain(published).collect(), call, "Versions"))
}
