//! XML answers as JSON, and back.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::Reader;
use quick_xml::escape::escape;
use quick_xml::events::Event;
use serde_json::{Map, Value};

/// No answer of AWS's nests deeper.
const DEEPEST: usize = 64;

/// What IAM leaves as it is in a policy document (RFC 3986, unreserved).
const DOCUMENT: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

#[derive(Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<Element>,
}

/// Reads an answer: its members, without the elements around them.
pub(super) fn read(service: &str, body: &[u8]) -> Option<Value> {
    let root = tree(body)?;
    let result = root.children.iter().find(|child| child.name.ends_with("Result"));
    let members = match result {
        Some(result) => value(service, result),
        None => value(service, &root),
    };
    let mut members = match members {
        Value::Object(members) => members,
        _ => Map::new(),
    };
    for around in ["ResponseMetadata", "requestId", "RequestId", "RequestID"] {
        members.remove(around);
    }
    Some(Value::Object(members))
}

fn tree(body: &[u8]) -> Option<Element> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut open: Vec<Element> = vec![Element::default()];
    loop {
        match reader.read_event().ok()? {
            Event::Start(start) => {
                let name = AsRef::<str>::as_ref(&start.local_name()).to_owned();
                open.push(Element { name, ..Element::default() });
                if open.len() > DEEPEST {
                    return None;
                }
            }
            Event::Empty(start) => {
                let name = AsRef::<str>::as_ref(&start.local_name()).to_owned();
                open.last_mut()?.children.push(Element { name, ..Element::default() });
            }
            Event::End(_) => {
                let done = open.pop()?;
                open.last_mut()?.children.push(done);
            }
            Event::Text(text) => open.last_mut()?.text.push_str(&text),
            Event::CData(text) => open.last_mut()?.text.push_str(&text),
            Event::GeneralRef(reference) => {
                let text = format!("&{};", &*reference);
                open.last_mut()?.text.push_str(&quick_xml::escape::unescape(&text).ok()?);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    let [document] = &mut open[..] else { return None };
    document.children.pop()
}

fn value(service: &str, element: &Element) -> Value {
    let Some(first) = element.children.first() else { return Value::String(element.text.trim().to_owned()) };
    let same = element.children.iter().all(|child| child.name == first.name);
    if same && first.name == "entry" {
        let pair = |entry: &Element| {
            let part = |name: &str| entry.children.iter().find(|child| child.name == name);
            Some((part("key")?.text.clone(), part("value").map_or(Value::Null, |held| value(service, held))))
        };
        return Value::Object(element.children.iter().filter_map(pair).collect());
    }
    if same && (matches!(first.name.as_str(), "member" | "item") || first.name == item(service, &element.name)) {
        return element.children.iter().map(|child| value(service, child)).collect();
    }
    let mut members: Map<String, Value> = Map::new();
    for child in &element.children {
        let held = value(service, child);
        match members.get_mut(&child.name) {
            None => drop(members.insert(child.name.clone(), held)),
            Some(Value::Array(items)) => items.push(held),
            Some(one) => *one = Value::Array(vec![one.take(), held]),
        }
    }
    Value::Object(members)
}

/// The element around each item of a list (AWS's models).
fn item<'a>(service: &str, list: &'a str) -> &'a str {
    if service.eq_ignore_ascii_case("ec2") {
        return "item";
    }
    if !service.eq_ignore_ascii_case("rds") {
        return "member";
    }
    match list {
        "DBInstances" => "DBInstance",
        "DBClusters" => "DBCluster",
        "DBSubnetGroups" => "DBSubnetGroup",
        "DBSecurityGroups" => "DBSecurityGroup",
        "VpcSecurityGroups" => "VpcSecurityGroupMembership",
        "DBParameterGroups" => "DBParameterGroup",
        "DBClusterMembers" => "DBClusterMember",
        "DBClusterOptionGroupMemberships" => "DBClusterOptionGroup",
        "AssociatedRoles" => "DBClusterRole",
        "DBClusterEndpoints" => "DBClusterEndpointList",
        "DomainMemberships" => "DomainMembership",
        "Subnets" => "Subnet",
        "AvailabilityZones" => "AvailabilityZone",
        "ReadReplicaDBInstanceIdentifiers" => "ReadReplicaDBInstanceIdentifier",
        "ReadReplicaDBClusterIdentifiers" => "ReadReplicaDBClusterIdentifier",
        "ReadReplicaIdentifiers" => "ReadReplicaIdentifier",
        "OptionGroupMemberships" => "OptionGroupMembership",
        "TagList" => "Tag",
        "Events" => "Event",
        "EventCategories" => "EventCategory",
        "Parameters" => "Parameter",
        _ => "member",
    }
}

/// Writes an answer as the service does.
#[must_use]
pub fn write(service: &str, operation: &str, members: &Value) -> String {
    let mut body = String::new();
    if let Value::Object(members) = members {
        for (name, held) in members {
            element(&mut body, service, name, held);
        }
    }
    if service.eq_ignore_ascii_case("ec2") {
        return format!(
            "<{operation}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>r</requestId>{body}</{operation}Response>"
        );
    }
    format!(
        "<{operation}Response><{operation}Result>{body}</{operation}Result><ResponseMetadata><RequestId>r</RequestId>\
         </ResponseMetadata></{operation}Response>"
    )
}

/// Writes a refusal as the service does.
#[must_use]
pub fn error(service: &str, code: &str, message: &str) -> String {
    let (code, message) = (escape(code), escape(message));
    if service.eq_ignore_ascii_case("ec2") {
        return format!(
            "<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors><RequestID>r</RequestID></Response>"
        );
    }
    format!(
        "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>r</RequestId></ErrorResponse>"
    )
}

fn element(out: &mut String, service: &str, name: &str, held: &Value) {
    let leaf = |out: &mut String, text: &str| out.push_str(&format!("<{name}>{}</{name}>", escape(text)));
    match held {
        Value::Null => {}
        Value::Array(items) => {
            out.push_str(&format!("<{name}>"));
            for held in items {
                element(out, service, item(service, name), held);
            }
            out.push_str(&format!("</{name}>"));
        }
        Value::Object(members) => {
            out.push_str(&format!("<{name}>"));
            for (name, held) in members {
                element(out, service, name, held);
            }
            out.push_str(&format!("</{name}>"));
        }
        Value::String(text) if is_encoded(service, name) && !text.starts_with('%') => {
            leaf(out, &utf8_percent_encode(text, DOCUMENT).to_string());
        }
        Value::String(text) => leaf(out, text),
        other => leaf(out, &other.to_string()),
    }
}

/// Whether IAM answers a member as a percent-encoded policy document.
fn is_encoded(service: &str, member: &str) -> bool {
    service.eq_ignore_ascii_case("iam") && matches!(member, "AssumeRolePolicyDocument" | "PolicyDocument" | "Document")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let members = json!({
            "DBProxies": [{ "DBProxyName": "a<b>&c", "Auth": [{ "IAMAuth": "DISABLED" }], "VpcSubnetIds": ["s1", "s2"] }],
            "Marker": "m",
        });
        let body = write("RDS", "DescribeDBProxies", &members);
        assert_eq!(read("RDS", body.as_bytes()), Some(members));
        let members = json!({ "DBInstances": [{ "VpcSecurityGroups": [{ "Status": "active" }] }] });
        assert_eq!(read("RDS", write("RDS", "DescribeDBInstances", &members).as_bytes()), Some(members));
        let members = json!({ "securityGroupInfo": [{ "groupId": "sg-1", "ipPermissions": [{ "fromPort": "1" }] }] });
        assert_eq!(read("EC2", write("EC2", "DescribeSecurityGroups", &members).as_bytes()), Some(members));
    }

    #[test]
    fn what_is_no_whole_document_is_not_read() {
        for body in ["<a><b></a>", "<a>", "no", "<a>&unknown;</a>"] {
            assert_eq!(read("RDS", body.as_bytes()), None, "{body}");
        }
        let deep = "<a>".repeat(100) + &"</a>".repeat(100);
        assert_eq!(read("RDS", deep.as_bytes()), None);
    }
}
