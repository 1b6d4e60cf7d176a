//! Laws of the three protocols.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::account::{Reply, Request, World};

/// What the account answers to a request: status, headers, body.
fn answered(
    world: &mut World,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> (u16, BTreeMap<String, String>, Vec<u8>) {
    let scope = "AWS4-HMAC-SHA256 Credential=AKIA/20260101/eu-central-1/monitoring/aws4_request, SignedHeaders=host, Signature=0";
    let mut all = BTreeMap::from([
        ("authorization".to_owned(), scope.to_owned()),
        ("x-amz-date".to_owned(), "20270203T040506Z".to_owned()),
    ]);
    all.extend(headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    let request = Request { method: "POST".into(), target: target.into(), headers: all, body: body.to_vec() };
    let now = world.now;
    let Reply::Answer(response) = world.handle(now, &request).reply else { panic!("no answer") };
    (response.status, response.headers.into_iter().collect(), response.body)
}

#[test]
fn the_three_protocols_have_the_same_answer_in_their_own_form() {
    let mut world = account();
    let form = "Action=GetMetricStatistics&Version=2010-08-01&Namespace=AWS%2FRDS&MetricName=CPUUtilization&Period=60\
                &Dimensions.member.1.Name=DBInstanceIdentifier&Dimensions.member.1.Value=my-instance&Statistics.member.1=Maximum\
                &ExtendedStatistics.member.1=p90&StartTime=2027-02-03T04%3A01%3A00Z&EndTime=2027-02-03T04%3A02%3A00Z";
    let (status, _, body) = answered(&mut world, "/", &[], form.as_bytes());
    let xml = String::from_utf8(body).unwrap();
    assert_eq!(status, 200, "{xml}");
    assert!(xml.contains("<Timestamp>2027-02-03T04:01:00.000Z</Timestamp>"), "{xml}");
    assert!(xml.contains("<ExtendedStatistics><entry><key>p90</key><value>"), "{xml}");
    let value = xml.split("<Maximum>").nth(1).and_then(|rest| rest.split('<').next()).unwrap().parse::<f64>().unwrap();

    let start = 1_801_627_260;
    let input = json!({
        "Namespace": "AWS/RDS", "MetricName": "CPUUtilization", "Period": 60, "StartTime": start, "EndTime": start + 60,
        "Dimensions": [{ "Name": "DBInstanceIdentifier", "Value": "my-instance" }], "Statistics": ["Maximum"],
    });
    let target = [("x-amz-target", "GraniteServiceVersion20100801.GetMetricStatistics")];
    let (status, headers, body) = answered(&mut world, "/", &target, input.to_string().as_bytes());
    let json: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!((status, headers["content-type"].as_str()), (200, "application/x-amz-json-1.0"));
    assert_eq!(json["Datapoints"][0]["Timestamp"], start);
    let number = json["Datapoints"][0]["Maximum"].as_f64().unwrap();
    assert!((number - value).abs() < 1e-9, "{number} {value}");

    let path = "/service/GraniteServiceVersion20100801/operation/GetMetricStatistics";
    let cbor = [("smithy-protocol", "rpc-v2-cbor"), ("content-type", "application/cbor")];
    let body = encoded(&[("Namespace", "AWS/RDS"), ("MetricName", "CPUUtilization")], start);
    let (status, headers, body) = answered(&mut world, path, &cbor, &body);
    assert_eq!((status, headers["smithy-protocol"].as_str()), (200, "rpc-v2-cbor"));
    let mut decoder = minicbor::Decoder::new(&body);
    let found = tagged(&mut decoder);
    assert_eq!(found, [start], "a moment is a tagged number");
}

/// A request of CBOR by hand, with tags for moments.
fn encoded(texts: &[(&str, &str)], start: i64) -> Vec<u8> {
    let mut encoder = minicbor::Encoder::new(Vec::new());
    encoder.begin_map().unwrap();
    for (name, value) in texts {
        encoder.str(name).unwrap().str(value).unwrap();
    }
    for (name, at) in [("StartTime", start), ("EndTime", start + 60)] {
        encoder.str(name).unwrap().tag(minicbor::data::Tag::new(1)).unwrap().i64(at).unwrap();
    }
    encoder.str("Period").unwrap().i64(60).unwrap();
    encoder.str("Statistics").unwrap().array(1).unwrap().str("Average").unwrap();
    encoder.str("Dimensions").unwrap().array(1).unwrap().map(2).unwrap();
    encoder.str("Name").unwrap().str("DBInstanceIdentifier").unwrap();
    encoder.str("Value").unwrap().str("my-instance").unwrap();
    encoder.end().unwrap();
    encoder.into_writer()
}

/// Every tagged number of a document.
fn tagged(decoder: &mut minicbor::Decoder<'_>) -> Vec<i64> {
    let mut found = Vec::new();
    for token in decoder.tokens() {
        found.push(token.unwrap());
    }
    found
        .windows(2)
        .filter_map(|pair| match pair {
            [minicbor::data::Token::Tag(tag), number] if tag.as_u64() == 1 => match number {
                minicbor::data::Token::U32(value) => Some(i64::from(*value)),
                other => panic!("{other:?}"),
            },
            _ => None,
        })
        .collect()
}

#[test]
fn errors_have_the_code_of_old_in_a_header_and_the_shape_in_the_body() {
    let mut world = account();
    let path = "/service/GraniteServiceVersion20100801/operation/DeleteAlarms";
    let (status, headers, body) = answered(&mut world, path, &[("smithy-protocol", "rpc-v2-cbor")], &[0xa0]);
    assert_eq!((status, headers["x-amzn-query-error"].as_str()), (400, "ValidationError;Sender"));
    assert!(String::from_utf8_lossy(&body).contains("com.amazonaws.cloudwatch#ValidationError"));
    let target = [("x-amz-target", "GraniteServiceVersion20100801.GetMetricStatistics")];
    let (status, headers, body) = answered(&mut world, "/", &target, b"{}");
    assert_eq!((status, headers["x-amzn-query-error"].as_str()), (400, "MissingParameter;Sender"));
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["__type"], "com.amazonaws.cloudwatch#MissingRequiredParameterException");
    let (status, _, body) = answered(&mut world, "/", &[], b"Action=Nothing&Version=2010-08-01");
    assert_eq!(status, 400);
    assert!(String::from_utf8_lossy(&body).contains("<Code>InvalidAction</Code>"));
}
