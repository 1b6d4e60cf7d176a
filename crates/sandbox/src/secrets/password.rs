//! `GetRandomPassword`.

use serde_json::{Value, json};

use super::super::account::{AwsError, Call, World};
use super::super::input;
use super::invalid;

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const PUNCTUATION: &str = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~";

/// A password of the wanted kind. It differs from call to call but is no secret: nothing here guards anything.
pub(super) fn random(world: &mut World, call: &Call) -> Result<Value, AwsError> {
    let length = input::number(&call.input, "PasswordLength").unwrap_or(32);
    let Some(length) = usize::try_from(length).ok().filter(|length| (1..=4096).contains(length)) else {
        return Err(invalid("The password length must be between 1 and 4096."));
    };
    let excluded = call.input.get("ExcludeCharacters").and_then(Value::as_str).unwrap_or_default();
    let flag = |name: &str| input::flag(&call.input, name).unwrap_or(false);
    let kinds = [
        (LOWER, !flag("ExcludeLowercase")),
        (UPPER, !flag("ExcludeUppercase")),
        (DIGITS, !flag("ExcludeNumbers")),
        (PUNCTUATION, !flag("ExcludePunctuation")),
        (" ", flag("IncludeSpace")),
    ];
    let kinds: Vec<Vec<char>> = kinds
        .iter()
        .filter(|(_, wanted)| *wanted)
        .map(|(characters, _)| {
            characters.chars().filter(|character| !excluded.contains(*character)).collect::<Vec<_>>()
        })
        .filter(|characters| !characters.is_empty())
        .collect();
    if kinds.is_empty() {
        return Err(invalid("No characters are left to make a password of."));
    }
    let each = input::flag(&call.input, "RequireEachIncludedType").unwrap_or(true);
    if each && length < kinds.len() {
        return Err(invalid("The password length is too short for every included type of character."));
    }
    let all: Vec<char> = kinds.iter().flatten().copied().collect();
    let mut draw = draws(world);
    let mut pick = |from: &[char]| {
        let index = usize::try_from(draw() % from.len().max(1) as u64).unwrap_or_default();
        from.get(index).copied()
    };
    let mut password: Vec<char> = if each { kinds.iter().filter_map(|kind| pick(kind)).collect() } else { Vec::new() };
    while password.len() < length {
        password.extend(pick(&all));
    }
    // The required ones stand anywhere, not in front.
    for index in (1..password.len()).rev() {
        let other = usize::try_from(draw() % (index as u64 + 1)).unwrap_or_default();
        password.swap(index, other);
    }
    Ok(json!({"RandomPassword": password.into_iter().collect::<String>()}))
}

/// Numbers that follow from the account and the count of passwords so far.
fn draws(world: &mut World) -> impl FnMut() -> u64 {
    let start = world.id("", "password");
    let mut state = start
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    move || {
        state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }
}
