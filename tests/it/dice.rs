//! Chance that can be repeated: a seed tells everything that follows.
//!
//! `RDSPROXY_TEST_SEED=7` repeats one walk, `RDSPROXY_TEST_WALKS=5000` walks for long.

use std::time::Duration;

/// A small generator (splitmix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(0x2545_F491_4F6C_DD1D))
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 up to `end`, without it.
    pub(crate) fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }

    /// Dice of their own for one of several runs.
    pub(crate) fn fork(&mut self) -> Self {
        Self::new(self.next())
    }

    /// Nothing, some seconds, or some minutes.
    pub(crate) async fn wait(&mut self) {
        let span = [0, 2_000, 30_000, 240_000][self.below(4)];
        let span = Duration::from_millis(self.next() % (span + 1));
        tokio::time::sleep(span).await;
    }
}

/// The seeds of a test: the one that was asked for, or the first so many.
pub(crate) fn seeds(short: u64) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    if let Some(seed) = number("RDSPROXY_TEST_SEED") {
        return vec![seed];
    }
    (0..number("RDSPROXY_TEST_WALKS").unwrap_or(short)).collect()
}
