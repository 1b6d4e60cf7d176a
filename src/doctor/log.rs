//! The proxy's log of the last hour, counted by what its lines say. No line and no part of one that a client or a
//! statement may have put there goes any further.

pub(super) use observe::proxylog::Told;

use observe::proxylog::{FILTER, LogIn, Pin};

use super::facts::{Known, known};
use super::metrics::now;
use crate::cloud::Cloud;
use crate::plain::counted;
use crate::resources::log_group::name_of;
use crate::survey::Survey;

/// Seconds that are looked at.
const SPAN: i64 = 3600;

/// Reads the log of the last hour, the newest lines first and no more than some pages of them; none where there is no
/// log group.
pub(super) async fn read(cloud: &Cloud, survey: &Survey) -> Known<Option<Told>> {
    let until = now();
    let group = name_of(&survey.names.stack);
    let Some(found) = known(cloud.logs.lines(&group, FILTER, until - SPAN, until).await)? else { return Ok(None) };
    let mut told = Told { more: found.more, ..Told::default() };
    let is_known = |user: &str| {
        survey.login.users.iter().any(|known| known == user) || survey.database.master_user.as_deref() == Some(user)
    };
    for line in &found.lines {
        told.add(line, is_known);
    }
    Ok(Some(told))
}

/// Why sessions were pinned, a sentence each, most frequent first.
pub(super) fn pins(told: &Told) -> Vec<String> {
    let mut pins: Vec<(&Pin, &usize)> = told.pins.iter().collect();
    pins.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
    pins.into_iter()
        .map(|(pin, count)| {
            format!("The log of the last hour has {}: {}.", counted(*count, "pinned session"), pin.words())
        })
        .collect()
}

/// Who was refused, a sentence each.
pub(super) fn refused(survey: &Survey, told: &Told) -> Vec<String> {
    let sentence = |((how, user), count): (&(LogIn, Option<String>), &usize)| {
        let who = match user {
            None => "as a user that no function and no secret of this stack names".to_owned(),
            Some(user) => match survey.login.logins.functions(user).as_slice() {
                [] => format!("as {user}"),
                functions => format!("as {user}, whom {} log in as", functions.join(", ")),
            },
        };
        format!("The log of the last hour has {} {}, {who}.", counted(*count, "refused log-in"), how.words())
    };
    told.refused.iter().map(sentence).collect()
}
