//! What in a text is AWS's and not the account's.

use std::net::IpAddr;

use super::blocks::Block;

/// What a text may begin with that says what follows.
const BEGINNINGS: [&str; 5] = ["alias/", "db-proxy-endpoint:", "db-proxy:", "inline:", "lambda:"];

/// What stays wherever a name may begin.
const FIXED: [&str; 11] = [
    "/aws/rds/cluster/",
    "/aws/rds/instance/",
    "/aws/rds/proxy/",
    "/aws/lambda/",
    ":log-stream:",
    "rds!cluster-",
    "rds!db-",
    "rdsproxy-setup-probe-",
    "rdsproxy-setup",
    "service-role/",
    "$LATEST",
];

/// What stays up to the end of the name that it begins.
const FIXED_TO_END: [&str; 3] = ["alias/aws/", "aws-service-role/", "AWSServiceRoleFor"];

/// Kinds of resources, as ARNs have them.
const KINDS: &str = " access-point alarm alias assumed-role cluster cluster-pg cluster-snapshot crawler dashboard db db-proxy \
    db-proxy-endpoint dbuser elastic-ip event-bus event-source-mapping file-system function global-cluster group instance \
    instance-profile key layer log-group mfa network-interface og oidc-provider parameter pg policy role root rule saml-provider \
    secret security-group security-group-rule server-certificate snapshot stack stateMachine stream subgrp subnet table \
    target-group topic user vpc ";

/// What ids begin with.
const IDS: [&str; 24] = [
    "acl-",
    "cagw-",
    "cluster-",
    "db-",
    "eigw-",
    "eipalloc-",
    "eni-",
    "fs-",
    "fsap-",
    "i-",
    "igw-",
    "lgw-",
    "nat-",
    "pcx-",
    "pl-",
    "prx-",
    "prx-endpoint-",
    "prx-tg-",
    "rtb-",
    "sg-",
    "sgr-",
    "subnet-",
    "vpc-",
    "vpce-",
];

/// Services, as hosts have them.
const SERVICES: &str =
    " ec2 events execute-api iam kinesis kms lambda logs monitoring rds s3 secretsmanager sns sqs sts ";

/// What a word of a connection string may be before `=` or `:`, where that is not a name.
const KEYS: &str = " charset connect_timeout database db dbname driver endpoint engine host hostname password port pwd server ssl \
    sslmode ssl_mode sslrootcert timeout tls uid url user username usessl ";
const SCHEMES: &str = " amqp aws http https jdbc mariadb mysql postgres postgresql redis rediss ";
const DRIVERS: &str = " aiomysql asyncpg mysqlconnector mysqldb psycopg psycopg2 pymysql ";
const SETTINGS: &str = " disable prefer require verify full ca utf8 utf8mb4 required preferred disabled on off ";

fn among(list: &str, word: &str) -> bool {
    list.contains(&format!(" {} ", word.to_ascii_lowercase()))
}

/// Whether a name may end there.
pub(super) fn ends(text: &str, at: usize) -> bool {
    text.get(at..).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

/// How much at the beginning of a whole text says what follows.
pub(super) fn beginning(text: &str) -> usize {
    let known = BEGINNINGS.iter().find(|begin| text.starts_with(**begin) && fixed(text, None).is_none());
    known.map_or(0, |begin| begin.len())
}

fn to_end(text: &str) -> usize {
    text.find(|c: char| c.is_whitespace() || "\"',;<>{}[]()".contains(c)).unwrap_or(text.len())
}

/// How much here stays as it is.
pub(super) fn fixed(rest: &str, before: Option<char>) -> Option<usize> {
    let inside = before.is_some_and(char::is_alphanumeric);
    if let Some(begin) = FIXED.iter().find(|begin| rest.starts_with(**begin)) {
        let begins = !inside || !rest.starts_with(char::is_alphanumeric);
        let ends = !begin.ends_with(char::is_alphanumeric) || ends(rest, begin.len());
        if begins && ends {
            return Some(begin.len());
        }
    }
    if !inside && FIXED_TO_END.iter().any(|begin| rest.starts_with(begin)) {
        return Some(to_end(rest));
    }
    if let Some(code) = rest.strip_prefix('%') {
        // A percent sign that is encoded itself has two more digits behind it.
        let nested = code.len() - code.trim_start_matches("25").len();
        let end = if nested > 0 && hex(code.get(nested..nested + 2)) { nested + 3 } else { 3 };
        return hex(rest.get(1..3)).then_some(end);
    }
    if inside { None } else { region(rest) }
}

fn hex(text: Option<&str>) -> bool {
    text.is_some_and(|text| text.chars().all(|c| c.is_ascii_hexdigit()))
}

/// A Region or Availability Zone: `eu-central-1`, `us-gov-west-1a`.
fn region(rest: &str) -> Option<usize> {
    const PLACES: &str = " af ap ca cn eu il me mx sa us ";
    const SIDES: &str = " central east north northeast northwest south southeast southwest west ";
    let end = rest.find(|c: char| !(c.is_ascii_alphabetic() || c.is_ascii_digit() || c == '-')).unwrap_or(rest.len());
    let mut parts = rest.get(..end)?.split('-');
    let mut length = parts.next().filter(|place| among(PLACES, place))?.len();
    let mut side = parts.next()?;
    if side == "gov" || side.starts_with("iso") && side.len() <= 4 {
        length += 1 + side.len();
        side = parts.next()?;
    }
    length += 1 + Some(side).filter(|side| among(SIDES, side))?.len();
    let number = parts.next()?;
    let digits = number.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let zone = number.len() - digits.len();
    let is_number = !digits.is_empty() && digits.len() <= 2 && digits.chars().all(|c| c.is_ascii_digit());
    (is_number && zone <= 1 && ends(rest, length + 1 + number.len())).then_some(length + 1 + number.len())
}

/// How long the part of an ARN is that says where and of which kind its resource is.
pub(super) fn arn(rest: &str) -> Option<usize> {
    let whole = rest.get(..to_end(rest))?;
    let parts: Vec<&str> = whole.splitn(6, ':').collect();
    let ["arn", partition, service, place, account, resource] = parts.as_slice() else { return None };
    let wild = |text: &str| text.chars().all(|c| c == '*' || c == '?');
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '*');
    let is_place = wild(place) || region(place) == Some(place.len());
    let is_account =
        wild(account) || *account == "aws" || account.len() == 12 && account.chars().all(|c| c.is_ascii_digit());
    if !(partition.starts_with("aws") || wild(partition))
        || !plain(partition)
        || !plain(service)
        || !is_place
        || !is_account
    {
        return None;
    }
    if *account == "aws" || resource.starts_with("alias/aws/") {
        return Some(whole.len());
    }
    let head = whole.len() - resource.len();
    let kind = resource.find([':', '/']).filter(|end| resource.get(..*end).is_some_and(|kind| among(KINDS, kind)));
    let root = if *resource == "root" { resource.len() } else { 0 };
    Some(head + kind.map_or(root, |end| end + 1))
}

/// How long the prefix of an id is, and the whole of it.
pub(super) fn id(rest: &str) -> Option<(usize, usize)> {
    let prefix = IDS.iter().filter(|prefix| rest.starts_with(**prefix)).map(|prefix| prefix.len()).max()?;
    let id = rest.get(prefix..)?;
    let length = id.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(id.len());
    let id = id.get(..length)?;
    let hex = matches!(length, 8 | 17) && id.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f'));
    let of_rds = length >= 20 && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    ((hex || of_rds) && ends(rest, prefix + length)).then_some((prefix, prefix + length))
}

/// The host of AWS's that begins here.
pub(super) fn host(rest: &str) -> Option<&str> {
    let end =
        rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '.' || c == '_')).unwrap_or(rest.len());
    let run = rest.get(..end)?.trim_end_matches('.');
    let lower = run.to_ascii_lowercase();
    let of_aws = [".amazonaws.com", ".amazonaws.com.cn"].iter().any(|end| lower.ends_with(end));
    of_aws.then_some(run)
}

/// How many labels at the end of a host are AWS's.
pub(super) fn tail(labels: &[&str]) -> usize {
    let of_aws = if labels.last().is_some_and(|label| label.eq_ignore_ascii_case("cn")) { 3 } else { 2 };
    let before = labels.get(..labels.len().saturating_sub(of_aws)).unwrap_or_default();
    let is_region = |label: &str| region(&label.to_ascii_lowercase()) == Some(label.len());
    let own = match before {
        [.., service, place] if is_region(place) && among(SERVICES, service) => 2,
        [.., place, service] if is_region(place) && among(SERVICES, service) => 2,
        [.., one] if is_region(one) || among(SERVICES, one) => 1,
        _ => 0,
    };
    of_aws + own
}

/// How much of a host's label says which endpoint it is, and not whose.
pub(super) fn kind_of_endpoint(label: &str) -> usize {
    if label.eq_ignore_ascii_case("endpoint") {
        return label.len();
    }
    let lower = label.to_ascii_lowercase();
    let kinds = ["cluster-custom-", "cluster-ro-", "cluster-", "proxy-"];
    kinds.iter().find(|kind| lower.starts_with(**kind)).map_or(0, |kind| kind.len())
}

/// Whether a word stays wherever it stands.
pub(super) fn stays(token: &str, before: Option<char>) -> bool {
    let lower = token.to_ascii_lowercase();
    match before {
        // What the product appends to a name.
        Some('-') if ["proxy", "ro", "connect", "given"].contains(&lower.as_str()) => true,
        Some(' ') if lower == "was" => true,
        // Roles of endpoints and of targets.
        _ if ["READONLY", "READWRITE"].contains(&token) => true,
        _ => ["default", "false", "localhost", "null", "rdsadmin", "rdsproxyadmin", "true"].contains(&lower.as_str()),
    }
}

/// Whether a word belongs to the form of a connection string.
pub(super) fn of_connection(token: &str, behind: &str, before: Option<char>, after: &str) -> bool {
    let scheme = ["://", "%3A%2F%2F", "%3a%2f%2f"].iter().any(|mark| after.starts_with(mark))
        || after.starts_with(':') && before.is_none()
        || after.starts_with('+');
    if scheme && among(SCHEMES, token) || before == Some(':') && after.starts_with(':') && among(SCHEMES, token) {
        return true;
    }
    let key = ["=", "\":", "':", "\" :", ": ", "_timeout=", "_mode="].iter().any(|mark| after.starts_with(mark));
    key && (among(KEYS, token) || token.eq_ignore_ascii_case("timeout") || token.eq_ignore_ascii_case("mode"))
        || token.eq_ignore_ascii_case("connect") && after.starts_with("_timeout=")
        || before == Some('+') && among(DRIVERS, token)
        || is_setting(behind) && among(SETTINGS, token)
}

/// Whether what stands here is the value of a setting.
fn is_setting(behind: &str) -> bool {
    const NAMED: &str = " charset ssl ssl_mode ssl-mode sslmode tls usessl ";
    let pair = behind.rsplit(|c: char| "?&;,".contains(c) || c.is_whitespace()).next().unwrap_or(behind);
    pair.split_once('=').is_some_and(|(name, _)| among(NAMED, name))
}

/// The address at the beginning of a text, and its length.
pub(super) fn address(rest: &str) -> Option<(IpAddr, usize)> {
    let run = |of: fn(char) -> bool| rest.find(|c: char| !of(c)).unwrap_or(rest.len());
    let v4 = run(|c| c.is_ascii_digit() || c == '.');
    let v6 = run(|c| c.is_ascii_hexdigit() || c == ':');
    // A colon behind an address ends it.
    for length in [v4, v4.saturating_sub(1), v6] {
        let text = rest.get(..length).unwrap_or_default();
        if let Ok(address) = text.parse::<IpAddr>()
            && ends(rest, length)
        {
            return Some((address, length));
        }
    }
    None
}

/// The block that an address at the beginning of a text is written as, and its length as it is written.
pub(super) fn block(rest: &str, address: IpAddr, at: usize) -> Option<(Block, &str)> {
    let behind = rest.get(at..).unwrap_or_default();
    if let Some(digits) = behind.strip_prefix('/') {
        let length = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        let number = digits.get(..length).and_then(|digits| digits.parse().ok());
        if let Some(block) = number.and_then(|number| Block::of(address, Some(number)))
            && ends(behind, 1 + length)
        {
            return Some((block, behind.get(..=length)?));
        }
    }
    Some((Block::of(address, None)?, ""))
}
