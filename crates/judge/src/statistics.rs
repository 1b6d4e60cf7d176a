//! Exact tests: no approximation by a normal distribution, which does not hold for small counts.

/// Terms that are this much smaller than the sum so far add nothing to a number of 53 bits.
const NEGLIGIBLE: f64 = 1e-18;

/// A count as a number.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a count beyond 2^53 has no use for its last digits")]
pub fn real(count: u64) -> f64 {
    count as f64
}

/// The share of bad ones; nothing of nothing is no share.
#[must_use]
pub fn share(bad: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| real(bad) / real(all))
}

/// The natural logarithm of a factorial: exact products up to 20, then Stirling's series, which is good to 1e-13 there.
fn ln_factorial(number: u64) -> f64 {
    if number <= 20 {
        return (2..=number).map(real).product::<f64>().ln();
    }
    let n = real(number);
    let square = n * n;
    let series = 1.0 / (12.0 * n) * (1.0 - 1.0 / (30.0 * square) * (1.0 - 2.0 / (7.0 * square)));
    (n + 0.5) * n.ln() - n + 0.5 * std::f64::consts::TAU.ln() + series
}

/// The natural logarithm of a binomial coefficient.
fn ln_choose(all: u64, some: u64) -> f64 {
    ln_factorial(all) - ln_factorial(some) - ln_factorial(all - some)
}

/// Sums terms from one that is given by its logarithm; each further one is the one before times a ratio.
fn sum(first: f64, steps: u64, ratio: impl Fn(u64) -> f64) -> f64 {
    // Scaled by the first term, which may be too small for a number by itself.
    let (mut term, mut total, mut scale) = (1.0_f64, 1.0_f64, first);
    for step in 0..steps {
        let ratio = ratio(step);
        term *= ratio;
        total += term;
        // Beyond the mode, terms fall ever faster.
        if ratio < 1.0 && term < total * NEGLIGIBLE {
            break;
        }
        if total > 1e200 {
            scale += total.ln();
            term /= total;
            total = 1.0;
        }
    }
    (scale + total.ln()).exp().clamp(0.0, 1.0)
}

/// The chance of at least so many bad ones in the second of two samples, if both had the same share (Fisher's exact
/// test, one-sided).
///
/// Each sample is its bad ones and all of it. Of equal samples without bad ones it is 1.
#[must_use]
pub fn fisher(first: (u64, u64), second: (u64, u64)) -> f64 {
    let (bad_first, all_first) = (first.0.min(first.1), first.1);
    let (bad, all) = (second.0.min(second.1), second.1);
    let bad_total = bad_first + bad;
    let total = all_first + all;
    // The second sample cannot have fewer bad ones than do not fit into the first.
    if bad <= bad_total.saturating_sub(all_first) {
        return 1.0;
    }
    let first_term = ln_choose(bad_total, bad) + ln_choose(total - bad_total, all - bad) - ln_choose(total, all);
    let last = bad_total.min(all);
    sum(first_term, last - bad, |step| {
        let now = bad + step;
        real(bad_total - now) * real(all - now) / (real(now + 1) * real((total + now + 1) - bad_total - all))
    })
}

/// The chance of at least `bad` of `all` where each is bad with a chance of `p` (exact binomial test, one-sided).
#[must_use]
pub fn binomial_at_least(bad: u64, all: u64, p: f64) -> f64 {
    if bad == 0 || p >= 1.0 {
        return 1.0;
    }
    if p <= 0.0 || bad > all {
        return 0.0;
    }
    let first = ln_choose(all, bad) + real(bad) * p.ln() + real(all - bad) * (-p).ln_1p();
    let odds = p / (1.0 - p);
    sum(first, all - bad, |step| real(all - bad - step) / real(bad + step + 1) * odds)
}

/// The chance of at most `bad` of `all`.
fn binomial_at_most(bad: u64, all: u64, p: f64) -> f64 {
    if bad >= all || p <= 0.0 {
        return 1.0;
    }
    if p >= 1.0 {
        return 0.0;
    }
    let first = ln_choose(all, bad) + real(bad) * p.ln() + real(all - bad) * (-p).ln_1p();
    let odds = (1.0 - p) / p;
    sum(first, bad, |step| real(bad - step) / real(all - bad + step + 1) * odds)
}

/// The largest share that `bad` of `all` do not rule out with a confidence of one minus `risk` (Clopper and Pearson,
/// one-sided). Of nothing, it is 1.
#[must_use]
pub fn upper_bound(bad: u64, all: u64, risk: f64) -> f64 {
    if bad >= all {
        return 1.0;
    }
    // What was seen is never ruled out.
    let (mut low, mut high) = (real(bad) / real(all), 1.0);
    // As many halvings as a number has bits.
    for _ in 0..53 {
        let middle = f64::midpoint(low, high);
        if binomial_at_most(bad, all, middle) > risk {
            low = middle;
        } else {
            high = middle;
        }
    }
    high
}
