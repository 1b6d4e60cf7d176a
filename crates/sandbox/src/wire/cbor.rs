//! CBOR, as the protocol `smithy-rpc-v2-cbor` has it (<https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>).

use minicbor::data::{IanaTag, Tag, Type};
use minicbor::{Decoder, Encoder};
use serde_json::{Map, Number, Value};

use super::times;
use crate::account::AwsError;

/// No input of a service spoken here nests deeper.
const DEEPEST: u32 = 32;

/// Reads a document; a moment becomes the number of its seconds since 1970.
pub(super) fn decode(body: &[u8]) -> Result<Value, AwsError> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut decoder = Decoder::new(body);
    value(&mut decoder, 0)
        .map_err(|error| AwsError::new(400, "SerializationException", format!("The body is not CBOR: {error}")))
}

fn value(decoder: &mut Decoder<'_>, depth: u32) -> Result<Value, minicbor::decode::Error> {
    if depth > DEEPEST {
        return Err(minicbor::decode::Error::message("it nests too deep"));
    }
    Ok(match decoder.datatype()? {
        Type::Bool => Value::Bool(decoder.bool()?),
        Type::Null | Type::Undefined => {
            decoder.skip()?;
            Value::Null
        }
        Type::F16 | Type::F32 | Type::F64 => Number::from_f64(decoder.f64()?).map_or(Value::Null, Value::Number),
        Type::String => Value::String(decoder.str()?.to_owned()),
        Type::StringIndef => Value::String(decoder.str_iter()?.collect::<Result<String, _>>()?),
        Type::Tag => {
            decoder.tag()?;
            value(decoder, depth + 1)?
        }
        Type::Array | Type::ArrayIndef => {
            let mut items = Vec::new();
            match decoder.array()? {
                Some(length) => {
                    for _ in 0..length {
                        items.push(value(decoder, depth + 1)?);
                    }
                }
                None => {
                    while !ended(decoder)? {
                        items.push(value(decoder, depth + 1)?);
                    }
                }
            }
            Value::Array(items)
        }
        Type::Map | Type::MapIndef => {
            let mut members = Map::new();
            let length = decoder.map()?;
            let mut read = 0;
            while length.map_or_else(|| ended(decoder).map(|ended| !ended), |length| Ok(read < length))? {
                let Value::String(name) = value(decoder, depth + 1)? else {
                    return Err(minicbor::decode::Error::message("a member's name is no text"));
                };
                members.insert(name, value(decoder, depth + 1)?);
                read += 1;
            }
            Value::Object(members)
        }
        _ => Value::Number(decoder.i64()?.into()),
    })
}

/// Whether a list or map without a length ends here.
fn ended(decoder: &mut Decoder<'_>) -> Result<bool, minicbor::decode::Error> {
    let ended = decoder.datatype()? == Type::Break;
    if ended {
        decoder.skip()?;
    }
    Ok(ended)
}

/// Writes a document.
pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // Writing to memory cannot fail, and the type says so.
    match write(&mut encoder, value) {
        Ok(()) => encoder.into_writer(),
        Err(_) => Vec::new(),
    }
}

fn write(
    encoder: &mut Encoder<Vec<u8>>,
    value: &Value,
) -> Result<(), minicbor::encode::Error<std::convert::Infallible>> {
    match value {
        Value::Null => encoder.null()?,
        Value::Bool(flag) => encoder.bool(*flag)?,
        Value::Number(number) => match number.as_i64() {
            Some(whole) => encoder.i64(whole)?,
            None => encoder.f64(number.as_f64().unwrap_or_default())?,
        },
        Value::String(text) => match times::read(text) {
            Some(milliseconds) => {
                encoder.tag(Tag::from(IanaTag::Timestamp))?;
                if milliseconds % 1000 == 0 {
                    encoder.i64(milliseconds / 1000)?
                } else {
                    encoder.f64(times::seconds(milliseconds))?
                }
            }
            None => encoder.str(text)?,
        },
        Value::Array(items) => {
            encoder.array(items.len() as u64)?;
            for item in items {
                write(encoder, item)?;
            }
            encoder
        }
        Value::Object(members) => {
            // A member that is null is absent.
            let members = members.iter().filter(|(_, value)| !value.is_null());
            encoder.begin_map()?;
            for (name, value) in members {
                encoder.str(name)?;
                write(encoder, value)?;
            }
            encoder.end()?
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read_and_moments_are_tagged_numbers() {
        let document = json!({ "a": [1, -2, 2.5, "x", true], "b": { "c": {} }, "d": null });
        assert_eq!(decode(&encode(&document)).ok(), Some(json!({ "a": [1, -2, 2.5, "x", true], "b": { "c": {} } })));
        let bytes = encode(&times::at(1_767_225_600_000));
        // RFC 8949, appendix A: 0xc1 is tag 1, 0x1a a number of four bytes.
        assert_eq!(bytes, [0xc1, 0x1a, 0x69, 0x55, 0xb9, 0x00]);
        assert_eq!(decode(&bytes).ok(), Some(json!(1_767_225_600)));
        assert_eq!(encode(&json!(3.0))[0], 0xfb, "a double stays one");
    }

    #[test]
    fn lists_and_maps_may_have_no_length() {
        // RFC 8949, appendix A: {_ "a": 1, "b": [_ 2, 3]} and (_ "strea", "ming").
        let map = [0xbf, 0x61, 0x61, 0x01, 0x61, 0x62, 0x9f, 0x02, 0x03, 0xff, 0xff];
        assert_eq!(decode(&map).ok(), Some(json!({ "a": 1, "b": [2, 3] })));
        let text = [0x7f, 0x65, 0x73, 0x74, 0x72, 0x65, 0x61, 0x64, 0x6d, 0x69, 0x6e, 0x67, 0xff];
        assert_eq!(decode(&text).ok(), Some(json!("streaming")));
    }

    #[test]
    fn what_is_no_cbor_is_refused() {
        for body in [&[0xff_u8][..], &[0x81], &[0xa1, 0x01, 0x01], &[0x81; 100], &[0x1c]] {
            assert_eq!(decode(body).map_err(|error| error.code), Err("SerializationException".to_owned()), "{body:?}");
        }
    }
}
