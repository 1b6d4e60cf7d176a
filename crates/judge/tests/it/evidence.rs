//! Evidence that tests begin from.

use judge::{Counts, Evidence, Function, Proxy, Reading, Share};

/// What a function did: invocations, errors, throttles, p95.
pub(crate) fn counts(invocations: u64, errors: u64, throttles: u64, p95_ms: f64) -> Reading<Counts> {
    Reading::Known(Counts { invocations, errors, throttles, p95_ms: Reading::Known(p95_ms) })
}

pub(crate) fn function(name: &str, before: Reading<Counts>, after: Reading<Counts>) -> Function {
    Function { name: name.to_owned(), before, after }
}

/// A function that does as before.
pub(crate) fn steady(name: &str) -> Function {
    function(name, counts(3_000, 3, 0, 120.0), counts(300, 0, 0, 125.0))
}

pub(crate) fn healthy() -> Proxy {
    Proxy {
        refused: Reading::Known(Share { bad: 0, all: 12 }),
        failed_setups: Reading::Known(Share { bad: 0, all: 8 }),
        borrow_ms: Reading::Known(0.4),
        pinned: Reading::Known(0.05),
        available: Reading::Known(100.0),
    }
}

/// One function has moved, one has not, and nothing is wrong.
pub(crate) fn fine() -> Evidence {
    Evidence { moved: vec![steady("first")], control: vec![steady("other")], proxy: healthy(), looks: 15 }
}
