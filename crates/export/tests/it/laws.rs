//! What holds for every stack.

use std::collections::BTreeSet;

use export::{File, cloudformation, terraform};
use hcl::Body;
use hcl::expr::Expression;
use proptest::prelude::*;

use crate::any;

fn blocks(body: &Body) -> Vec<(String, Vec<String>)> {
    let labels = |block: &hcl::Block| block.labels().iter().map(|label| label.as_str().to_owned()).collect();
    body.blocks().map(|block| (block.identifier().to_owned(), labels(block))).collect()
}

/// All strings of a configuration, as Terraform reads them; those with references are left out.
fn strings(expression: &Expression, all: &mut BTreeSet<String>) {
    match expression {
        Expression::Array(items) => items.iter().for_each(|item| strings(item, all)),
        Expression::Object(members) => {
            for (key, value) in members {
                if let hcl::ObjectKey::Expression(key) = key {
                    strings(key, all);
                } else {
                    all.insert(key.to_string());
                }
                strings(value, all);
            }
        }
        Expression::String(text) => drop(all.insert(text.clone())),
        Expression::TemplateExpr(template) => {
            let context = hcl::eval::Context::new();
            let parsed = hcl::Template::from_expr(template).ok();
            let text = parsed.and_then(|parsed| hcl::eval::Evaluate::evaluate(&parsed, &context).ok());
            all.extend(text);
        }
        _ => {}
    }
}

fn strings_of(body: &Body) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for structure in body {
        match structure {
            hcl::Structure::Attribute(attribute) => strings(attribute.expr(), &mut all),
            hcl::Structure::Block(block) => all.extend(strings_of(block.body())),
        }
    }
    all
}

fn configuration(files: &[File]) -> Vec<(&'static str, Body)> {
    let tf = files.iter().filter(|file| file.name.contains(".tf"));
    tf.map(|file| (file.name, file.text.parse().unwrap_or_else(|error| panic!("{error}\n{}", file.text)))).collect()
}

/// Whether Terraform reads a file.
fn is_read(name: &str) -> bool {
    std::path::Path::new(name).extension().is_some_and(|ending| ending == "tf")
}

/// `hcl-rs` reads `$${` after a `$`, and `%%{` after a `%`, in its own way: what Terraform makes of them, the tests
/// from the outside hold.
fn doubled(text: &str) -> bool {
    text.contains("$${") || text.contains("%%{") || text.contains("$%{") || text.contains("%${")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..ProptestConfig::default() })]

    #[test]
    fn every_file_parses_and_no_address_is_given_twice(stack in any::stack()) {
        let files = terraform(&stack).unwrap();
        let mut addresses = BTreeSet::new();
        let (mut resources, mut imports) = (0, 0);
        for (name, body) in configuration(&files).into_iter().filter(|(name, _)| is_read(name)) {
            for (kind, labels) in blocks(&body) {
                match kind.as_str() {
                    "resource" => resources += 1,
                    "import" => imports += 1,
                    _ => {}
                }
                let named = matches!(kind.as_str(), "resource" | "data" | "variable" | "output");
                prop_assert!(!named || addresses.insert((kind.clone(), labels.clone())), "{name}: {kind} {labels:?}");
            }
        }
        prop_assert_eq!(resources, imports, "every resource is imported");
    }

    #[test]
    fn strings_come_through_as_they_are(stack in any::stack()) {
        let files = terraform(&stack).unwrap();
        let found: BTreeSet<String> = configuration(&files).iter().flat_map(|(_, body)| strings_of(body)).collect();
        let mut wanted: Vec<&String> = vec![&stack.name, &stack.database.id];
        wanted.extend(stack.pool.init_query.iter());
        wanted.extend(stack.proxy.tags.iter().flat_map(|(key, value)| [key, value]));
        wanted.extend(stack.groups.iter().map(|group| &group.description));
        wanted.extend(stack.rules.iter().filter_map(|rule| rule.description.as_ref()));
        wanted.extend(stack.secrets.iter().map(|secret| &secret.name));
        for text in wanted.into_iter().filter(|text| !doubled(text)) {
            prop_assert!(found.contains(text), "{text:?} is not in {found:?}");
        }
    }

    #[test]
    fn templates_are_json_and_name_each_imported_resource_once(stack in any::stack()) {
        let files = cloudformation(&stack).unwrap();
        let read = |name: &str| -> serde_json::Value {
            serde_json::from_str(&files.iter().find(|file| file.name == name).unwrap().text).unwrap()
        };
        let (template, list, pool) = (read("template.json"), read("resources-to-import.json"), read("pool.json"));
        let resources = template["Resources"].as_object().unwrap();
        prop_assert_eq!(resources.len(), list.as_array().unwrap().len());
        prop_assert_eq!(resources.len() + 1, pool["Resources"].as_object().unwrap().len());
        for one in list.as_array().unwrap() {
            let id = one["LogicalResourceId"].as_str().unwrap();
            prop_assert_eq!(&resources[id]["Type"], &one["ResourceType"]);
            prop_assert!(id.chars().all(|c| c.is_ascii_alphanumeric()));
        }
        prop_assert_eq!(&resources["Proxy"]["Properties"]["DBProxyName"], &stack.name);
        let fresh = read("stackset.json");
        prop_assert_eq!(&fresh["Resources"]["Proxy"]["Properties"]["EngineFamily"], "MYSQL");
    }
}

#[test]
fn the_value_of_a_template_is_what_was_put_in() {
    // The parser that the laws trust, held to one known text.
    let body: Body = "a = \"x$${y}\\n\\\"\"".parse().unwrap();
    assert_eq!(strings_of(&body), BTreeSet::from(["x${y}\n\"".to_owned()]));
}
