//! Functions, versions, aliases, and what calls them.

use std::collections::BTreeMap;

use sandbox::Moment;
use sandbox::parts::{Alias, Configuration, Function, FunctionVpc, Mapping, State, Update};
use serde_json::{Value, json};

use super::Build;
use crate::facts::{Kind, Thing};
use crate::read::{each, flag, inner, list, number, real, string, text, texts, whole};

/// The version that can be edited.
const LATEST: &str = "$LATEST";

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (name, number, thing) in facts.parts(Kind::Version) {
        let configuration = configuration(build, name, number, thing);
        let function = build.world.lambda.functions.entry(name.to_owned()).or_default();
        match number.parse::<u64>() {
            Ok(number) => drop(function.versions.insert(number, configuration)),
            Err(_) => function.latest = configuration,
        }
        function.unreadable_environment |= inner(thing, "Environment").is_some_and(|found| found.contains_key("Error"));
    }
    let names: Vec<String> = build.world.lambda.functions.keys().cloned().collect();
    for name in names {
        hangings(build, &name);
        missing_versions(build, &name);
    }
    build.world.lambda.mappings = facts.all(Kind::Mapping).map(|(id, thing)| mapping(id, thing)).collect();
    let limit = facts.one(Kind::Lambda, "").and_then(|settings| inner(settings, "AccountLimit"));
    if let Some(most) = limit.and_then(|limit| number(limit, "ConcurrentExecutions")) {
        build.world.lambda.concurrency = most;
    }
}

/// What hangs on a function as a whole.
fn hangings(build: &mut Build<'_>, name: &str) {
    let facts = build.facts;
    let aliases: BTreeMap<String, Alias> =
        facts.of(Kind::Alias, name).map(|(alias, thing)| (alias.to_owned(), alias_of(build, alias, thing))).collect();
    let tags = facts.one(Kind::FunctionTags, name).map(|tags| build.tags(tags.get("Tags")));
    let provisioned = facts.of(Kind::Provisioned, name).filter_map(|(qualifier, thing)| {
        Some((qualifier.to_owned(), number(thing, "RequestedProvisionedConcurrentExecutions")?))
    });
    let reserved = facts.one(Kind::Reserved, name).and_then(|found| number(found, "ReservedConcurrentExecutions"));
    let policy = facts.one(Kind::FunctionPolicy, name).and_then(|found| text(found, "Policy"));
    let policy = policy.and_then(|policy| serde_json::from_str(policy).ok());
    let Some(function) = build.world.lambda.functions.get_mut(name) else { return };
    function.aliases = aliases;
    function.provisioned = provisioned.collect();
    function.reserved = reserved;
    function.policy = policy;
    if let Some(tags) = tags {
        function.tags = tags;
    } else {
        build.gap(format!("the tags of the function {name}"), "were not read; the copy has none");
    }
    if build.world.lambda.functions.get(name).is_some_and(|function| function.unreadable_environment) {
        build.gap(format!("the variables of the function {name}"), "could not be read, and cannot be read in the copy");
    }
}

/// Versions that an alias names and that were not read, and `$LATEST` itself.
fn missing_versions(build: &mut Build<'_>, name: &str) {
    let Some(mut function) = build.world.lambda.functions.get(name).cloned() else { return };
    if function.latest.name.is_empty()
        && let Some(newest) = function.versions.values().next_back()
    {
        function.latest = Configuration { version: LATEST.to_owned(), ..newest.clone() };
        build.gap(format!("the unpublished version of the function {name}"), "was not read; it is as the newest one");
    }
    let aliased = function.aliases.values().flat_map(|alias| alias.weights.keys().chain([&alias.version]));
    let aliased: Vec<u64> = aliased.filter_map(|version| version.parse().ok()).collect();
    for number in aliased.into_iter().chain(function.provisioned.keys().filter_map(|name| name.parse().ok())) {
        let latest = &function.latest;
        let stub = || Configuration { version: number.to_string(), ..latest.clone() };
        if crate::facts::fill(&mut function.versions, number, stub) {
            build.gap(format!("version {number} of the function {name}"), "was not read; it is as the unpublished one");
        }
    }
    function.published = function.versions.keys().next_back().copied().unwrap_or(0);
    build.world.lambda.functions.insert(name.to_owned(), function);
}

fn configuration(build: &mut Build<'_>, name: &str, number: &str, thing: &Thing) -> Configuration {
    let own = |member: &str| text(thing, member).map(str::to_owned);
    let size =
        |member: &str, of: u32| inner(thing, member).and_then(|found| crate::read::number(found, "Size")).unwrap_or(of);
    let environment = inner(thing, "Environment").map(|found| {
        let variables = found.get("Variables").and_then(Value::as_object).into_iter().flatten();
        let raw = variables.filter_map(|(name, value)| Some((name.clone(), value.as_str()?.to_owned()))).collect();
        (build.keep)(name, &raw)
    });
    if matches!(text(thing, "State"), Some("Pending" | "Failed" | "Inactive")) {
        build.gap(
            format!("the state of the function {name}"),
            format!("was {}; in the copy it is Active", string(thing, "State")),
        );
    }
    let architecture = list(thing, "Architectures").first().and_then(Value::as_str).unwrap_or("x86_64");
    Configuration {
        name: name.to_owned(),
        version: number.to_owned(),
        arn: build.arn("lambda", &format!("function:{name}")),
        runtime: own("Runtime"),
        role: string(thing, "Role"),
        handler: own("Handler"),
        description: build.described(thing, "Description").unwrap_or_default(),
        timeout: crate::read::number(thing, "Timeout").unwrap_or(3),
        memory: crate::read::number(thing, "MemorySize").unwrap_or(128),
        modified: Moment::default(),
        code_size: crate::read::number(thing, "CodeSize").unwrap_or(0),
        code_sha256: string(thing, "CodeSha256"),
        vpc: inner(thing, "VpcConfig").and_then(attachment),
        environment,
        kms_key: own("KMSKeyArn"),
        package_type: own("PackageType").unwrap_or_else(|| "Zip".to_owned()),
        architecture: architecture.to_owned(),
        layers: each(thing, "Layers", "Arn"),
        tracing: inner(thing, "TracingConfig").map_or_else(|| "PassThrough".to_owned(), |found| string(found, "Mode")),
        storage: size("EphemeralStorage", 512),
        snap_start: inner(thing, "SnapStart").and_then(|found| text(found, "ApplyOn")) == Some("PublishedVersions"),
        dead_letter: inner(thing, "DeadLetterConfig").and_then(|found| text(found, "TargetArn")).map(str::to_owned),
        file_systems: list(thing, "FileSystemConfigs").to_vec(),
        image: inner(thing, "ImageConfigResponse").and_then(|found| found.get("ImageConfig")).cloned(),
        logging: thing.get("LoggingConfig").filter(|found| **found != usual_logging(name)).cloned(),
        state: State::Active,
        update: update(build, name, thing),
        revision: string(thing, "RevisionId"),
    }
}

/// How a function logs where nobody chose otherwise.
fn usual_logging(name: &str) -> Value {
    json!({ "LogFormat": "Text", "LogGroup": format!("/aws/lambda/{name}") })
}

fn attachment(thing: &Thing) -> Option<FunctionVpc> {
    let id = text(thing, "VpcId")?.to_owned();
    let ipv6 = flag(thing, "Ipv6AllowedForDualStack") == Some(true);
    Some(FunctionVpc { id, subnets: texts(thing, "SubnetIds"), groups: texts(thing, "SecurityGroupIds"), ipv6 })
}

fn update(build: &mut Build<'_>, name: &str, thing: &Thing) -> Update {
    match text(thing, "LastUpdateStatus") {
        Some("Failed") => {
            Update::Failed(text(thing, "LastUpdateStatusReasonCode").unwrap_or("InternalError").to_owned())
        }
        Some("InProgress") => {
            build.gap(format!("an update of the function {name}"), "was in progress; in the copy it is complete");
            Update::Successful
        }
        _ => Update::Successful,
    }
}

fn alias_of(build: &Build<'_>, name: &str, thing: &Thing) -> Alias {
    let routing = inner(thing, "RoutingConfig").and_then(|found| inner(found, "AdditionalVersionWeights"));
    let weights = routing.into_iter().flatten().filter_map(|(version, weight)| Some((version.clone(), real(weight)?)));
    Alias {
        name: name.to_owned(),
        version: string(thing, "FunctionVersion"),
        description: build.described(thing, "Description").unwrap_or_default(),
        weights: weights.collect(),
        until: None,
        revision: string(thing, "RevisionId"),
    }
}

fn mapping(id: &str, thing: &Thing) -> Mapping {
    let scaling = inner(thing, "ScalingConfig").and_then(|found| found.get("MaximumConcurrency"));
    Mapping {
        id: id.to_owned(),
        source: string(thing, "EventSourceArn"),
        function: string(thing, "FunctionArn"),
        enabled: matches!(text(thing, "State"), Some("Enabled" | "Enabling" | "Creating" | "Updating")),
        batch: number(thing, "BatchSize").unwrap_or(10),
        modified: Moment::default(),
        maximum_concurrency: scaling.and_then(whole),
        parallelization: number(thing, "ParallelizationFactor"),
        starting_position: text(thing, "StartingPosition").map(str::to_owned),
    }
}

/// The execution roles of all versions.
pub(super) fn roles(functions: &BTreeMap<String, Function>) -> impl Iterator<Item = &str> {
    functions.values().flat_map(|function| {
        function.versions.values().map(|version| version.role.as_str()).chain([function.latest.role.as_str()])
    })
}
