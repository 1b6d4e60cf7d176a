//! Cases that people described: their numbers, and what follows from them.

use advice::advise;
use advice::cost::Way;
use advice::engine::Engine;
use advice::facts::{EventSource, Facts, LargerClass, Parameter, Proxy, Serverless, Source};
use advice::figure::Amount;
use advice::verdict::{Change, Kind, Limit, Need, Place, Reason};

use crate::facts::{GIB, database, facts, from_queue, function, known, stated, unknown};

/// A mailing of 500,000 took all of 1,000 connections of a development database; limiting concurrency solved it, and
/// the proxy would have cost more than the functions.
fn mailing() -> Facts {
    let mut database = database(Engine::Mysql, "db.t3.medium", 2, 4);
    database.parameter = known(Parameter { text: Some("1000".into()), group: "mail".into(), pending_reboot: false });
    database.measured_connections = known(1000);
    let mut mailer = from_queue("mailer", None);
    mailer.peak_concurrency = known(1000);
    // In an hour, with 300 ms for each.
    mailer.sustained_invocations_per_minute = known(8334);
    mailer.peak_invocations_per_minute = known(20_000);
    mailer.duration_ms = known(300);
    facts(database, vec![mailer])
}

#[test]
fn mailing_of_500_000_needs_a_limit_and_no_proxy() {
    let advice = advise(&mailing());
    assert_eq!(advice.supply.max_connections.amount, Amount::exactly(1000));
    assert_eq!(advice.demand.possible.amount, Amount::between(1000, 2000));
    assert_eq!(advice.demand.functions[0].sustained.amount, Amount::exactly(42));
    assert_eq!(advice.verdict.kind, Kind::NotNeededIfLimited);
    assert!(advice.verdict.reasons.contains(&Reason::AlreadyAtTheLimit { measured: 1000 }));
    // 70% of 1,000 less five of RDS's own are 696; at 232 the queue may start 348, and twice as many connections
    // linger.
    let limit = Limit {
        function: "mailer".into(),
        place: Place::SqsMaximumConcurrency { uuid: "mailer-mapping".into() },
        value: 232,
    };
    assert_eq!(advice.verdict.limits.as_slice(), std::slice::from_ref(&limit));
    assert_eq!(
        limit.command(str::to_owned),
        "aws lambda update-event-source-mapping --uuid mailer-mapping --scaling-config MaximumConcurrency=232"
    );
    assert_eq!(
        advice.verdict.sentence,
        "orders needs no proxy if you limit concurrency: SQS MaximumConcurrency of 232 for mailer. As it is, 1000 to 2000 \
         connections are possible, and the limit is 696 to 699."
    );
    assert_eq!(advice.cost.monthly_cents.amount, Amount::exactly(2190));
}

/// The same peak from callers that do not wait: a limit would throttle them.
#[test]
fn the_same_peak_from_an_api_needs_a_pool() {
    let mut facts = mailing();
    facts.functions[0] = function("api");
    facts.functions[0].peak_concurrency = known(1000);
    facts.functions[0].peak_invocations_per_minute = known(20_000);
    facts.functions[0].borrow_us = known(20_000);
    let advice = advise(&facts);
    assert_eq!((advice.verdict.kind, advice.verdict.need), (Kind::Helps, Need::Pool));
    assert!(advice.verdict.reasons.contains(&Reason::MeasuredPeakExceeds));
    assert!(advice.verdict.reasons.contains(&Reason::CannotBeLimited { functions: vec!["api".into()] }));
    // 333 a second, 20 ms each: seven busy on average, and a few more so that next to none waits 10 ms.
    assert_eq!(advice.pool.busy_hundredths.amount, Amount::exactly(667));
    let pool = advice.pool.connections.amount.high().unwrap();
    assert!((10..=16).contains(&pool), "{pool}");
    assert!(advice.verdict.reasons.contains(&Reason::PoolServes { connections: pool }));
}

/// 5 of a map state, 4 of a queue and 3 single functions against db.t3.medium: "RDS Proxy is needed", says the document
/// for the doubling of connections. Doubled and with the queue's overshoot they are 28, of at least 190.
#[test]
fn five_and_four_and_three_functions_need_no_proxy() {
    let functions = vec![
        stated("csv-import", 5),
        from_queue("mail-sender", Some(4)),
        stated("import-finished", 1),
        stated("poll", 1),
        stated("dead-letters", 1),
    ];
    for engine in [Engine::Mysql, Engine::Postgresql] {
        let mut facts = facts(database(engine, "db.t3.medium", 2, 4), functions.clone());
        let advice = advise(&facts);
        assert_eq!(advice.verdict.kind, Kind::NotNeeded);
        assert_eq!(advice.demand.possible.amount, Amount::between(12, 28));
        let limit = advice.supply.limit.amount.low().unwrap();
        assert!(limit >= 190, "{limit}");
        assert!(advice.verdict.changes.contains(&Change::PeakAbove { connections: limit }));
        // Their preset: 50 is below AWS's minimum for the class, and 120 s longer than a function of 30 s lives.
        assert!(!advice.settings.preset.fits);
        assert_eq!(
            advice.settings.preset.objections,
            [
                "MaxConnectionsPercent 50 is below AWS's minimum for this class, 55",
                "ConnectionBorrowTimeout 120 is not within a function's timeout of 30 s: it ends without the proxy's error",
            ]
        );
        // "About $20 to 30 a month."
        assert_eq!(advice.cost.monthly_cents.amount, Amount::exactly(2190));
        // Their fourth reason stands, where there is a standby.
        facts.database.fails_over = known(true);
        assert_eq!(advise(&facts).verdict.kind, Kind::FailoverOnly);
    }
}

/// "Today 4, later 20, then 50": even 50 of the queue fit, and what does not is said.
#[test]
fn growing_to_fifty() {
    let of = |concurrency| {
        let functions = vec![stated("csv-import", 5), from_queue("mail-sender", Some(concurrency)), stated("rest", 3)];
        advise(&facts(database(Engine::Mysql, "db.t3.medium", 2, 4), functions)).verdict.kind
    };
    assert_eq!((of(20), of(50)), (Kind::NotNeeded, Kind::NotNeeded));
    assert_ne!(of(100), Kind::NotNeeded);
}

/// A queue at 20 was seen at 30.
#[test]
fn a_queue_starts_more_than_its_setting() {
    let facts = facts(database(Engine::Mysql, "db.t3.medium", 2, 4), vec![from_queue("events", Some(20))]);
    let advice = advise(&facts);
    assert_eq!(advice.demand.functions[0].possible_environments.amount, Amount::between(20, 30));
    assert!(advice.demand.functions[0].possible_environments.source.contains("measured 30"));
    // Reserved concurrency is a hard limit, and ends the overshoot.
    let mut limited = facts;
    limited.functions[0].reserved = known(Some(20));
    assert_eq!(advise(&limited).demand.functions[0].possible_environments.amount, Amount::exactly(20));
}

/// 2 vCPUs collapsed far below max_connections: the pool is capped by what they serve.
#[test]
fn two_vcpus_do_not_serve_1_700_connections() {
    let mut facts = facts(database(Engine::Postgresql, "db.r5.large", 2, 16), vec![function("api")]);
    facts.functions[0].peak_concurrency = known(1000);
    facts.functions[0].peak_invocations_per_minute = known(60_000);
    facts.functions[0].borrow_us = known(400_000);
    let advice = advise(&facts);
    assert_eq!(advice.supply.served.amount, Amount::exactly(50));
    assert!(advice.verdict.reasons.contains(&Reason::ProcessorFirst { served: 50 }));
    // 50 of at least 1,532 are 4%; AWS's minimum of 20% for the class goes before.
    assert_eq!(advice.settings.max_connections_percent.value, 20);
}

#[test]
fn a_cluster_that_pauses_is_harmed() {
    let mut paused = database(Engine::AuroraPostgresql, "db.serverless", 2, 4);
    paused.serverless = Some(Serverless { min_half_acus: 0, max_half_acus: 8, average_half_acus: Some(1) });
    let mut facts = facts(paused, vec![stated("nightly", 3)]);
    let advice = advise(&facts);
    assert_eq!(advice.verdict.kind, Kind::Harmful);
    assert_eq!(advice.supply.max_connections.amount, Amount::exactly(823));
    for reason in [Reason::LosesAutoPause, Reason::EightAcuMinimum { half_acus: 1 }, Reason::LowCapacityStalls] {
        assert!(advice.verdict.reasons.contains(&reason));
    }
    // 8 ACUs at $0.015 for 730 hours.
    assert_eq!(advice.cost.monthly_cents.amount, Amount::exactly(8760));
    // A floor of half an ACU caps PostgreSQL at 2,000, whatever the maximum.
    facts.database.serverless = Some(Serverless { min_half_acus: 1, max_half_acus: 64, average_half_acus: None });
    assert_eq!(advise(&facts).supply.max_connections.amount, Amount::exactly(2000));
}

#[test]
fn pinning_and_long_transactions_leave_nothing_to_share() {
    let mut facts = mailing();
    facts.functions[0] = function("api");
    facts.functions[0].peak_concurrency = known(1000);
    facts.functions[0].peak_invocations_per_minute = known(20_000);
    facts.functions[0].borrow_us = known(20_000);
    facts.functions[0].pinned_percent = known(100);
    let advice = advise(&facts);
    assert_eq!(advice.verdict.kind, Kind::WillNotHelp);
    assert!(advice.verdict.reasons.contains(&Reason::Pinning { percent: 100 }));
    assert!(advice.verdict.changes.contains(&Change::NoPinning));
    // Five seconds in a transaction: 1,667 busy at a time.
    facts.functions[0].pinned_percent = known(0);
    facts.functions[0].borrow_us = known(5_000_000);
    let advice = advise(&facts);
    assert_eq!(advice.verdict.kind, Kind::WillNotHelp);
    assert!(advice.verdict.changes.contains(&Change::ShorterTransactions));
    // What a proxy measured goes before what is expected.
    facts.functions[0].borrow_us = known(20_000);
    facts.proxy = Some(Proxy {
        name: "orders-proxy".into(),
        max_connections_percent: known(100),
        connections_allowed: known(990),
        peak_borrowed: known(7),
        pinned_percent: known(80),
        borrow_latency_us: known(0),
    });
    assert!(advise(&facts).verdict.reasons.contains(&Reason::Pinning { percent: 80 }));
}

#[test]
fn sql_server_2022_is_not_served() {
    let mut database = database(Engine::SqlServer, "db.m5.large", 2, 8);
    database.engine_version = "16.00.4085.2.v1".into();
    let mut facts = facts(database, vec![function("api")]);
    facts.account.concurrency = known(100_000);
    facts.account.unreserved_concurrency = known(100_000);
    facts.functions[0].peak_concurrency = known(40_000);
    let advice = advise(&facts);
    assert_eq!(advice.supply.max_connections.amount, Amount::exactly(32_767));
    assert_eq!(advice.verdict.kind, Kind::WillNotHelp);
    assert_eq!(advice.settings.max_idle_connections_percent.value, advice.settings.max_connections_percent.value / 20);
}

/// Nothing measured and nothing limited: no number follows.
#[test]
fn a_new_function_without_metrics() {
    let facts = facts(database(Engine::Mysql, "db.t3.medium", 2, 4), vec![function("api")]);
    let advice = advise(&facts);
    assert_eq!(advice.verdict.kind, Kind::CannotTell);
    assert!(advice.verdict.gaps.iter().any(|gap| gap.what == "measured peak concurrency of function api"));
    assert!(advice.verdict.changes.contains(&Change::FillGaps));
    assert_eq!(advice.pool.connections.amount, Amount::Unknown);
}

#[test]
fn a_pending_reboot_leaves_the_limit_open() {
    let mut facts = mailing();
    facts.database.parameter =
        known(Parameter { text: Some("5000".into()), group: "mail".into(), pending_reboot: true });
    facts.database.measured_connections = known(300);
    let advice = advise(&facts);
    assert!(advice.supply.pending_reboot);
    assert_eq!(advice.supply.max_connections.amount, Amount::AtLeast { low: 300 });
    assert!(advice.verdict.changes.contains(&Change::Reboot));
}

#[test]
fn a_larger_class_that_takes_the_peak_is_named() {
    let mut facts = facts(database(Engine::Mysql, "db.t3.medium", 2, 4), vec![function("api")]);
    facts.functions[0].peak_concurrency = known(400);
    facts.account.concurrency = known(400);
    facts.account.unreserved_concurrency = known(400);
    let class = |name: &str, gib: u64, cents| LargerClass {
        class: name.into(),
        memory_bytes: gib * GIB,
        vcpus: 2,
        more_monthly_cents: cents,
    };
    let classes = vec![
        class("db.t3.large", 8, known(5000)),
        class("db.t3.xlarge", 16, known(15_000)),
        class("db.t3.2xlarge", 32, unknown()),
    ];
    facts.database.larger_classes = known(classes);
    let advice = advise(&facts);
    assert_eq!(advice.verdict.kind, Kind::Helps);
    let larger = Change::LargerClass { class: "db.t3.xlarge".into(), more_monthly_cents: Some(15_000) };
    assert!(advice.verdict.changes.contains(&larger), "{:?}", advice.verdict.changes);
    let ways = |advice: &advice::Advice| -> Vec<(Way, Amount)> {
        advice.cost.alternatives.iter().map(|other| (other.way.clone(), other.more_monthly_cents.amount)).collect()
    };
    let way = |class: Option<&str>| Way::LargerClass { class: class.map(str::to_owned) };
    assert_eq!(ways(&advice), [(way(Some("db.t3.xlarge")), Amount::exactly(15_000))]);
    // A literal in a parameter group is the same on every class, so none takes the peak.
    facts.database.parameter =
        known(Parameter { text: Some("300".into()), group: "own".into(), pending_reboot: false });
    let literal = advise(&facts);
    assert!(!literal.verdict.changes.iter().any(|change| matches!(change, Change::LargerClass { .. })));
    assert_eq!(ways(&literal), [(way(None), Amount::Unknown)]);
    // Where nothing has to be done, no class is offered.
    facts.functions[0].peak_concurrency = known(5);
    facts.functions[0].reserved = known(Some(5));
    assert_eq!(ways(&advise(&facts)), []);
}

/// A nightly import and a queue: AWS's list price of us-east-1, $0.20 for a million requests and $0.0000166667 for a
/// gigabyte-second. In 14 days 1,400,000 invocations of 200 ms with 1,024 MiB are 280,000 gigabyte-seconds; a month of
/// 730 hours has 730/336 of that.
#[test]
fn functions_have_their_cost_beside_the_proxy() {
    let mut facts = facts(database(Engine::Mysql, "db.t3.medium", 2, 4), vec![function("api")]);
    facts.functions[0].invocations = known(1_400_000);
    facts.functions[0].duration_ms = known(200);
    let of = |facts: &Facts| advise(facts).cost.functions_monthly_cents.amount;
    // (1.4 x $0.20 + 0.28 x $16.6667) x 730 / 336 = $10.75.
    assert_eq!(of(&facts), Amount::exactly(1075));
    // Graviton: (1.4 x $0.20 + 0.28 x $13.3334) x 730 / 336.
    facts.functions[0].arm = true;
    assert_eq!(of(&facts), Amount::exactly(872));
    // One whose invocations are not known leaves the rest as the least; provisioned concurrency is another price.
    facts.functions.push(function("other"));
    assert_eq!(of(&facts), Amount::AtLeast { low: 872 });
    facts.functions[0].provisioned = known(5);
    let advice = advise(&facts);
    assert_eq!(advice.cost.functions_monthly_cents.amount, Amount::Unknown);
    let gap = advice.gaps.iter().find(|gap| gap.what == "monthly cost of function api").unwrap();
    assert!(gap.why.contains("provisioned concurrency"), "{gap:?}");
}

/// The Data API is another way where the engine has it: how many requests it would be billed for is said, and no price.
#[test]
fn the_data_api_is_counted_and_not_priced() {
    let mut facts = facts(database(Engine::AuroraPostgresql, "db.r5.large", 2, 16), vec![function("api")]);
    facts.functions[0].peak_concurrency = known(3000);
    facts.functions[0].invocations = known(336);
    facts.database.data_api = known(true);
    let advice = advise(&facts);
    let data = advice.cost.alternatives.iter().find(|other| other.way == Way::DataApi).unwrap();
    assert_eq!(data.more_monthly_cents.amount, Amount::Unknown);
    assert!(data.more_monthly_cents.source.contains("730 a month"), "{data:?}");
}

/// What a proxy may open is the truth: the least that the database takes, and a sign where the configuration says less.
#[test]
fn a_proxy_knows_how_many_connections_the_database_takes() {
    let mut facts = mailing();
    let proxy = |allowed| Proxy {
        name: "orders-proxy".into(),
        max_connections_percent: known(100),
        connections_allowed: known(allowed),
        peak_borrowed: known(7),
        pinned_percent: known(0),
        borrow_latency_us: known(0),
    };
    facts.database.parameter = known(Parameter { text: None, group: "default".into(), pending_reboot: false });
    let formula = advise(&facts).supply.max_connections.amount;
    assert_eq!(formula, Amount::between(290, 341));
    facts.proxy = Some(proxy(330));
    assert_eq!(advise(&facts).supply.max_connections.amount, Amount::between(330, 341));
    // A part of the pool alone says nothing new.
    facts.proxy = Some(proxy(100));
    assert_eq!(advise(&facts).supply.max_connections.amount, formula);
    facts.proxy = Some(proxy(600));
    let advice = advise(&facts);
    assert_eq!(advice.supply.max_connections.amount, Amount::AtLeast { low: 600 });
    assert!(advice.gaps.iter().any(|gap| gap.why.contains("more than the 341")), "{:?}", advice.gaps);
}

/// Shards that nobody could count leave a stream without a limit, and are listed; stated, they are one.
#[test]
fn shards_that_are_not_known_are_a_gap() {
    let stream = |shards| {
        let mut reader = from_queue("reader", None);
        let source = Source::Stream { shards, parallelization: 10 };
        reader.sources = known(vec![EventSource { uuid: "u".into(), source }]);
        advise(&facts(database(Engine::Mysql, "db.t3.medium", 2, 4), vec![reader]))
    };
    let advice = stream(unknown());
    assert_eq!(advice.demand.functions[0].possible_environments.amount, Amount::exactly(1000));
    assert!(advice.gaps.iter().any(|gap| gap.what == "shards of function reader"), "{:?}", advice.gaps);
    let advice = stream(known(4));
    assert_eq!(advice.demand.functions[0].possible_environments.amount, Amount::exactly(40));
    assert!(advice.demand.functions[0].possible_environments.source.starts_with("4 shards"));
}

#[test]
fn every_instance_and_endpoint_is_billed() {
    let mut facts = mailing();
    let mut reader = facts.database.instances[0].clone();
    reader.vcpus = known(4);
    facts.database.instances.push(reader);
    facts.account.extra_endpoints = known(1);
    // In 14 days, which is 10 GB a month.
    facts.prices.log_bytes = known(4_602_739_726);
    // 6 vCPUs at $0.015, an endpoint in two zones at $0.01, and 10 GB at $0.50.
    assert_eq!(advise(&facts).cost.monthly_cents.amount, Amount::exactly(6570 + 1460 + 500));
    facts.prices.vcpu_hour = unknown();
    let advice = advise(&facts);
    assert_eq!(advice.cost.monthly_cents.amount, Amount::AtLeast { low: 1960 });
    assert!(advice.gaps.iter().any(|gap| gap.what.starts_with("price of vCPUs")));
}
