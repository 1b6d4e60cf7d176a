//! An account's JSON under pseudonyms: what a text is, its place says.
//!
//! A text at a place that nobody thought of is taken for a name, and replaced.

use sandbox::parts::InForce;
use serde_json::{Map, Value, json};

use super::text::{Renamer, Words};
use super::{derived, policy, product, settings, values};

/// Members that are AWS's words or the simulated account's own, with all that is in them.
const KEPT: &[&str] = &[
    "ApplicationLogLevel",
    "LogFormat",
    "SystemLogLevel",
    "architecture",
    "at_proxy",
    "category",
    "class",
    "client_password",
    "default_auth_scheme",
    "encryption",
    "endpoint_network_type",
    "engine",
    "engine_family",
    "engine_mode",
    "engine_version",
    "iam_auth",
    "is_unhealthy",
    "key_grants",
    "kind",
    "network_type",
    "next_proxy_ends",
    "next_update_fails",
    "package_type",
    "parameter_status",
    "pinning_filters",
    "protocol",
    "register_refusal",
    "runtime",
    "scheme",
    "source_type",
    "starting_position",
    "state",
    "status",
    "target_network_type",
    "tenancy",
    "tracing",
    "update",
    "writer_role",
    "zone",
    "zone_id",
];

/// Members of the account that say nothing of whose it is.
const OF_NOBODY: &[&str] = &[
    "counter",
    "known_keys_only",
    "limits",
    "log",
    "now",
    "partition",
    "prices",
    "profile",
    "quotas",
    "region",
    "simulator",
];

/// Members that are maps by name.
const BY_NAME: &[&str] = &[
    "acls",
    "alarms",
    "aliases",
    "by_services",
    "clusters",
    "created",
    "deleted",
    "endpoints",
    "functions",
    "groups",
    "instances",
    "interfaces",
    "keys",
    "policies",
    "provisioned",
    "proxies",
    "retired",
    "roles",
    "route_tables",
    "routes",
    "rules",
    "secrets",
    "subnet_groups",
    "subnets",
    "vpcs",
];

/// The account.
pub(super) fn account(names: &mut Renamer, world: &Value, region: &str) -> Value {
    let Value::Object(members) = world else { return Value::Null };
    let service = |(name, value): (&String, &Value)| {
        let new = match name.as_str() {
            kept if OF_NOBODY.contains(&kept) => value.clone(),
            // How often each was created: ids under pseudonyms were created by nobody.
            "generations" => json!({}),
            "faults" => faults(value),
            "principals" => principals(names, value),
            "organization" => principal(names, value),
            // A service may be called what its resources are.
            _ if value.is_object() => Walk { names, region }.below(name, value),
            _ => Walk { names, region }.member(name, value),
        };
        (name.clone(), new)
    };
    Value::Object(members.iter().map(service).collect())
}

/// Faults, without what they remember of the account.
fn faults(value: &Value) -> Value {
    let fault = |fault: &Value| {
        let mut fault = fault.clone();
        if let Some(members) = fault.as_object_mut() {
            members.remove("before");
            members.remove("shown");
        }
        fault
    };
    value.as_array().into_iter().flatten().map(fault).collect()
}

fn principals(names: &mut Renamer, value: &Value) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let caller = |(key, value): (&String, &Value)| {
        // The rehearsal calls with this key.
        let new = if key == crate::REHEARSER { key.clone() } else { names.name(key) };
        (new, principal(names, value))
    };
    Value::Object(members.iter().map(caller).collect())
}

fn principal(names: &mut Renamer, value: &Value) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let member = |(name, value): (&String, &Value)| {
        let new = match value {
            Value::Array(documents) => documents.iter().map(|one| policy::policy(names, one)).collect(),
            Value::String(text) => Value::String(names.name(text)),
            other => other.clone(),
        };
        (name.clone(), new)
    };
    Value::Object(members.iter().map(member).collect())
}

fn by_name(names: &mut Renamer, value: &Value, mut change: impl FnMut(&mut Renamer, &str, &Value) -> Value) -> Value {
    let Value::Object(members) = value else { return value.clone() };
    let mut new = Map::new();
    for (name, value) in members {
        let value = change(names, name, value);
        new.insert(names.name(name), value);
    }
    Value::Object(new)
}

struct Walk<'a> {
    names: &'a mut Renamer,
    region: &'a str,
}

impl Walk<'_> {
    fn member(&mut self, name: &str, value: &Value) -> Value {
        let bare = name.trim_start_matches(['~', '*']);
        if let Value::String(text) = value {
            return Value::String(self.text(bare, text));
        }
        let region = self.region;
        match bare {
            kept if KEPT.contains(&kept) => value.clone(),
            "programs" => json!({}),
            "heard" => json!([]),
            // A moment and one of a few words.
            "troubled" => by_name(self.names, value, |_, _, value| value.clone()),
            "policy" if value.is_object() => policy::policy(self.names, value),
            "former_trust" => self.each(value, "trust"),
            "tags" => self.tags(value),
            "environment" => {
                let Value::Object(variables) = value else { return value.clone() };
                let variable = |(name, value): (&String, &Value)| {
                    let text = value.as_str().unwrap_or_default();
                    (name.clone(), Value::String(values::variable(self.names, name, text)))
                };
                Value::Object(variables.iter().map(variable).collect())
            }
            "inline" => by_name(self.names, value, |names, _, document| {
                Value::String(policy::written(names, document.as_str().unwrap_or_default()))
            }),
            "parameters" => settings::parameters(self.names, value),
            "lines" => by_name(self.names, value, |names, _, lines| Walk { names, region }.each(lines, "reason")),
            "dashboards" => by_name(self.names, value, |names, name, dashboard| {
                let mut dashboard = dashboard.clone();
                if let Some(Value::String(body)) = dashboard.get_mut("body") {
                    *body = derived::body(names, name, region, body);
                }
                dashboard
            }),
            "configuration" => settings::alarm(self.names, "", value),
            map if BY_NAME.contains(&map) && value.is_object() => {
                by_name(self.names, value, |names, _, value| Walk { names, region }.member("", value))
            }
            _ => self.below(bare, value),
        }
    }

    fn below(&mut self, name: &str, value: &Value) -> Value {
        match value {
            Value::Array(items) => items.iter().map(|item| self.member(name, item)).collect(),
            Value::Object(members) if is_aws_managed(members) => value.clone(),
            Value::Object(members) => {
                Value::Object(members.iter().map(|(name, value)| (name.clone(), self.member(name, value))).collect())
            }
            other => other.clone(),
        }
    }

    /// The texts in a value, as those of that member.
    fn each(&mut self, value: &Value, name: &str) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(name, text)),
            Value::Array(items) => items.iter().map(|item| self.each(item, name)).collect(),
            other => other.clone(),
        }
    }

    fn text(&mut self, name: &str, text: &str) -> String {
        match name {
            _ if is_moment(text) => text.to_owned(),
            kept if KEPT.contains(&kept) => text.to_owned(),
            "routes" if text == "local" => text.to_owned(),
            "role" if ["READ_ONLY", "READ_WRITE"].contains(&text) => text.to_owned(),
            "source" if text == InForce::UNSEEN => text.to_owned(),
            "owner" if text == "rds" => text.to_owned(),
            "parameter_group" => settings::parameter_group(self.names, text),
            "stages" if text.starts_with("AWS") => text.to_owned(),
            "version" if text.chars().all(|c| c.is_ascii_digit()) => text.to_owned(),
            "description" => product::description(self.names, text),
            "init_query" => product::statement(text),
            "document" | "trust" | "policy" => policy::written(self.names, text),
            "message" | "reason" => self.names.text(text, Words::Sentence),
            "text" => values::secret(self.names, text),
            "binary" => values::password(self.names, text),
            _ => self.names.name(text),
        }
    }

    fn tags(&mut self, value: &Value) -> Value {
        let Value::Object(tags) = value else { return value.clone() };
        let tag = |(key, value): (&String, &Value)| {
            let text = value.as_str().unwrap_or_default();
            (product::tag_key(self.names, key), Value::String(product::tag_value(self.names, key, text)))
        };
        Value::Object(tags.iter().map(tag).collect())
    }
}

/// Whether it is a policy of AWS's own, or what such a one gives a role.
fn is_aws_managed(members: &Map<String, Value>) -> bool {
    let names = ["arn", "source"].iter().filter_map(|name| members.get(*name)?.as_str());
    names.into_iter().any(|arn| arn.starts_with("arn:aws") && arn.contains(":iam::aws:policy/"))
}

fn is_moment(text: &str) -> bool {
    text.strip_prefix("~moment:").is_some_and(|digits| digits.chars().all(|c| c.is_ascii_digit()))
}
