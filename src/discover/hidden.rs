//! Hosts of the database that a value holds in a form that is not changed: such variables are reported, never passed
//! over.
//!
//! A text within base64 cannot be changed byte for byte, and a host whose own letters are percent-encoded is no
//! encoder's work; its author knows what else depends on it.

use std::fmt;

use base64::Engine as _;
use base64::alphabet::{Alphabet, STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use percent_encoding::percent_decode_str;

use super::hosts::{HostKind, KnownHost, mentions};
use crate::cloud::lambda::Function;

/// How often a value is decoded at most: more is nobody's connection string.
const ROUNDS: usize = 3;

/// A variable that holds a host of the database in a form that is not changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hidden {
    /// The function.
    pub function: String,
    /// The variable.
    pub variable: String,
    /// The form.
    pub form: Form,
}

/// In which form a value holds a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Within base64.
    Base64,
    /// Percent-encoded in a way that can be read in several ways.
    Escaped,
}

impl fmt::Display for Hidden {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.form {
            Form::Base64 => "within base64",
            Form::Escaped => "percent-encoded in a way that is not safe to change",
        };
        write!(f, "{} of {} holds a host of the database {form}", self.variable, self.function)
    }
}

/// The variables of a function that hold a host of the database in a form that is not changed.
#[must_use]
pub fn of(function: &Function, known: &[KnownHost]) -> Vec<Hidden> {
    let moving = |host: &&KnownHost| matches!(host.kind, HostKind::Writer | HostKind::Reader);
    let known: Vec<KnownHost> = known.iter().filter(moving).cloned().collect();
    let form = |(variable, value): (&String, &String)| {
        let form = form(value, &known)?;
        Some(Hidden { function: function.name.clone(), variable: variable.clone(), form })
    };
    function.variables.0.iter().filter_map(form).collect()
}

pub(super) fn form(value: &str, known: &[KnownHost]) -> Option<Form> {
    if in_base64(value, known) {
        return Some(Form::Base64);
    }
    let plain = mentions(value, known).len();
    let mut text = value.to_owned();
    for _ in 0..ROUNDS {
        let decoded = percent_decode_str(&text).decode_utf8_lossy().into_owned();
        if decoded == text {
            return None;
        }
        if mentions(&decoded, known).len() > plain {
            return Some(Form::Escaped);
        }
        text = decoded;
    }
    None
}

/// Whether base64 in a value decodes to text with a host: the whole value, or what follows a comma, a colon or a space.
fn in_base64(value: &str, known: &[KnownHost]) -> bool {
    let shortest = known.iter().map(|host| host.name.len()).min().unwrap_or(usize::MAX);
    let of_base64 = |c: char| c.is_ascii_alphanumeric() || "+/-_=".contains(c);
    // Encoders break long lines.
    let whole: String = value.split_ascii_whitespace().collect();
    let mut parts = value.split(|c: char| !of_base64(c)).chain([whole.as_str()]);
    parts.any(|part| {
        let long_enough = part.len().checked_mul(3).is_some_and(|bits| bits / 4 >= shortest);
        long_enough
            && [&STANDARD, &URL_SAFE]
                .into_iter()
                .filter_map(|alphabet| decoded(part, alphabet))
                .any(|text| !mentions(&text, known).is_empty() || form_escaped(&text, known))
    })
}

fn form_escaped(text: &str, known: &[KnownHost]) -> bool {
    let plain = percent_decode_str(text).decode_utf8_lossy();
    !mentions(&plain, known).is_empty()
}

fn decoded(text: &str, alphabet: &Alphabet) -> Option<String> {
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let bytes = GeneralPurpose::new(alphabet, config).decode(text).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD};

    use super::*;

    const DB: &str = "main.abc123.eu-west-1.rds.amazonaws.com";

    #[test]
    fn a_host_in_a_form_that_is_not_changed_is_found() {
        let known = [KnownHost { name: DB.to_owned(), kind: HostKind::Writer }];
        // With letters that the two alphabets write differently.
        for text in [DB.to_owned(), format!("mysql://app:>>>???@{DB}:3306/shop"), format!("app%40{DB}%3A3306")] {
            for engine in [BASE64_STANDARD, BASE64_STANDARD_NO_PAD, BASE64_URL_SAFE, BASE64_URL_SAFE_NO_PAD] {
                let encoded = engine.encode(&text);
                let (start, end) = encoded.split_at(20);
                for value in [
                    encoded.clone(),
                    format!("base64:{encoded}"),
                    format!("data:text/plain;base64,{encoded}"),
                    format!("{{\"dsn\":\"{encoded}\"}}"),
                    format!("{start}\n{end}\n"),
                ] {
                    assert_eq!(form(&value, &known), Some(Form::Base64), "{value}");
                }
            }
        }
        for value in
            [DB.replace('.', "%2E"), DB.replace("main", "%6Dain"), format!("%ab{DB}"), DB.replace('.', "%252E")]
        {
            assert_eq!(form(&value, &known), Some(Form::Escaped), "{value}");
        }
    }

    #[test]
    fn what_is_changed_or_leads_elsewhere_is_not() {
        let known = [KnownHost { name: DB.to_owned(), kind: HostKind::Writer }];
        for value in [
            String::new(),
            DB.to_owned(),
            format!("mysql%3A%2F%2F{DB}%3A3306"),
            format!("mysql%253A%252F%252F{DB}"),
            format!("{DB}%2Ecn"),
            BASE64_STANDARD.encode("elsewhere.abc123.eu-west-1.rds.amazonaws.com"),
            BASE64_STANDARD.encode(format!("{DB}.cn")),
            "%".to_owned(),
            "====".to_owned(),
        ] {
            assert_eq!(form(&value, &known), None, "{value}");
        }
        assert_eq!(form(&BASE64_STANDARD.encode(DB), &[]), None);
    }
}
