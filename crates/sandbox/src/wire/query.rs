//! Reading the Query protocols: a dotted form becomes JSON.

use serde_json::{Map, Value};

use super::{Tree, names, pairs};
use crate::account::{AwsError, Request};

/// Reads the operation and its input.
pub(super) fn decode(request: &Request, ec2: bool) -> Result<(String, Value), AwsError> {
    let body = String::from_utf8_lossy(&request.body);
    let query = request.target.split_once('?').map_or("", |(_, query)| query);
    let mut action = None;
    let mut tree = Tree::default();
    for (name, value) in pairs(query).into_iter().chain(pairs(&body)) {
        match name.as_str() {
            "Action" => action = Some(value),
            "Version" => {}
            _ => tree.plant(&name, value),
        }
    }
    let action = action
        .filter(|action| !action.is_empty())
        .ok_or_else(|| AwsError::new(400, "MissingAction", "The request must contain the parameter Action"))?;
    Ok((action, value(&tree, ec2)))
}

/// In Query proper every list stands under the name of its items, in EC2's variant under its own.
fn value(tree: &Tree, ec2: bool) -> Value {
    if tree.children.is_empty() {
        return Value::String(tree.text.clone().unwrap_or_default());
    }
    if !ec2
        && tree.children.len() == 1
        && let Some(items) = tree.children.values().next().and_then(Tree::numbered)
    {
        return items.into_iter().map(|item| value(item, ec2)).collect();
    }
    let mut object = Map::new();
    for (name, child) in &tree.children {
        if ec2 && let Some(items) = child.numbered() {
            let items = items.into_iter().map(|item| value(item, ec2)).collect();
            object.insert(names::ec2_member(name).to_owned(), items);
        } else {
            object.insert(name.clone(), value(child, ec2));
        }
    }
    Value::Object(object)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read(form: &str, ec2: bool) -> Value {
        let request = Request {
            method: "POST".to_owned(),
            target: "/".to_owned(),
            headers: std::collections::BTreeMap::new(),
            body: form.as_bytes().to_vec(),
        };
        decode(&request, ec2).map_or(Value::Null, |(_, input)| input)
    }

    #[test]
    fn lists_of_query_stand_under_the_name_of_their_items() {
        let form = "Action=A&Version=1&Auth.member.1.SecretArn=arn%3Ax&Auth.member.2.SecretArn=y\
                    &Filters.Filter.1.Name=n&Filters.Filter.1.Values.Value.1=v\
                    &Config.Only.member.1=a&Config.Only.member.2=b&Empty=";
        assert_eq!(
            read(form, false),
            json!({
                "Auth": [{ "SecretArn": "arn:x" }, { "SecretArn": "y" }],
                "Filters": [{ "Name": "n", "Values": ["v"] }],
                "Config": { "Only": ["a", "b"] },
                "Empty": "",
            })
        );
    }

    #[test]
    fn ec2_names_become_the_models() {
        let form = "Action=A&GroupId.1=sg-1&Filter.1.Name=vpc-id&Filter.1.Value.1=v\
                    &IpPermissions.1.Groups.1.GroupId=sg-2&IpPermissions.1.IpProtocol=tcp\
                    &TagSpecification.1.Tag.1.Key=k&ResourceId.1=r";
        assert_eq!(
            read(form, true),
            json!({
                "GroupIds": ["sg-1"],
                "Filters": [{ "Name": "vpc-id", "Values": ["v"] }],
                "IpPermissions": [{ "IpProtocol": "tcp", "UserIdGroupPairs": [{ "GroupId": "sg-2" }] }],
                "TagSpecifications": [{ "Tags": [{ "Key": "k" }] }],
                "Resources": ["r"],
            })
        );
    }

    #[test]
    fn items_are_in_the_order_of_their_numbers() {
        let form = (1..=11).map(|n| format!("L.member.{n}={n}")).collect::<Vec<_>>().join("&");
        let expected: Vec<String> = (1..=11).map(|n: i32| n.to_string()).collect();
        assert_eq!(read(&format!("Action=A&{form}"), false)["L"], json!(expected));
    }
}
