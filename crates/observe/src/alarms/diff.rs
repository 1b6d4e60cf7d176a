//! How an alarm differs from what it should be.

use super::{Alarm, Kind, Of, Part, Unit};

/// The threshold that an alarm has, in the unit of its kind; none where it has none that this tool can read.
#[must_use]
pub fn threshold_of(kind: Kind, alarm: &Alarm) -> Option<f64> {
    let unit = kind.info().unit;
    if unit != Unit::Deviations {
        return alarm.threshold.map(|threshold| threshold / unit.factor());
    }
    let band = alarm.band.as_ref()?;
    let text = alarm.parts.iter().find_map(|part| match &part.of {
        Of::Expression { text, .. } if part.id == *band => Some(text),
        _ => None,
    })?;
    let inside = text.trim().strip_prefix("ANOMALY_DETECTION_BAND(")?.strip_suffix(')')?;
    // Without a width it is two deviations wide.
    let width = inside.split_once(',').map_or(Some(2.0), |(_, width)| width.trim().parse().ok())?;
    (width > 0.0).then_some(width)
}

/// What is to change of an alarm, one clause each.
#[must_use]
pub fn differences(kind: Kind, found: &Alarm, wanted: &Alarm) -> Vec<String> {
    let unit = kind.info().unit;
    let mut clauses = Vec::new();
    let shown =
        |alarm: &Alarm| threshold_of(kind, alarm).map_or_else(|| "none".to_owned(), |number| unit.shown(number));
    let points = |alarm: &Alarm| format!("{} of {}", alarm.needed, alarm.evaluated);
    let topics = |alarm: &Alarm| if alarm.topics.is_empty() { "nobody".to_owned() } else { alarm.topics.join(", ") };
    for (what, now, then) in [
        ("threshold", shown(found), shown(wanted)),
        ("comparison", found.comparison.clone(), wanted.comparison.clone()),
        ("points", points(found), points(wanted)),
        ("missing data", found.missing.clone(), wanted.missing.clone()),
        ("notifies", topics(found), topics(wanted)),
    ] {
        if now != then {
            clauses.push(format!("{what}: {now} -> {then}"));
        }
    }
    if found.description != wanted.description {
        clauses.push("description".to_owned());
    }
    if plain(found) != plain(wanted) || found.band != wanted.band {
        clauses.push("metrics".to_owned());
    }
    clauses
}

/// The parts without the width of a band, which is the threshold, in one order.
fn plain(alarm: &Alarm) -> Vec<Part> {
    let mut parts = alarm.parts.clone();
    for part in &mut parts {
        if let Of::Expression { text, .. } = &mut part.of
            && Some(&part.id) == alarm.band.as_ref()
        {
            let around = text.split([',', ')']).next().unwrap_or_default().to_owned();
            *text = around;
        }
    }
    parts.sort_by(|one, other| one.id.cmp(&other.id));
    parts
}
