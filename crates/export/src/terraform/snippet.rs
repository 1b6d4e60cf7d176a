//! The functions' environment: lines to paste, since the functions' resources belong to others.

use hcl::{Expression, Structure};

use super::section;
use crate::Stack;
use crate::hcl_text::{Section, attribute, block, map, reference, text};
use crate::labels::Labels;
use crate::stack::{Function, Holds, Variable};

/// The file, whose ending keeps Terraform from reading it.
pub(super) const NAME: &str = "functions.tf.txt";

/// What the file is.
pub(super) fn head() -> Vec<String> {
    [
        "Lines for the resources of your functions, wherever they are kept. Terraform does not read this file.",
        "Keep what those resources say already, and set these variables in them. In another configuration, use the outputs",
        "endpoint, reader_endpoint and port of this one.",
    ]
    .map(str::to_owned)
    .to_vec()
}

/// A block for each function that uses the proxy.
pub(super) fn sections(stack: &Stack) -> Option<Vec<Section>> {
    let mut labels = Labels::default();
    let all: Vec<Section> = stack.functions.iter().map(|function| of(function, stack, &mut labels)).collect();
    (!all.is_empty()).then_some(all)
}

fn of(function: &Function, stack: &Stack, labels: &mut Labels) -> Section {
    let label = labels.of(&function.name, &function.name);
    let (more, plain): (Vec<_>, Vec<_>) = function.variables.iter().partition(|variable| variable.holds == Holds::More);
    let values = plain.into_iter().map(|variable| (&variable.name, value(variable, stack)));
    let environment = block("environment", &[], [attribute("variables", map(values))]);
    let mut comment = vec![function.name.clone()];
    for variable in more {
        let host =
            if variable.reader { "aws_db_proxy_endpoint.reader.endpoint" } else { "aws_db_proxy.proxy.endpoint" };
        comment.push(format!("{}: holds more than a host; keep it, with ${{{host}}} as its host.", variable.name));
    }
    let comment: Vec<&str> = comment.iter().map(String::as_str).collect();
    section(&comment, [block("resource", &["aws_lambda_function", &label], [Structure::from(environment)])])
}

fn value(variable: &Variable, stack: &Stack) -> Expression {
    match (variable.holds, variable.reader) {
        (Holds::Port, _) => text(&stack.proxy.port.to_string()),
        (_, true) => reference(&["aws_db_proxy_endpoint", "reader", "endpoint"]),
        (_, false) => reference(&["aws_db_proxy", "proxy", "endpoint"]),
    }
}
