//! What probes will do and what they found, as text.

use super::style::{marked, quiet};
use crate::plain::line;
use crate::probe::{How, Proof, Seat};

/// Where temporary functions will be made, and that they go again.
#[must_use]
pub fn seats(seats: &[Seat]) -> String {
    let mut text = String::from("Temporary functions test the connection, and are always deleted afterwards:\n");
    for seat in seats {
        let row = format!("+ {}, with the role and network of {}", seat.name, line(&seat.functions.join(", ")));
        text.push_str(&format!("{}\n", marked('+', &row)));
        text.push_str(&format!(
            "    role {}, subnets {}, groups {}\n",
            seat.role_name(),
            seat.subnets.join(", "),
            seat.security_groups.join(", ")
        ));
    }
    text
}

/// One proof: a row for each stage, and of what failed the cause and how to fix it.
#[must_use]
pub fn proof(proof: &Proof) -> String {
    let mut rows = vec![
        line(&format!("From {}, {}, to {}:{}", proof.functions.join(", "), proof.who(), proof.host, proof.port))
            .into_owned(),
    ];
    for stage in &proof.stages {
        let word = if stage.ok { "ok" } else { "failed" };
        let (name, ms, evidence) = (&stage.stage, stage.ms, &stage.evidence);
        let code = stage.fault.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
        let row = format!("  {word:<6}  {name:<5}  {ms:>8.1} ms  {code}{evidence}");
        let row = line(&row).into_owned();
        rows.push(if stage.ok { row } else { marked('!', &row) });
    }
    if let Some((_, fault)) = proof.failure() {
        match fault {
            Some(fault) => {
                rows.push(format!("          likely: {}", fault.cause));
                rows.push(format!("          fix:    {}", fault.fix));
            }
            None => rows.push("          This version knows no cause for it; the code is shown as it came.".to_owned()),
        }
    }
    if proof.ok && proof.login == How::Greeting {
        let why = "nobody logged in: that takes a password, which --probe-login lets the probe use";
        rows.push(quiet(&format!("          {why}")));
    }
    rows.join("\n")
}
