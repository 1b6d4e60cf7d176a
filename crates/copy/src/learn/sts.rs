//! Who calls.

use super::Said;
use crate::facts::{Facts, Kind};

pub(super) fn learn(facts: &mut Facts, said: Said<'_>) {
    if said.action == "GetCallerIdentity" {
        facts.note(Kind::Caller, "", &said.whole());
    }
}
