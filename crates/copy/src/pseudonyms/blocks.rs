//! Addresses under pseudonyms: two that share their first bits still share as many.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use sha2::{Digest as _, Sha256};

/// An address or a block: whether it is of IPv6, its bits from the top, and how many of them count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Block {
    v6: bool,
    bits: u128,
    length: u8,
}

/// What addresses become.
#[derive(Debug)]
pub(super) struct Blocks {
    key: [u8; 32],
    met: BTreeSet<Block>,
}

const fn v4(a: u8, b: u8, length: u8) -> Block {
    Block { v6: false, bits: (u32::from_be_bytes([a, b, 0, 0]) as u128) << 96, length }
}

const fn v6(group: u16, length: u8) -> Block {
    Block { v6: true, bits: (group as u128) << 112, length }
}

/// Ranges that mean something: what is in one stays in it, and what is not stays outside
/// (<https://www.iana.org/assignments/iana-ipv4-special-registry>, <https://www.iana.org/assignments/ipv6-address-space>).
const RANGES: [Block; 7] =
    [v4(10, 0, 8), v4(100, 64, 10), v4(172, 16, 12), v4(192, 168, 16), v6(0x2000, 3), v6(0xfc00, 8), v6(0xfd00, 8)];

/// Ranges in which addresses are the same in every account, and stay.
const COMMON: [Block; 6] = [v4(0, 0, 8), v4(127, 0, 8), v4(169, 254, 16), v4(224, 0, 3), v6(0, 8), v6(0xfe80, 10)];

impl Block {
    pub(super) fn of(address: IpAddr, length: Option<u8>) -> Option<Self> {
        let (v6, bits, most) = match address {
            IpAddr::V4(address) => (false, u128::from(u32::from(address)) << 96, 32),
            IpAddr::V6(address) => (true, u128::from(address), 128),
        };
        let length = length.unwrap_or(most);
        (length <= most).then_some(Self { v6, bits, length })
    }

    fn holds(self, other: Self) -> bool {
        self.v6 == other.v6
            && self.length <= other.length
            && first(self.bits, self.length) == first(other.bits, self.length)
    }

    fn written(self) -> String {
        match u32::try_from(self.bits >> 96) {
            Ok(bits) if !self.v6 => Ipv4Addr::from(bits).to_string(),
            _ => Ipv6Addr::from(self.bits).to_string(),
        }
    }
}

/// The first bits alone.
fn first(bits: u128, length: u8) -> u128 {
    if length == 0 { 0 } else { bits & (u128::MAX << (128 - u32::from(length.min(128)))) }
}

/// Whether the bit behind these bits is the same in every account.
///
/// On the way into a range, every bit stays; so whatever leaves the way does so where it did.
fn stays(before: Block) -> bool {
    RANGES.iter().chain(&COMMON).any(|range| before.length < range.length && before.holds(*range))
        || COMMON.iter().any(|range| range.holds(before))
}

/// Whether a block is a range, or holds some.
fn is_whole(block: Block) -> bool {
    (0..block.length).all(|length| stays(Block { bits: first(block.bits, length), length, ..block }))
}

impl Blocks {
    /// Addresses that become others by what `account` says: without it, nobody can compute them.
    pub(super) fn of(account: &str) -> Self {
        Self { key: Sha256::digest(account.as_bytes()).into(), met: BTreeSet::new() }
    }

    /// The address that stands for another one, without the length of its block.
    pub(super) fn rename(&mut self, block: Block) -> String {
        self.met.insert(block);
        self.changed(block).written()
    }

    /// Chooses what addresses become, so that no old one is among the new ones, as far as that can be.
    pub(super) fn settle(&mut self) {
        const TRIES: u8 = 64;
        let start = self.key;
        let movable: Vec<Block> = self.met.iter().copied().filter(|block| !is_whole(*block)).collect();
        let mut best: Option<(usize, [u8; 32])> = None;
        for number in 0..TRIES {
            self.key = Sha256::new().chain_update(start).chain_update([number]).finalize().into();
            let stale = movable.iter().filter(|block| self.met.contains(&self.changed(**block))).count();
            if best.is_none_or(|(least, _)| stale < least) {
                best = Some((stale, self.key));
            }
            if stale == 0 {
                break;
            }
        }
        self.key = best.map_or(start, |(_, key)| key);
    }

    fn changed(&self, block: Block) -> Block {
        let mut bits = block.bits;
        for length in 0..block.length {
            if self.flips(Block { bits: first(block.bits, length), length, ..block }) {
                bits ^= 1_u128 << (127 - u32::from(length));
            }
        }
        Block { bits, ..block }
    }

    /// Whether the bit behind these bits becomes the other one.
    fn flips(&self, before: Block) -> bool {
        if stays(before) {
            return false;
        }
        let hash = Sha256::new()
            .chain_update(self.key)
            .chain_update([u8::from(before.v6), before.length])
            .chain_update(before.bits.to_be_bytes());
        hash.finalize().first().is_some_and(|byte| byte & 1 == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn shared(one: Block, other: Block) -> u32 {
        (one.bits ^ other.bits).leading_zeros()
    }

    proptest! {
        #[test]
        fn two_addresses_share_as_many_bits_as_before(key: String, one: u32, other: u32, length in 0_u8..=32) {
            let blocks = Blocks::of(&key);
            let of = |bits: u32| Block::of(IpAddr::V4(Ipv4Addr::from(bits)), Some(length)).unwrap();
            let other = other >> 7 | one & 0xfe00_0000;
            let (one, other) = (of(one), of(other));
            let (new, newer) = (blocks.changed(one), blocks.changed(other));
            let counted = |shared: u32| shared.min(u32::from(length));
            prop_assert_eq!(counted(shared(one, other)), counted(shared(new, newer)));
            prop_assert_eq!(first(new.bits, length) ^ new.bits, first(one.bits, length) ^ one.bits);
            for range in RANGES.iter().chain(&COMMON) {
                prop_assert_eq!(range.holds(one), range.holds(new), "{:?} {:?} {:?}", range, one, new);
                prop_assert_eq!(one.holds(*range), new.holds(*range), "{:?} {:?} {:?}", range, one, new);
            }
        }

        #[test]
        fn the_same_holds_of_ipv6(key: String, one: u128, other: u128, common in 0_u8..=128) {
            let blocks = Blocks::of(&key);
            let of = |bits: u128| Block::of(IpAddr::V6(Ipv6Addr::from(bits)), None).unwrap();
            let (one, other) = (of(one), of(first(one, common) | other & !first(u128::MAX, common)));
            prop_assert_eq!(shared(one, other), shared(blocks.changed(one), blocks.changed(other)));
            for range in RANGES.iter().chain(&COMMON) {
                prop_assert_eq!(range.holds(one), range.holds(blocks.changed(one)));
            }
        }
    }
}
