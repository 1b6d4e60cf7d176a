//! Targets that AWS reported as unhealthy although the copy has nothing that would explain it.
//!
//! The cause is then inside the database or the proxy, where no answer shows it, and nothing in the copy heals it.

use sandbox::parts::TargetTrouble;

use super::Build;
use crate::facts::{Kind, Thing};
use crate::read::{inner, string, text};

pub(super) fn build(build: &mut Build<'_>) {
    let facts = build.facts;
    for (proxy, _, row) in facts.parts(Kind::Target) {
        let instance = string(row, "RdsResourceId").to_ascii_lowercase();
        let Some(trouble) = inner(row, "TargetHealth").and_then(trouble) else { continue };
        if build.world.target_health(proxy, &instance).is_none_or(|(state, _)| state != "AVAILABLE") {
            continue;
        }
        if let Some(found) = build.world.rds.instances.get_mut(&instance) {
            found.is_unhealthy = Some(trouble);
            build.gap(
                format!("why {instance} behind the proxy {proxy} is not available"),
                "is not known; in the copy it stays so",
            );
        }
    }
}

/// What keeps a target from being available, by AWS's reason.
fn trouble(health: &Thing) -> Option<TargetTrouble> {
    if text(health, "State") != Some("UNAVAILABLE") {
        return None;
    }
    Some(match text(health, "Reason") {
        Some("PENDING_PROXY_CAPACITY") => TargetTrouble::Capacity,
        Some("AUTH_FAILURE") => TargetTrouble::Credentials,
        Some("UNREACHABLE") => TargetTrouble::Unreachable,
        Some("CONNECTION_FAILED") => TargetTrouble::Refused,
        Some("PROMOTED") => TargetTrouble::Promoted,
        _ => TargetTrouble::Blocked,
    })
}
