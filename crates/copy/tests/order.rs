//! Laws: the order of answers makes no difference, nor how often they come, and nothing that comes makes a copy fail.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on must fail")]

mod common;

use std::sync::OnceLock;

use common::{Line, Traffic, accounts, heard, read_all};
use copy::{Copy, Variables};
use proptest::prelude::*;
use serde_json::json;

fn all(_: &str, variables: &Variables) -> Variables {
    variables.clone()
}

/// What an account with everything answers, once as it is and once after it changed.
fn traffic() -> &'static [Traffic] {
    static TRAFFIC: OnceLock<Vec<Traffic>> = OnceLock::new();
    TRAFFIC.get_or_init(|| {
        let mut line = Line::to(accounts::busy());
        read_all(&mut line);
        let functions = &mut line.world.lambda.functions;
        for function in functions.values_mut() {
            function.latest.timeout += 1;
            function.latest.description.push_str(", changed");
            function.tags.insert("changed".to_owned(), "yes".to_owned());
        }
        "modifying".clone_into(&mut line.world.rds.instances.get_mut("my-instance").unwrap().status);
        for secret in line.world.secrets.secrets.values_mut() {
            secret
                .versions
                .iter_mut()
                .for_each(|version| version.text = Some(json!({ "password": "new" }).to_string()));
        }
        line.world.secrets.secrets.remove("my-cluster/app");
        let nobody =
            sandbox::Principal { arn: "arn:aws:iam::123456789012:user/nobody".to_owned(), policies: Some(Vec::new()) };
        line.world.principals.insert("AKIATEST".to_owned(), nobody);
        read_all(&mut line);
        line.traffic
    })
}

fn text(copy: &Copy) -> (String, String) {
    (serde_json::to_string(&copy.world).unwrap(), format!("{:?}", copy.gaps))
}

fn expected() -> &'static (String, String) {
    static EXPECTED: OnceLock<(String, String)> = OnceLock::new();
    EXPECTED.get_or_init(|| text(&heard(traffic()).finish(&all)))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_of_answers_makes_no_difference(
        shuffled in Just(traffic().to_vec()).prop_shuffle(),
        again in proptest::collection::vec(0..traffic().len(), 0..40),
    ) {
        let mut shuffled = shuffled;
        shuffled.extend(again.iter().map(|at| traffic()[*at].clone()));
        let found = text(&heard(&shuffled).finish(&all));
        prop_assert_eq!(&found.1, &expected().1);
        prop_assert_eq!(&found.0, &expected().0);
    }

    #[test]
    fn nothing_that_comes_makes_a_copy_fail(
        changes in proptest::collection::vec((0..traffic().len(), any::<prop::sample::Index>(), any::<u8>(), 0..4_u8), 1..60),
    ) {
        let mut all_calls = traffic().to_vec();
        for (at, place, byte, what) in changes {
            let call = &mut all_calls[at];
            let body = if what == 0 { &mut call.request.body } else { &mut call.answered };
            if body.is_empty() {
                call.status = u16::from(byte) * 3;
                continue;
            }
            let place = place.index(body.len());
            match what {
                0 | 1 => body[place] = byte,
                2 => body.truncate(place),
                _ => drop(body.splice(place..place, b"<a>&amp;</a>{}[]\"\\u0000%ff-9999999999999999999".iter().copied())),
            }
        }
        let copy = heard(&all_calls).finish(&all);
        prop_assert!(!copy.gaps.is_empty());
        // Whatever it is, it can be asked.
        let mut line = Line::to(copy.world);
        read_all(&mut line);
    }
}
