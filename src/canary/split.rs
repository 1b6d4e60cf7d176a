//! Aliases that send a share of their calls to the proxy before they send all of them.
//!
//! Lambda sends each call to one of two published versions, by chance
//! (<https://docs.aws.amazon.com/lambda/latest/dg/configuring-alias-routing.html>), and CloudWatch has their metrics apart. So the
//! version before the change, at the same time, is what the new one is compared with besides the hour before.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::discover::releases::Frozen;
use crate::resources::release::Move;
use crate::spec::AliasWeight;

/// The shares that are taken by traffic, smallest first. With more than half of its calls elsewhere, nothing is spared.
const SHARES: [u8; 3] = [10, 25, 50];

/// How many calls a share must bring within the soak: twice what a judgement takes, since two of them may fail by
/// chance.
const ENOUGH: u64 = 2 * judge::FEWEST;

/// An alias whose calls are split.
pub(super) struct Split<'a> {
    /// The alias, which points at the version before.
    pub(super) frozen: &'a Frozen,
    /// The version at the proxy.
    pub(super) ours: &'a str,
}

impl<'a> Split<'a> {
    /// Of an alias that sends a share of its calls to a version that was published.
    pub(super) fn of(on_its_way: &'a Move) -> Option<Self> {
        Some(Self { frozen: &on_its_way.frozen, ours: &on_its_way.to.as_ref()?.number })
    }
}

/// The shares of aliases that do not move whole, by [`Frozen::label`].
///
/// `traffic` is how often each was called in so long a time, and without it, that is not known; an alias that is not
/// among it was not called.
pub(super) fn shares(
    frozen: &[Frozen],
    wanted: AliasWeight,
    traffic: Option<&BTreeMap<String, u64>>,
    (counted, soak): (Duration, Duration),
) -> BTreeMap<String, u8> {
    let share = |one: &Frozen| {
        let calls = traffic.map(|all| all.get(&one.label()).copied().unwrap_or(0));
        let in_soak = |calls: u64| u128::from(calls) * soak.as_millis() / counted.as_millis().max(1);
        let percent = match (one.whole, wanted, standing(one), calls) {
            (Some(_), ..) | (_, AliasWeight::Percent(100), ..) => return None,
            (_, AliasWeight::Percent(percent), ..) | (.., Some(percent), _) => percent,
            // What is not known is tried with the fewest calls.
            (.., None) => SHARES[0],
            (.., Some(calls)) => {
                SHARES.into_iter().find(|share| in_soak(calls) * u128::from(*share) >= u128::from(ENOUGH) * 100)?
            }
        };
        Some((one.label(), percent))
    };
    frozen.iter().filter_map(share).collect()
}

/// The share that an earlier run of the canary has set.
fn standing(frozen: &Frozen) -> Option<u8> {
    let thousandths = frozen.alias.split.as_ref()?.thousandths;
    u8::try_from(thousandths / 10).ok().filter(|percent| thousandths % 10 == 0 && (1..100).contains(percent))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::lambda::{Alias, Split};
    use crate::discover::releases::Whole;

    fn frozen(split: Option<u32>, whole: Option<Whole>) -> Frozen {
        let split = split.map(|thousandths| Split { version: "2".to_owned(), thousandths });
        let alias = Alias { name: "live".to_owned(), version: "1".to_owned(), split, revision: None };
        Frozen { function: "Orders".to_owned(), alias, code: String::new(), rest: String::new(), whole }
    }

    fn share(one: Frozen, wanted: AliasWeight, calls: Option<u64>) -> Option<u8> {
        let traffic = calls.map(|calls| BTreeMap::from([("Orders:live".to_owned(), calls)]));
        let spans = (Duration::from_hours(1), Duration::from_mins(5));
        shares(&[one], wanted, traffic.as_ref(), spans).get("Orders:live").copied()
    }

    /// 118 calls are needed in five minutes of an hour: 14,160 an hour at a tenth, 5,664 at a quarter, 2,832 at a half.
    #[test]
    fn the_share_is_the_smallest_that_can_be_judged_within_the_soak() {
        for (calls, expected) in [
            (14_160, Some(10)),
            (14_159, Some(25)),
            (5_664, Some(25)),
            (5_663, Some(50)),
            (2_832, Some(50)),
            (2_831, None),
        ] {
            assert_eq!(share(frozen(None, None), AliasWeight::ByTraffic, Some(calls)), expected, "{calls} calls");
        }
        assert_eq!(share(frozen(None, None), AliasWeight::ByTraffic, None), Some(10), "unknown traffic");
    }

    #[test]
    fn what_is_asked_for_is_taken_and_what_stands_is_kept() {
        assert_eq!(share(frozen(None, None), AliasWeight::Percent(5), Some(0)), Some(5));
        assert_eq!(share(frozen(None, None), AliasWeight::Percent(100), Some(100_000)), None);
        assert_eq!(share(frozen(Some(250), None), AliasWeight::ByTraffic, Some(0)), Some(25));
        assert_eq!(share(frozen(Some(250), None), AliasWeight::Percent(5), Some(0)), Some(5));
        // All of its calls, as Lambda sets it for provisioned concurrency: nothing that a canary has set.
        assert_eq!(share(frozen(Some(1000), None), AliasWeight::ByTraffic, Some(0)), None);
        for whole in [Whole::Provisioned, Whole::OtherConfiguration] {
            assert_eq!(share(frozen(None, Some(whole)), AliasWeight::Percent(5), Some(100_000)), None);
        }
    }
}
