//! Conversions between whole numbers and floating point, in one place.

/// Returns the nearest floating-point number.
#[expect(clippy::cast_precision_loss, reason = "a count beyond 2^53 has no use for its last digits")]
pub(crate) fn float(number: u64) -> f64 {
    number as f64
}

/// Returns the whole number below, 0 for what is not a number and the largest there is for what is beyond it.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "`as` saturates, which is what is wanted here"
)]
pub(crate) fn whole(number: f64) -> u64 {
    number as u64
}

/// Returns a share in percent, rounded up.
pub(crate) fn percent_up(number: u64, percent: u64) -> u64 {
    u64::try_from((u128::from(number) * u128::from(percent)).div_ceil(100)).unwrap_or(u64::MAX)
}

/// Returns a share in percent, rounded down.
pub(crate) fn percent_down(number: u64, percent: u64) -> u64 {
    u64::try_from(u128::from(number) * u128::from(percent) / 100).unwrap_or(u64::MAX)
}

/// Returns `number * by / over`, rounded up; over nothing it is the largest number.
pub(crate) fn ratio_up(number: u64, by: u64, over: u64) -> u64 {
    (u128::from(number) * u128::from(by)).checked_div(u128::from(over)).map_or(u64::MAX, |_| {
        u64::try_from((u128::from(number) * u128::from(by)).div_ceil(u128::from(over))).unwrap_or(u64::MAX)
    })
}
