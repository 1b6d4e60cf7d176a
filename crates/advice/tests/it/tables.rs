//! Published tables against the formulas, and a document's own table against both.

use advice::advise;
use advice::cost::prices_of;
use advice::engine::{AURORA_MYSQL, Engine, POSTGRESQL};
use advice::facts::{Parameter, Serverless};
use advice::figure::{Amount, Origin};

use crate::facts::{GIB, database, facts, known};

fn limits(engine: Engine, class: &str, gib: u64) -> Amount {
    advise(&facts(database(engine, class, 2, gib), Vec::new())).supply.max_connections.amount
}

fn within(amount: Amount, value: u64) -> bool {
    amount.low().unwrap() <= value && value <= amount.high().unwrap()
}

/// A class table of a guide: class, memory, MySQL, PostgreSQL. One of its twelve numbers is contradicted: 66 for
/// PostgreSQL on db.t3.micro is what the *MySQL* formula gives for some classes of 1 GiB; PostgreSQL's divisor is
/// smaller, so its number cannot be nearly the same.
#[test]
fn the_table_of_a_guide() {
    let table = [
        ("db.t3.micro", 1, 60, 66),
        ("db.t3.small", 2, 150, 200),
        ("db.t3.medium", 4, 320, 400),
        ("db.t3.large", 8, 600, 800),
        ("db.r5.large", 16, 1270, 1600),
        ("db.r5.xlarge", 32, 2540, 3300),
    ];
    let mut contradicted = Vec::new();
    for (class, gib, mysql, postgresql) in table {
        for (engine, value) in [(Engine::Mysql, mysql), (Engine::Postgresql, postgresql)] {
            if !within(limits(engine.clone(), class, gib), value) {
                contradicted.push((class, engine, value));
            }
        }
    }
    assert_eq!(contradicted, [("db.t3.micro", Engine::Postgresql, 66)]);
}

/// RDS User Guide, "Maximum number of database connections": 16 GiB of MySQL come to "around 1,300".
#[test]
fn the_example_of_the_user_guide() {
    assert!(within(limits(Engine::Mysql, "db.m5.xlarge", 16), 1300));
    // A field report: 8 GiB of MySQL gave about 630, not 682.
    assert!(within(limits(Engine::Mysql, "db.m5.large", 8), 630));
}

/// Every row of Aurora's tables is what its formula gives for the class's memory.
#[test]
fn aurora_tables_are_their_formulas() {
    let gib = |class: &str| -> u64 {
        let (family, size) = class[3..].split_once('.').unwrap();
        let large = if family.starts_with('r') { 16 } else { 8 };
        match size {
            "small" => 2,
            "medium" => 4,
            "large" => large,
            "xlarge" => 2 * large,
            size => size.trim_end_matches("xlarge").parse::<u64>().unwrap() * 2 * large,
        }
    };
    let mut rows = 0;
    for (engine, formula) in [(Engine::AuroraMysql, AURORA_MYSQL), (Engine::AuroraPostgresql, POSTGRESQL)] {
        for family in ["t2", "t3", "t4g", "r3", "r4", "r5", "r6g"] {
            for size in [
                "small", "medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "12xlarge", "16xlarge",
                "24xlarge",
            ] {
                let class = format!("db.{family}.{size}");
                let Some(published) = engine.published(&class) else { continue };
                rows += 1;
                let mut database = database(engine.clone(), &class, 2, gib(&class));
                let table = advise(&facts(database.clone(), Vec::new())).supply.max_connections;
                assert_eq!((table.amount, table.origin), (Amount::exactly(published), Origin::AwsTable));
                // The same by the formula alone, of a class that no table has.
                database.instances[0].class = "db.other.large".into();
                let computed = advise(&facts(database, Vec::new())).supply.max_connections;
                assert_eq!(computed.origin, Origin::EngineDefault);
                assert!(computed.source.starts_with(formula));
                assert!(within(computed.amount, published), "{class}: {published} is not {}", computed.amount);
            }
        }
    }
    assert_eq!(rows, 58);
}

/// Serverless v2: PostgreSQL's rows are its formula at 2 GiB an ACU. So are Aurora MySQL's but the first, 90 at 1 ACU,
/// where 2 GiB would give 45: hence the table, and no arithmetic, for Serverless v2.
#[test]
fn serverless_tables() {
    let mut off = Vec::new();
    for (acus, mysql, postgresql) in [
        (1u64, 90, 189),
        (4, 135, 823),
        (8, 1000, 1669),
        (16, 2000, 3360),
        (32, 3000, 5000),
        (64, 4000, 5000),
        (128, 5000, 5000),
    ] {
        for (engine, published) in [(Engine::AuroraMysql, mysql), (Engine::AuroraPostgresql, postgresql)] {
            assert_eq!(engine.serverless(4, acus * 2), Amount::exactly(published));
            let mut provisioned = database(engine.clone(), "db.other.large", 2, 0);
            provisioned.instances[0].memory_bytes = known(acus * 2 * GIB);
            let computed = advise(&facts(provisioned, Vec::new())).supply.max_connections.amount;
            if !within(computed, published) {
                off.push((engine, acus, published));
            }
        }
    }
    assert_eq!(off, [(Engine::AuroraMysql, 1, 90)]);
    // Between two rows, between their limits; beyond the last one, at least that.
    assert_eq!(Engine::AuroraPostgresql.serverless(4, 12), Amount::between(823, 1669));
    assert_eq!(Engine::AuroraMysql.serverless(4, 512), Amount::AtLeast { low: 5000 });
    assert_eq!(Engine::AuroraPostgresql.serverless(4, 512), Amount::exactly(5000));
    assert_eq!(Engine::AuroraPostgresql.serverless(1, 64), Amount::exactly(2000));
    assert_eq!(Engine::AuroraMysql.serverless(1, 64), Amount::exactly(3000));
}

/// A table's literal in a parameter group wins, whatever the class is.
#[test]
fn a_parameter_group_goes_before_the_default() {
    let mut database = database(Engine::AuroraMysql, "db.r5.large", 2, 16);
    let set = |text: &str| known(Parameter { text: Some(text.into()), group: "own".into(), pending_reboot: false });
    database.parameter = set("1500");
    let supply = advise(&facts(database.clone(), Vec::new())).supply;
    assert_eq!(
        (supply.max_connections.amount, supply.max_connections.origin),
        (Amount::exactly(1500), Origin::Configured)
    );
    database.parameter = set("LEAST({DBInstanceVCPU*100},16000)");
    assert_eq!(advise(&facts(database.clone(), Vec::new())).supply.max_connections.amount, Amount::exactly(200));
    // The default written out is the default.
    database.parameter = set(AURORA_MYSQL);
    assert_eq!(advise(&facts(database.clone(), Vec::new())).supply.max_connections.origin, Origin::AwsTable);
    database.parameter = set("{DBInstanceVCPU*");
    let advice = advise(&facts(database, Vec::new()));
    assert_eq!(advice.supply.max_connections.amount, Amount::Unknown);
    assert!(advice.gaps.iter().any(|gap| gap.why.contains("is no formula")), "{:?}", advice.gaps);
}

#[test]
fn mariadb_before_and_after_10_5() {
    let of = |version: &str| {
        let mut database = database(Engine::Mariadb, "db.m5.large", 2, 8);
        database.engine_version = version.into();
        advise(&facts(database, Vec::new())).supply.max_connections.amount.high()
    };
    assert_eq!(of("10.4.34"), Some(682));
    assert_eq!(of("10.5.0"), Some(341));
    assert_eq!(of("10.11.8"), Some(341));
    assert_eq!(of("11.4.4"), Some(341));
}

#[test]
fn postgresql_keeps_connections_for_superusers() {
    let mut database = database(Engine::Postgresql, "db.m5.large", 2, 8);
    assert_eq!(advise(&facts(database.clone(), Vec::new())).supply.reserved.amount, Amount::exactly(5));
    database.rds_reserved = known(Some(4));
    assert_eq!(advise(&facts(database, Vec::new())).supply.reserved.amount, Amount::exactly(7));
    let mysql = crate::facts::database(Engine::Mysql, "db.m5.large", 2, 8);
    assert_eq!(advise(&facts(mysql, Vec::new())).supply.reserved.amount, Amount::exactly(0));
}

#[test]
fn serverless_ignores_what_the_class_would_have() {
    let mut cluster = database(Engine::AuroraMysql, "db.serverless", 2, 0);
    cluster.serverless = Some(Serverless { min_half_acus: 4, max_half_acus: 32, average_half_acus: None });
    let advice = advise(&facts(cluster, Vec::new()));
    assert_eq!(advice.supply.max_connections.amount, Amount::exactly(2000));
    // Unmeasured: from the 8-ACU minimum to the maximum.
    assert_eq!(advice.cost.monthly_cents.amount, Amount::between(8760, 17_520));
}

/// The table that the product ships: every row has a price, a date and a source, and no Region has a price twice.
#[test]
fn the_table_of_prices() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../templates/prices.json")).unwrap();
    let london = prices_of(&text, "eu-west-2").unwrap();
    assert_eq!(london.vcpu_hour.value(), Some(&17_000));
    assert_eq!(london.acu_hour.value(), Some(&18_000));
    assert!(
        london.vcpu_hour.figure().source.contains("ProxyUsage") && london.vcpu_hour.figure().source.contains("2026")
    );
    assert_eq!(prices_of(&text, "us-east-1").unwrap().vcpu_hour.value(), Some(&15_000));
    // What no source gives is unknown, and so is the cost.
    let tokyo = prices_of(&text, "ap-northeast-1").unwrap();
    assert_eq!(tokyo.vcpu_hour.value(), None);
    let mut facts = facts(database(Engine::Mysql, "db.t3.medium", 2, 4), Vec::new());
    facts.prices = tokyo;
    assert_eq!(advise(&facts).cost.monthly_cents.amount, Amount::Unknown);
    let rows: serde_json::Value = serde_json::from_str(&text).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for row in rows["rows"].as_array().unwrap() {
        assert!(seen.insert((row["region"].to_string(), row["item"].to_string())), "{row}");
        for part in ["date", "source"] {
            assert!(row[part].as_str().is_some_and(|text| text.len() > 6), "{row}");
        }
        assert!(row["price"].as_u64().is_some_and(|price| (1_000..100_000_000).contains(&price)), "{row}");
    }
    assert!(prices_of("{}", "eu-west-2").unwrap_err().to_string().contains("missing field"));
}
