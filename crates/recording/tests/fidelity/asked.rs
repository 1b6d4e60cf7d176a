//! The simulated account, asked over its wire.

use std::collections::BTreeMap;
use std::time::Duration;

use recording::{Exchange, Line, Run, Tape};
use sandbox::{Moment, Reply, World};
use serde_json::Value;

use super::{Shape, questions};

/// The simulated account, asked over its wire.
pub(crate) struct Asked {
    pub(crate) world: World,
    pub(crate) now: Moment,
    /// What was answered, by service and operation.
    pub(crate) shapes: BTreeMap<(String, String), Shape>,
}

impl Asked {
    /// The sample account.
    pub(crate) fn newcomer() -> Self {
        Self { world: World::newcomer(), now: Moment(1_000), shapes: BTreeMap::new() }
    }

    pub(crate) fn pass(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    /// Asks, and returns the members of the answer or the refusal's code and status.
    pub(crate) fn ask(
        &mut self,
        service: &str,
        operation: &str,
        target: &str,
        members: &Value,
    ) -> Result<Value, (String, u16)> {
        let scope = questions::scope(service);
        let request = if scope == "lambda" {
            questions::rest("AKIATEST", target, members)
        } else {
            questions::request("AKIATEST", &scope, operation, members)
        };
        let handled = self.world.handle(self.now, &request);
        let Reply::Answer(answer) = handled.reply else { panic!("{operation} was not answered") };
        let header = |name: &str| answer.headers.iter().find(|(held, _)| held == name).map(|(_, value)| value.as_str());
        let tape = Tape::memory(&Run::default());
        tape.call(&Exchange {
            service,
            operation,
            uri: "https://h/",
            status: Some(answer.status),
            answered_as: header("content-type").unwrap_or_default(),
            error_type: header("x-amzn-errortype"),
            answered: &answer.body,
            ..Exchange::default()
        });
        let text = tape.text();
        let Line::Call(call) = serde_json::from_str(text.lines().nth(1).unwrap()).unwrap() else { panic!("{text}") };
        if let Some(error) = call.error {
            return Err((error.code.unwrap_or_default(), answer.status));
        }
        let read = call.response.unwrap().members;
        self.shapes.entry((service.to_owned(), operation.to_owned())).or_default().add("", &read);
        // Ids are pseudonyms there; what is asked next needs them as they are.
        let plain = if answer.body.first() == Some(&b'{') {
            serde_json::from_slice(&answer.body).unwrap()
        } else {
            Value::Null
        };
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        Ok(if plain.is_null() { Value::String(text) } else { plain })
    }

    pub(crate) fn must(&mut self, service: &str, operation: &str, members: &Value) -> Value {
        let asked = self.ask(service, operation, "", members);
        asked.unwrap_or_else(|refusal| panic!("{operation}: {refusal:?}"))
    }

    pub(crate) fn lambda(&mut self, operation: &str, target: &str, members: &Value) -> Value {
        let asked = self.ask("Lambda", operation, target, members);
        asked.unwrap_or_else(|refusal| panic!("{operation}: {refusal:?}"))
    }
}

/// The text of an element.
pub(crate) fn element(answer: &Value, name: &str) -> String {
    let text = answer.as_str().unwrap();
    let from = text.find(&format!("<{name}>")).unwrap_or_else(|| panic!("no {name} in {text}")) + name.len() + 2;
    text[from..].split('<').next().unwrap().to_owned()
}
