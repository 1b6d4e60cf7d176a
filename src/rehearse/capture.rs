//! The real account, read once: every answer becomes a part of the copy.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use copy::{Copy, Copying, Heard};
use sandbox::{Request, Service};
use serde_json::Value;

use crate::cloud::Calls;
use crate::cloud::calls::Traffic;
use crate::cloud::lambda::Variables;
use crate::discover::essence::Essence;
use crate::discover::hosts::{HostKind, KnownHost};
use crate::survey::Survey;

/// Members of inputs that say which page is asked for, and how large it is.
const PAGING: [&str; 12] = [
    "Marker",
    "MaxItems",
    "MaxRecords",
    "MaxResults",
    "NextToken",
    "limit",
    "marker",
    "maxItems",
    "maxResults",
    "nextToken",
    "Limit",
    "Token",
];

/// A read: which operation, with which input.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Question {
    service: Service,
    action: String,
    input: String,
    /// The names in it.
    words: BTreeSet<String>,
}

impl Question {
    pub(super) fn of(asked: &sandbox::Asked) -> Self {
        let mut input = asked.input.clone();
        if let Value::Object(members) = &mut input {
            members.retain(|name, _| !PAGING.contains(&name.as_str()));
        }
        let mut words = BTreeSet::new();
        leaves(&input, false, &mut words);
        Self { service: asked.service, action: asked.action.clone(), input: input.to_string(), words }
    }

    /// `rds:DescribeDBProxies`.
    pub(super) fn operation(&self) -> String {
        format!("{}:{}", super::prefix(self.service), self.action)
    }
}

/// The texts in a value; with `names`, those of its members, too.
fn leaves(value: &Value, names: bool, words: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(words.insert(text.clone())),
        Value::Array(items) => items.iter().for_each(|item| leaves(item, names, words)),
        Value::Object(members) => members.iter().for_each(|(name, held)| {
            words.extend(names.then(|| name.clone()));
            leaves(held, names, words);
        }),
        _ => {}
    }
}

/// What the real account was asked.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    questions: BTreeSet<Question>,
    /// All that is in the copy.
    words: BTreeSet<String>,
    /// What there is none of: names that were asked for in vain.
    absent: BTreeSet<String>,
}

impl Asked {
    pub(super) fn contains(&self, question: &Question) -> bool {
        self.questions.iter().any(|known| {
            known.service == question.service && known.action == question.action && known.input == question.input
        })
    }

    /// Whether a question is about what the real account has: every name in it is one that it knows, and none that was
    /// asked for in vain.
    pub(super) fn concerns(&self, question: &Question) -> bool {
        let about = |word: &String| self.words.contains(word) && !self.absent.contains(word);
        question.words.iter().all(about) || question.words.is_empty()
    }
}

/// Hears what the real account answers.
#[derive(Debug, Clone, Default)]
pub struct Capture(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// None before the Region is known.
    copying: Option<Copying>,
    asked: Asked,
}

impl Capture {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins the copy of an account in that Region.
    pub fn begin(&self, region: &str) {
        self.state().copying = Some(Copying::new(region));
    }

    /// The calls of a session, heard and kept from changing anything.
    #[must_use]
    pub fn listening(&self, calls: Calls) -> Calls {
        let capture = self.clone();
        calls.overheard_by(move |traffic| capture.hear(traffic)).reading_only()
    }

    fn hear(&self, traffic: &Traffic<'_>) {
        let target = traffic.uri.split_once("://").map_or(traffic.uri, |(_, rest)| rest);
        let target = target.find('/').and_then(|at| target.get(at..)).unwrap_or("/");
        let request = Request {
            method: traffic.method.to_owned(),
            target: target.to_owned(),
            headers: traffic.headers.iter().cloned().collect(),
            body: traffic.sent.to_vec(),
        };
        let mut state = self.state();
        if let Some(asked) = sandbox::Asked::of(&request) {
            let question = Question::of(&asked);
            if traffic.status >= 400 {
                state.asked.absent.extend(question.words.iter().cloned());
            }
            state.asked.words.extend(question.words.iter().cloned());
            state.asked.questions.insert(question);
        }
        if let Some(copying) = &mut state.copying {
            copying.hear(&Heard {
                request: &request,
                status: traffic.status,
                answered_as: traffic.answered_as,
                error_type: traffic.error_type,
                answered: traffic.answered,
            });
        }
    }

    /// The copy, of which functions' variables keep what is read of them, and what the account was asked.
    ///
    /// The survey says which hosts and secrets those may name.
    #[must_use]
    pub fn finish(&self, survey: &Survey) -> (Copy, Asked) {
        let mut state = self.state();
        let copying = state.copying.take().unwrap_or_else(|| Copying::new(&survey.region));
        let mut asked = std::mem::take(&mut state.asked);
        drop(state);
        // Other proxies' endpoints count as well: whether something holds one is looked at.
        let others = copying.proxy_hosts().into_iter().map(|name| KnownHost { name, kind: HostKind::Proxy });
        let mut hosts = survey.every_host();
        let others = others.filter(|other| !hosts.iter().any(|known| known.name.eq_ignore_ascii_case(&other.name)));
        let others: Vec<KnownHost> = others.collect();
        hosts.extend(others);
        let secrets: Vec<String> =
            survey.secrets.found.iter().flat_map(|secret| [secret.arn.clone(), secret.name.clone()]).collect();
        let essence = RefCell::new(Essence::new(&hosts, &secrets));
        let copy = copying.finish(&|_, variables| essence.borrow_mut().of(&Variables(variables.clone())).0);
        leaves(&copy.world.dump(), true, &mut asked.words);
        (copy, asked)
    }
}
