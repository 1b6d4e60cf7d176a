//! Names become others of the same form.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::super::blocks::Blocks;
use super::super::text::Renamer;
use super::super::tokens::Tokens;
use super::super::{product, values};

fn renamer() -> Renamer {
    Renamer {
        tokens: Tokens::beside(BTreeSet::new()),
        blocks: Blocks::of("a test"),
        whole: BTreeMap::new(),
        passwords: BTreeMap::new(),
    }
}

/// Which characters are letters of which case, digits, and what else.
fn form(text: &str) -> String {
    let class = |c: char| match c {
        'a'..='z' => 'a',
        'A'..='Z' => 'A',
        '0'..='9' => '0',
        other => other,
    };
    text.chars().map(class).collect()
}

proptest! {
    #[test]
    fn two_names_never_become_one(names in proptest::collection::btree_set("[a-zA-Z][a-zA-Z0-9_./-]{0,40}", 1..60)) {
        let mut renamer = renamer();
        let new: BTreeSet<String> = names.iter().map(|name| renamer.name(name)).collect();
        prop_assert_eq!(new.len(), names.len(), "{:?}", new);
        for name in &names {
            prop_assert_eq!(form(name), form(&renamer.name(name)));
            prop_assert_eq!(renamer.name(name).to_lowercase(), renamer.name(&name.to_lowercase()));
        }
    }

    #[test]
    fn a_name_is_the_same_one_in_every_text(name in "[a-z][a-z0-9]{1,10}(-[a-z][a-z0-9]{1,10}){0,3}", user in "[a-z]{2,9}") {
        let mut renamer = renamer();
        let (new, other, letters) = (renamer.name(&name), renamer.name(&user), renamer.name("c9akciq32abc"));
        let account = renamer.name("123456789012");
        let host = |name: &str, letters: &str| format!("{name}.{letters}.eu-central-1.rds.amazonaws.com");
        let (old_host, new_host) = (host(&name, "c9akciq32abc"), host(&new, &letters));
        let texts = [
            (old_host.clone(), new_host.clone()),
            (old_host.to_uppercase(), new_host.to_uppercase()),
            (format!("{name}.proxy-c9akciq32abc.eu-central-1.rds.amazonaws.com:3306"), format!("{new}.proxy-{letters}.eu-central-1.rds.amazonaws.com:3306")),
            (format!("{name}-ro.endpoint.proxy-c9akciq32abc.cn-north-1.rds.amazonaws.com.cn"), format!("{new}-ro.endpoint.proxy-{letters}.cn-north-1.rds.amazonaws.com.cn")),
            (format!("{name}.cluster-ro-c9akciq32abc.eu-central-1.rds.amazonaws.com"), format!("{new}.cluster-ro-{letters}.eu-central-1.rds.amazonaws.com")),
            (format!("arn:aws:lambda:eu-central-1:123456789012:function:{name}:{user}"), format!("arn:aws:lambda:eu-central-1:{account}:function:{new}:{other}")),
            (format!("arn:aws:iam::123456789012:role/service-role/{name}-proxy"), format!("arn:aws:iam::{account}:role/service-role/{new}-proxy")),
            (format!("arn:aws:iam::123456789012:role/rdsproxy-setup/eu-central-1/{name}/{name}-eu-central-1"), format!("arn:aws:iam::{account}:role/rdsproxy-setup/eu-central-1/{new}/{new}-eu-central-1")),
            (format!("arn:aws:rds-db:*:123456789012:dbuser:*/{user}"), format!("arn:aws:rds-db:*:{account}:dbuser:*/{other}")),
            (format!("/aws/rds/proxy/{name}"), format!("/aws/rds/proxy/{new}")),
            (format!("/aws/lambda/{name}"), format!("/aws/lambda/{new}")),
            (format!("lambda:{name}"), format!("lambda:{new}")),
            (format!("alias/{name}"), format!("alias/{new}")),
            (format!("rdsproxy-setup/{name}-proxy/{user}"), format!("rdsproxy-setup/{new}-proxy/{other}")),
        ];
        for (old, wanted) in texts {
            prop_assert_eq!(renamer.name(&old), wanted);
        }
        let variables = [
            (format!("postgresql+psycopg2://{user}@{old_host}:5432/{name}?sslmode=verify-full&connect_timeout=5"),
                format!("postgresql+psycopg2://{other}@{new_host}:5432/{new}?sslmode=verify-full&connect_timeout=5")),
            (format!("jdbc:mysql:aws://{old_host}:3306/{name}"), format!("jdbc:mysql:aws://{new_host}:3306/{new}")),
            (format!("host={old_host} port=5432 user={user} dbname={name}"), format!("host={new_host} port=5432 user={other} dbname={new}")),
            (format!(r#"{{"host":"{old_host}","port":3306,"user":"{user}"}}"#), format!(r#"{{"host":"{new_host}","port":3306,"user":"{other}"}}"#)),
            (format!("mysql%3A%2F%2F{user}%40{old_host}"), format!("mysql%3A%2F%2F{other}%40{new_host}")),
        ];
        for (old, wanted) in variables {
            prop_assert_eq!(values::variable(&mut renamer, "DATABASE_URL", &old), wanted);
        }
    }
}

#[test]
fn aws_s_own_names_stay() {
    let mut renamer = renamer();
    for text in [
        "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole",
        "alias/aws/secretsmanager",
        "arn:aws:s3:::*",
        "/aws-service-role/rds.amazonaws.com/",
        "AWSServiceRoleForRDS",
        "lambda.amazonaws.com",
        "secretsmanager.eu-central-1.amazonaws.com",
        "eu-central-1",
        "us-gov-west-1a",
        "0.0.0.0/0",
        "::/0",
        "127.0.0.1",
        "169.254.169.254",
        "$LATEST",
        "default",
        "10.0.0.0/8",
    ] {
        assert_eq!(renamer.name(text), text);
    }
}

#[test]
fn ids_and_addresses_keep_their_form() {
    let mut renamer = renamer();
    for text in [
        "vpc-0123456789abcdef0",
        "prx-tg-0123456789abcdef0",
        "sg-1a2b3c4d",
        "cluster-ABCDEFGHIJKLMNOPQRSTUVWXY1",
        "AROA1234567890ABCDEF1",
        "6f1c3ad2-1111-4222-8333-aaaabbbbcccc",
        "123456789012",
    ] {
        let new = renamer.name(text);
        assert_ne!(new, text);
        assert_eq!(form(&new), form(text));
        assert_eq!(
            new.split('-').next().filter(|_| text.starts_with(char::is_lowercase)),
            text.split('-').next().filter(|_| text.starts_with(char::is_lowercase))
        );
    }
    assert!(renamer.name("10.20.30.40/32").starts_with("10."));
    assert!(renamer.name("ip-10-20-30-40.ec2.internal").starts_with("ip-10-"));
    let block = renamer.name("10.20.30.40");
    assert_eq!(renamer.name("ip-10-20-30-40"), format!("ip-{}", block.replace('.', "-")));
    assert!(renamer.name("2600:1f14:a::/48").ends_with("::/48"));
}

#[test]
fn tags_of_other_tools_still_say_whose_a_function_is() {
    let mut renamer = renamer();
    for (key, value) in [("ManagedBy", "Terraform"), ("terraform", "true"), ("lambda:createdBy", "SAM")] {
        assert_eq!(
            (product::tag_key(&mut renamer, key), product::tag_value(&mut renamer, key, value)),
            (key.to_owned(), value.to_owned())
        );
    }
    for (key, value) in
        [("pulumi:project", "harbor"), ("managed-by", "harbor"), ("aws:cloudformation:stack-name", "harbor")]
    {
        assert_eq!(product::tag_key(&mut renamer, key), key);
        assert_ne!(product::tag_value(&mut renamer, key, value), value);
    }
    let variables = product::tag_value(&mut renamer, "rdsproxy-setup:exclude-variables", "DB_HOST harbor:DB_URL +");
    assert_eq!(variables, format!("DB_HOST {}:DB_URL +", renamer.name("harbor")));
    let closed = product::tag_key(&mut renamer, "rdsproxy-setup:closed:sg-0123456789abcdef0:sg-1123456789abcdef0:3306");
    assert!(
        closed.starts_with("rdsproxy-setup:closed:sg-") && closed.ends_with(":3306") && !closed.contains("123456789")
    );
}
