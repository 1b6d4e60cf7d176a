//! Numbers of one kind as those of another, and numbers by chance that are always the same.

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

/// A number from 0 up to 1 that depends on nothing but the three given (splitmix64).
pub(super) fn chance(seed: u64, name: u64, index: i64) -> f64 {
    let index = u64::from_ne_bytes(index.to_ne_bytes());
    let mut mixed = (seed ^ name).wrapping_add(index.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^= mixed >> 31;
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit a double exactly")]
    let fraction = (mixed >> 11) as f64 / (1_u64 << 53) as f64;
    fraction
}

/// A number around 0 with a deviation of about 1: the sum of three chances.
pub(super) fn deviation(seed: u64, name: u64, index: i64) -> f64 {
    let sum: f64 = (1..=3).map(|part| chance(seed.wrapping_add(part), name, index)).sum();
    (sum - 1.5) * 2.0
}
