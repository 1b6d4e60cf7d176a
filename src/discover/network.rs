//! Which subnets the proxy lives in.

use std::collections::BTreeSet;

use super::database::Database;
use super::problem::Problem;
use crate::catalogue::checks::CheckId;
use crate::cloud::ec2::Subnet;
use crate::cloud::{Answer, Cloud, Kind};
use crate::spec::NetworkType;

/// Zones that RDS Proxy does not work in. It drops their subnets without a word.
pub(crate) const UNSUPPORTED_ZONES: [&str; 2] = ["use1-az3", "usw1-az2"];

/// The subnets of the proxy, and why these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subnets {
    /// Their ids.
    pub ids: Vec<String>,
    /// Their zones.
    pub zones: Vec<String>,
    /// Why these.
    pub why: String,
    /// What was left out, and why, one sentence each.
    pub left_out: Vec<String>,
    /// What a person should know of those that were chosen, one sentence each.
    pub warnings: Vec<String>,
}

/// Chooses the proxy's subnets out of its VPC's: those of the database's subnet group, or those named.
///
/// # Errors
/// When fewer than two usable zones remain.
pub async fn choose(
    cloud: &Cloud,
    database: &Database,
    of_vpc: &Answer<Vec<Subnet>>,
    named: &[String],
    kind: Option<NetworkType>,
) -> Result<Subnets, Problem> {
    let (ids, whose) =
        if named.is_empty() { (&database.subnets[..], "the database's subnet group") } else { (named, "--subnet") };
    let doing = "choosing the proxy's subnets";
    let mut found = of_vpc.clone().map_err(Problem::refused(doing))?;
    found.retain(|subnet| ids.contains(&subnet.id));
    if !ids.iter().all(|id| found.iter().any(|subnet| subnet.id == *id)) {
        // One of another VPC is distinguished from one that does not exist.
        found = match cloud.ec2.subnets(ids).await {
            Err(refusal) if refusal.kind == Kind::NotFound && !named.is_empty() => {
                return Err(Problem::unfit(
                    format!("{doing}: not every one of {} exists in {}", named.join(", "), cloud.region),
                    [format!("List them with: aws ec2 describe-subnets --filters Name=vpc-id,Values={}", database.vpc)],
                ));
            }
            answer => answer.map_err(Problem::refused(doing))?,
        };
    }
    found.sort_by(|a, b| (&a.zone, &a.id).cmp(&(&b.zone, &b.id)));
    let mut chosen = Subnets {
        ids: Vec::new(),
        zones: Vec::new(),
        why: format!("those of {whose}"),
        left_out: Vec::new(),
        warnings: Vec::new(),
    };
    let mut zones = BTreeSet::new();
    let mut free = 0;
    for subnet in found {
        if let Some(why) = unfit(&subnet, database, kind) {
            chosen.left_out.push(format!("{} in {}: {why}", subnet.id, subnet.zone));
        } else {
            free += subnet.free;
            zones.insert(subnet.zone);
            chosen.ids.push(subnet.id);
        }
    }
    chosen.zones = zones.into_iter().collect();
    if chosen.zones.len() < 2 {
        let mut hints: Vec<String> = chosen.left_out.iter().map(|why| format!("Left out: {why}.")).collect();
        hints.push(format!("Give subnets of two zones of {} with --subnet, twice or more.", database.vpc));
        return Err(Problem::unfit(
            format!(
                "{doing}: RDS Proxy needs two zones, and {whose} offers {} usable",
                if chosen.zones.is_empty() { "none".to_owned() } else { format!("only {}", chosen.zones.join(", ")) }
            ),
            hints,
        )
        .known(CheckId::Zones));
    }
    chosen.warnings.extend(few_addresses(free, addresses(&database.classes)));
    Ok(chosen)
}

/// AWS recommends free addresses for the proxy as a whole, and takes a proxy with fewer
/// (<https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/rds-proxy-network-prereqs.html>): a warning, no refusal.
fn few_addresses(free: i32, recommended: i32) -> Option<String> {
    (free < recommended).then(|| {
        format!(
            "The proxy's subnets have {free} free addresses in all, and AWS recommends {recommended} for this class. With too few, \
             the registration of the target may be refused (InsufficientAvailableIPsInSubnetFault), or the proxy may not grow."
        )
    })
}

fn unfit(subnet: &Subnet, database: &Database, kind: Option<NetworkType>) -> Option<String> {
    if subnet.vpc != database.vpc {
        return Some(format!("it is in {}, the database in {}", subnet.vpc, database.vpc));
    }
    if UNSUPPORTED_ZONES.contains(&subnet.zone_id.as_str()) {
        return Some(format!("RDS Proxy does not work in the zone {}", subnet.zone_id));
    }
    let kind = kind.filter(|kind| *kind != NetworkType::Ipv4 && !subnet.ipv6)?;
    Some(format!("it has no IPv6 block, which {} needs", kind.word()))
}

/// How many free addresses AWS asks to reserve for the largest instance class behind the proxy.
pub(crate) fn addresses(classes: &[String]) -> i32 {
    classes.iter().map(|class| by_size(class.rsplit('.').next().unwrap_or_default())).max().unwrap_or(10)
}

fn by_size(size: &str) -> i32 {
    let factor = size.strip_suffix("xlarge").and_then(|number| number.parse::<i32>().ok()).unwrap_or(1);
    match factor {
        ..=1 => 10,
        2 | 3 => 15,
        4..=7 => 25,
        8..=11 => 45,
        12..=15 => 60,
        16..=23 => 75,
        _ => 110,
    }
}

#[cfg(test)]
mod tests {
    use super::{addresses, few_addresses};

    #[test]
    fn the_largest_class_decides() {
        let of = |classes: &[&str]| addresses(&classes.iter().map(|&class| class.to_owned()).collect::<Vec<_>>());
        assert_eq!(of(&["db.t3.medium"]), 10);
        assert_eq!(of(&["db.r6g.xlarge", "db.r6g.4xlarge"]), 25);
        assert_eq!(of(&["db.r5.24xlarge"]), 110);
        assert_eq!(of(&["db.serverless"]), 10);
    }

    #[test]
    fn free_addresses_are_judged_as_a_whole() {
        assert_eq!(few_addresses(10, 10), None);
        assert!(few_addresses(9, 10).is_some_and(|text| text.contains("9 free addresses in all")));
    }
}
