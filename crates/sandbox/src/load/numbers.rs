//! Numbers of one kind as those of another, and numbers by chance that are always the same.

use crate::fault::share;
use std::time::Duration;

/// A whole number as a real one.
pub(super) fn real(whole: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts and moments stay far below 2^53")]
    let real = whole as f64;
    real
}

/// A real number cut to a whole one, and nothing below zero.
pub(super) fn whole(real: f64) -> u32 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
    let whole = real.clamp(0.0, f64::from(u32::MAX)) as u32;
    whole
}

/// A span in milliseconds.
pub(super) fn milliseconds(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

/// A number from 0 up to 1 that depends on nothing but the three given.
pub(super) fn chance(seed: u64, name: u64, index: i64) -> f64 {
    share(seed ^ name, u64::from_ne_bytes(index.to_ne_bytes()))
}

/// A number around 0 with a deviation of about 1: the sum of three chances.
pub(super) fn deviation(seed: u64, name: u64, index: i64) -> f64 {
    let sum: f64 = (1..=3).map(|part| chance(seed.wrapping_add(part), name, index)).sum();
    (sum - 1.5) * 2.0
}
