//! A canary as text: its waves while they go, and what came of them.

use judge::{Finding, Judgement, Numbers};

use super::layout::{prose, sentence};
use crate::canary::{Stand, Wave};
use crate::engine::event::{AliasShare, WaveEvent, WaveState};

/// The line for a wave that goes on.
pub(super) fn line(wave: &WaveEvent) -> String {
    let WaveEvent { number, of, functions, aliases, state } = wave;
    let whose = functions.join(", ");
    let name = name(*number, *of);
    match state {
        WaveState::Moving => format!("{name}: pointing {whose} at the proxy"),
        WaveState::Completing => {
            let labels: Vec<String> = aliases.iter().map(AliasShare::label).collect();
            format!("{name}: sending all calls of {} to the proxy", labels.join(", "))
        }
        WaveState::Watching => format!("{name}: watching {whose}{}", shares("with", aliases)),
        WaveState::Worse => format!("{name}: worse"),
        WaveState::NotWorse => format!("{name}: not worse"),
        WaveState::Unknown => format!("{name}: unknown"),
    }
}

/// With which share of their calls aliases are at the proxy, to stand behind the functions that are.
#[must_use]
pub fn shares(with: &str, aliases: &[AliasShare]) -> String {
    let shares: Vec<String> = aliases.iter().map(AliasShare::to_string).collect();
    if shares.is_empty() { String::new() } else { format!(", {with} {}", shares.join(", ")) }
}

fn name(number: usize, of: usize) -> String {
    if number == 0 { "[canary]".to_owned() } else { format!("[wave {number}/{of}]") }
}

/// What came of a wave, a line a finding.
#[must_use]
pub fn wave_text(wave: &Wave) -> String {
    let who = match (wave.number, wave.functions.is_empty()) {
        (0, true) => "Before anything moved".to_owned(),
        (0, false) => format!("What had moved before ({}{})", wave.functions.join(", "), shares("with", &wave.aliases)),
        (number, _) => {
            format!("Wave {number} of {} ({}{})", wave.of, wave.functions.join(", "), shares("with", &wave.aliases))
        }
    };
    let mut lines = vec![format!("{who}: {}.", wave.judgement.word())];
    match &wave.judgement {
        Judgement::Worse { found, gaps } => {
            lines.extend(found.iter().map(|finding| format!("  ! {}", numbers(finding))));
            lines.extend(gaps.iter().map(|gap| format!("  ? {}, {}: {}", gap.subject, gap.measure.name(), gap.why)));
        }
        Judgement::Unknown { gaps } => {
            lines.extend(gaps.iter().map(|gap| format!("  ? {}, {}: {}", gap.subject, gap.measure.name(), gap.why)));
        }
        Judgement::NotWorse { judged } => {
            lines.extend(judged.iter().map(|finding| format!("  = {}", numbers(finding))));
        }
    }
    let lines: Vec<String> = lines.iter().map(|line| sentence(line)).collect();
    lines.join("\n")
}

/// How a canary stands for somebody who interrupted it, and what each answer does.
#[must_use]
pub fn stand_text(stand: &Stand) -> String {
    let Stand { number, of, moved, left, back, aliases } = stand;
    let wave = if *number == 0 { "what had moved before".to_owned() } else { format!("wave {number} of {of}") };
    let back = match back.as_slice() {
        [] => "end here: this run has moved nothing that could go back".to_owned(),
        names => format!("point back at the database: {}; the proxy stays", few(names)),
    };
    let lines = [
        format!("Interrupted while watching {wave}; nothing has stopped yet."),
        format!("At the proxy: {}{}.", few(moved), shares("with", aliases)),
        format!("Not moved yet: {}.", few(left)),
        "Until you answer, the watch goes on; functions that are worse off still go back.".to_owned(),
        "  continue  keep watching, as if you had not interrupted".to_owned(),
        "  stop      end here, and keep what has moved at the proxy; so does Ctrl-C".to_owned(),
        format!("  back      {back}"),
    ];
    lines.map(|line| prose(&line)).join("\n")
}

/// The first of several names, and how many more there are.
fn few(names: &[String]) -> String {
    const SHOWN: usize = 4;
    match names {
        [] => "none".to_owned(),
        _ if names.len() <= SHOWN => names.join(", "),
        _ => format!("{} and {} more", names[..SHOWN].join(", "), names.len() - SHOWN),
    }
}

/// A finding in one line, with its numbers and their test.
fn numbers(finding: &Finding) -> String {
    let test = match (finding.p_value, finding.limit) {
        (Some(p), Some(limit)) => format!("; p = {}, the limit is {}", small(p), small(limit)),
        _ => String::new(),
    };
    seen(finding) + &test
}

/// A finding in one line, with its numbers.
#[must_use]
pub fn seen(finding: &Finding) -> String {
    let Finding { subject, measure, numbers, .. } = finding;
    let share = |(bad, all): (u64, u64)| {
        let percent = judge::statistics::share(bad, all).unwrap_or(0.0) * 100.0;
        format!("{bad} of {all} ({percent:.1} %)")
    };
    let numbers = match numbers {
        Numbers::Shares { before: Some(before), after } => {
            format!("{} since the change, {} before", share(*after), share(*before))
        }
        Numbers::Shares { before: None, after } => format!("{} since the change", share(*after)),
        Numbers::Values { before, after, limit } => {
            let (unit, scale) = unit(*measure);
            let value = |value: f64| format!("{:.1} {unit}", value * scale);
            let before = before.map(|before| format!(", {} before", value(before))).unwrap_or_default();
            format!("{} since the change{before}; the limit is {}", value(*after), value(*limit))
        }
    };
    format!("{subject}, {}: {numbers}", measure.name())
}

fn unit(measure: judge::Measure) -> (&'static str, f64) {
    match measure {
        judge::Measure::Pinned => ("%", 100.0),
        judge::Measure::Availability => ("%", 1.0),
        _ => ("ms", 1.0),
    }
}

/// A chance with two figures that matter.
fn small(chance: f64) -> String {
    if chance >= 0.001 { format!("{chance:.3}") } else { format!("{chance:.1e}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use judge::{Measure, Subject};

    #[test]
    fn a_finding_says_its_numbers() {
        let subject = Subject::Function("Orders".to_owned());
        let text = |measure: Measure, numbers: Numbers, p_value: Option<f64>| {
            let limit = p_value.map(|_| 0.0005);
            super::numbers(&Finding { subject: subject.clone(), measure, numbers, p_value, limit })
        };
        let shares = Numbers::Shares { before: Some((3, 3_000)), after: (5, 5) };
        assert_eq!(
            text(Measure::Errors, shares, Some(2.1e-14)),
            "Orders, errors: 5 of 5 (100.0 %) since the change, 3 of 3000 (0.1 %) before; p = 2.1e-14, the limit is 5.0e-4"
        );
        let pinned = Numbers::Values { before: None, after: 0.9, limit: 0.5 };
        assert_eq!(
            text(Measure::Pinned, pinned, None),
            "Orders, pinned connections: 90.0 % since the change; the limit is 50.0 %"
        );
    }
}
