//! Saved plans: what is reviewed is what is carried out, or nothing is.
//!
//! A saved plan holds the settings that it was drawn up with, and what it comes to. A later run draws the plan up again
//! with the same settings, and whatever it comes to then must be a part of what was saved: all of it, or what a run
//! that was killed has left of it (`docs/decisions/0088-saved-plans.md`).

mod settings;

use std::collections::BTreeSet;

use documents::{PlanDifference, PlanEntry, PlanKind, SCHEMA, Version};
use serde::Deserialize;

pub use documents::{Planned, SavedPlan};
pub use settings::{Settings, of_alarms, of_stack, of_up};

use crate::plan::Terms;

/// The most bytes of a file that is read: a plan for ten thousand functions is a tenth of it.
pub const LARGEST: usize = 64 << 20;

/// This version of the program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Which account and Region a plan is for, and when it is drawn up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The account.
    pub account: String,
    /// The Region.
    pub region: String,
    /// When, in UTC.
    pub at: String,
}

/// What is read of a file first: whether it is a plan at all.
#[derive(Deserialize)]
struct Head {
    kind: String,
    schema: u32,
}

/// A plan that is drawn up now.
#[must_use]
pub fn plan(command: Planned, settings: Settings, place: Place, terms: Vec<(String, Terms)>) -> SavedPlan {
    SavedPlan {
        schema: Version,
        kind: PlanKind::Plan,
        version: VERSION.to_owned(),
        created_at: place.at,
        account: place.account,
        region: place.region,
        command,
        settings,
        entries: terms.into_iter().map(entry).collect(),
    }
}

/// Reads a file.
///
/// # Errors
/// Why it is no saved plan.
pub fn read(bytes: &[u8]) -> Result<SavedPlan, String> {
    if bytes.len() > LARGEST {
        return Err(format!("it has more than {LARGEST} bytes"));
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|_| "it is no saved plan, or not whole".to_owned())?;
    if !is_ours(&head) {
        return Err("it is no saved plan".to_owned());
    }
    if head.schema != SCHEMA {
        return Err(format!("its form is {}, and this version reads {SCHEMA}", head.schema));
    }
    let plan: SavedPlan = serde_json::from_slice(bytes).map_err(|error| format!("it is not a whole plan: {error}"))?;
    let mut known = BTreeSet::new();
    match plan.entries.iter().find(|entry| !known.insert(entry.entry.as_str())) {
        Some(twice) => Err(format!("it has the entry {:?} twice", twice.entry)),
        None => Ok(plan),
    }
}

/// Whether a file may be replaced by another plan: only one that is a plan itself, or empty.
#[must_use]
pub fn may_replace(bytes: &[u8]) -> bool {
    bytes.is_empty() || serde_json::from_slice(bytes).is_ok_and(|head: Head| is_ours(&head))
}

/// A plan as a file holds it.
///
/// # Errors
/// None that is known of.
pub fn written(plan: &SavedPlan) -> Result<String, serde_json::Error> {
    let text = serde_json::to_string_pretty(plan)?;
    Ok(crate::plain::json(&text).into_owned() + "\n")
}

/// Where the plan that is drawn up now is no part of the saved one.
#[must_use]
pub fn differences(saved: &SavedPlan, now: Vec<(String, Terms)>) -> Vec<PlanDifference> {
    let now: Vec<PlanEntry> = now.into_iter().map(entry).collect();
    let gone = |entry: &&PlanEntry| !now.iter().any(|now| now.entry == entry.entry);
    // What a teardown deletes is not there any more, and that is what was wanted.
    let lost = |entry: &&PlanEntry| saved.command == Planned::Up && !entry.basis.is_empty();
    let lost = saved.entries.iter().filter(gone).filter(lost).map(|entry| PlanDifference {
        entry: entry.entry.clone(),
        was: entry.basis.iter().map(line).collect(),
        is: Vec::new(),
    });
    let differs = |now: &PlanEntry| match saved.entries.iter().find(|entry| entry.entry == now.entry) {
        Some(entry) => difference(entry, now),
        None => difference(&PlanEntry { actions: BTreeSet::new(), ..now.clone() }, now),
    };
    now.iter().filter_map(differs).chain(lost).collect()
}

fn is_ours(head: &Head) -> bool {
    serde_json::from_value::<PlanKind>(head.kind.clone().into()).is_ok()
}

fn line((name, value): (&String, &Option<String>)) -> String {
    format!("{name}: {}", value.as_deref().unwrap_or("not there"))
}

fn entry((entry, Terms { basis, actions }): (String, Terms)) -> PlanEntry {
    PlanEntry { entry, basis, actions }
}

/// Where an entry is not a part of the saved one: it builds on something else, or does something else.
fn difference(saved: &PlanEntry, now: &PlanEntry) -> Option<PlanDifference> {
    let mut difference = PlanDifference { entry: saved.entry.clone(), was: Vec::new(), is: Vec::new() };
    for (name, was) in saved.basis.iter().filter(|(_, was)| was.is_some()) {
        let is = now.basis.get(name).unwrap_or(&None);
        if is != was {
            difference.was.push(line((name, was)));
            difference.is.push(line((name, is)));
        }
    }
    let more: Vec<String> = now.actions.difference(&saved.actions).cloned().collect();
    if !more.is_empty() {
        difference.was.extend(saved.actions.difference(&now.actions).cloned());
        difference.is.extend(more);
    }
    (!difference.was.is_empty() || !difference.is.is_empty()).then_some(difference)
}
