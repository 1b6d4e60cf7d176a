//! CBOR, as the protocol `smithy-rpc-v2-cbor` has it (<https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html>).

use minicbor::data::{IanaTag, Tag, Type};
use minicbor::{Decoder, Encoder};
use serde_json::{Map, Number, Value, json};

/// No document of a service spoken here nests deeper.
const DEEPEST: u32 = 32;
/// A moment, which JSON has no type for: `{"@time": seconds}`.
pub(crate) const TIME: &str = "@time";

/// Reads a document.
pub(super) fn decode(body: &[u8]) -> Option<Value> {
    value(&mut Decoder::new(body), 0).ok()
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
            let tag = decoder.tag()?;
            let inner = value(decoder, depth + 1)?;
            if tag == Tag::from(IanaTag::Timestamp) { json!({ TIME: inner }) } else { inner }
        }
        Type::Array | Type::ArrayIndef => {
            let length = decoder.array()?;
            let mut items = Vec::new();
            while more(decoder, length, items.len())? {
                items.push(value(decoder, depth + 1)?);
            }
            Value::Array(items)
        }
        Type::Map | Type::MapIndef => {
            let length = decoder.map()?;
            let (mut members, mut read) = (Map::new(), 0);
            while more(decoder, length, read)? {
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

/// Whether a list or map has another item.
fn more(decoder: &mut Decoder<'_>, length: Option<u64>, read: usize) -> Result<bool, minicbor::decode::Error> {
    if let Some(length) = length {
        return Ok((read as u64) < length);
    }
    let ended = decoder.datatype()? == Type::Break;
    if ended {
        decoder.skip()?;
    }
    Ok(!ended)
}

/// Writes a document.
#[must_use]
pub fn encode(value: &Value) -> Vec<u8> {
    let mut encoder = Encoder::new(Vec::new());
    // Writing to memory cannot fail, and the type says so.
    match write(&mut encoder, value) {
        Ok(()) => encoder.into_writer(),
        Err(_) => Vec::new(),
    }
}

type Written = Result<(), minicbor::encode::Error<std::convert::Infallible>>;

fn write(encoder: &mut Encoder<Vec<u8>>, value: &Value) -> Written {
    match value {
        Value::Null => encoder.null()?,
        Value::Bool(flag) => encoder.bool(*flag)?,
        Value::Number(number) => match number.as_i64() {
            Some(whole) => encoder.i64(whole)?,
            None => encoder.f64(number.as_f64().unwrap_or_default())?,
        },
        Value::String(text) => encoder.str(text)?,
        Value::Array(items) => {
            encoder.array(items.len() as u64)?;
            for item in items {
                write(encoder, item)?;
            }
            encoder
        }
        Value::Object(members) => {
            if let (1, Some(seconds)) = (members.len(), members.get(TIME)) {
                encoder.tag(Tag::from(IanaTag::Timestamp))?;
                return write(encoder, seconds);
            }
            encoder.map(members.len() as u64)?;
            for (name, value) in members {
                encoder.str(name)?;
                write(encoder, value)?;
            }
            encoder
        }
    };
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_moments_are_tagged_numbers() {
        let document = json!({ "a": [1, -2, 2.5, "x", true, null], "b": { "c": {} }, "t": { TIME: 1_767_225_600 } });
        assert_eq!(decode(&encode(&document)), Some(document));
        // RFC 8949, appendix A: 0xc1 is tag 1, 0x1a a number of four bytes; {_ "a": 1, "b": [_ 2, 3]}.
        assert_eq!(decode(&[0xc1, 0x1a, 0x69, 0x55, 0xb9, 0x00]), Some(json!({ TIME: 1_767_225_600 })));
        let map = [0xbf, 0x61, 0x61, 0x01, 0x61, 0x62, 0x9f, 0x02, 0x03, 0xff, 0xff];
        assert_eq!(decode(&map), Some(json!({ "a": 1, "b": [2, 3] })));
    }

    #[test]
    fn what_is_no_cbor_is_not_read() {
        for body in [&[0xff_u8][..], &[0x81], &[0xa1, 0x01, 0x01], &[0x81; 100], &[0x1c]] {
            assert_eq!(decode(body), None, "{body:?}");
        }
    }
}
