//! Each part of the arithmetic by itself, at the number where it turns.

use advice::advise;
use advice::engine::Engine;
use advice::facts::{EventSource, Facts, Function, Parameter, Serverless, Source};
use advice::figure::Amount;
use advice::quotas::Quantity;
use advice::verdict::{Kind, Limit, Need, Place, Reason};

use crate::facts::{database, facts, from_queue, function, known, stated, unknown};

/// MySQL with so many connections on a class with 16 vCPUs: 70% of what is left after RDS's own one to five is the
/// limit.
fn with(max_connections: u64, functions: Vec<Function>) -> Facts {
    let mut database = database(Engine::Mysql, "db.r5.4xlarge", 16, 128);
    database.parameter =
        known(Parameter { text: Some(max_connections.to_string()), group: "own".into(), pending_reboot: false });
    facts(database, functions)
}

fn need(facts: &Facts) -> Need {
    advise(facts).verdict.need
}

#[test]
fn the_last_connection_that_fits() {
    // 70% of 995 are 696, and two connections for each of 348 environments too.
    assert_eq!(need(&with(1000, vec![stated("f", 348)])), Need::Nothing);
    assert_ne!(need(&with(1000, vec![stated("f", 349)])), Need::Nothing);
}

#[test]
fn the_measured_peak_that_exceeds() {
    let of = |peak| {
        let mut function = function("api");
        function.peak_concurrency = known(peak);
        advise(&with(1000, vec![function])).verdict.reasons.contains(&Reason::MeasuredPeakExceeds)
    };
    // 70% of 999.
    assert_eq!((of(699), of(700)), (false, true));
}

#[test]
fn other_clients_take_their_part() {
    let mut facts = with(1000, vec![stated("f", 200)]);
    assert_eq!(need(&facts), Need::Nothing);
    facts.database.other_connections = known(500);
    let advice = advise(&facts);
    assert_eq!(advice.supply.usable.amount, Amount::between(495, 499));
    assert_ne!(advice.verdict.need, Need::Nothing);
    // Unknown, they may be all of it.
    facts.database.other_connections = unknown();
    facts.functions = vec![stated("f", 1)];
    facts.functions[0].peak_concurrency = known(1);
    let advice = advise(&facts);
    assert_eq!((advice.verdict.need, advice.verdict.kind), (Need::Unknown, Kind::CannotTell));
    assert_eq!(advice.supply.usable.amount.low(), Some(0));
}

#[test]
fn provisioned_environments_have_connections_too() {
    let mut function = stated("f", 5);
    function.peak_concurrency = known(3);
    function.provisioned = known(50);
    let demand = advise(&with(1000, vec![function.clone()])).demand;
    assert_eq!(demand.expected.amount, Amount::between(3, 100));
    assert_eq!(demand.possible.amount, Amount::between(5, 100));
    function.provisioned = unknown();
    assert_eq!(advise(&with(1000, vec![function])).demand.possible.amount, Amount::AtLeast { low: 5 });
}

#[test]
fn invocations_that_share_an_environment() {
    let mut function = stated("f", 100);
    function.peak_concurrency = known(95);
    function.per_environment = Some(10);
    let demand = advise(&with(1000, vec![function])).demand;
    assert_eq!(demand.functions[0].expected_environments.amount, Amount::between(10, 95));
    assert_eq!(demand.functions[0].possible_environments.amount, Amount::between(10, 100));
}

#[test]
fn streams_topics_and_queues_add_up() {
    let mut function = from_queue("f", Some(10));
    let stream = Source::Stream { shards: known(4), parallelization: 10 };
    let topic = Source::Kafka { partitions: known(6) };
    let more = [stream, topic].map(|source| EventSource { uuid: "u".into(), source });
    function.sources = known(function.sources.value().unwrap().iter().cloned().chain(more).collect());
    let demand = advise(&with(1000, vec![function.clone()])).demand;
    assert_eq!(demand.functions[0].possible_environments.amount, Amount::between(56, 61));
    // One source without a limit, and it is the account's.
    let other = EventSource { uuid: "u".into(), source: Source::Other { service: "mq".into() } };
    function.sources = known(vec![other]);
    let demand = advise(&with(1000, vec![function])).demand;
    assert_eq!(demand.functions[0].possible_environments.amount, Amount::exactly(1000));
}

#[test]
fn functions_share_the_concurrency_of_the_account() {
    let demand = advise(&with(1000, vec![function("one"), function("other")])).demand;
    assert_eq!(demand.possible.amount, Amount::exactly(2000));
    assert_eq!(demand.environments.amount, Amount::exactly(1000));
}

#[test]
fn what_can_wait_is_limited_first() {
    let mut api = stated("api", 300);
    api.peak_concurrency = known(10);
    let mut queue = from_queue("queue", None);
    queue.sustained_invocations_per_minute = known(60);
    queue.duration_ms = known(1000);
    let verdict = advise(&with(1000, vec![api, queue])).verdict;
    // 96 connections are left beside 600 of the other: 32, 48 with the overshoot, 96 with what lingers.
    let place = Place::SqsMaximumConcurrency { uuid: "queue-mapping".into() };
    assert_eq!(verdict.limits, [Limit { function: "queue".into(), place, value: 32 }]);
}

/// 696 connections for 10 and 30 environments at the measured peaks: 174 and 522, and half as many environments.
#[test]
fn what_is_left_is_shared_by_need() {
    let api = |name, peak| {
        let mut function = function(name);
        function.peak_concurrency = known(peak);
        function
    };
    let verdict = advise(&with(1000, vec![api("small", 10), api("large", 30)])).verdict;
    let mut values: Vec<_> = verdict.limits.iter().map(|limit| (limit.function.as_str(), limit.value)).collect();
    values.sort_unstable();
    assert_eq!(values, [("large", 261), ("small", 87)]);
}

/// `MaximumConcurrency` is at least 2: three environments with the overshoot, six connections with what lingers.
#[test]
fn a_queue_has_at_least_two_at_once() {
    let mut queue = from_queue("queue", None);
    queue.sustained_invocations_per_minute = known(0);
    queue.duration_ms = known(1);
    let of = |max_connections| advise(&with(max_connections, vec![queue.clone()])).verdict;
    assert_eq!(of(13).need, Need::Pool);
    assert_eq!(of(14).limits[0].value, 2);
}

#[test]
fn reserved_concurrency_leaves_100_to_the_account() {
    let mut api = function("api");
    api.peak_concurrency = known(60);
    let mut facts = with(300, vec![api]);
    facts.account.unreserved_concurrency = known(150);
    // 60 would do, but only 50 may be reserved.
    assert_eq!(need(&facts), Need::Pool);
    facts.account.unreserved_concurrency = known(160);
    let verdict = advise(&facts).verdict;
    assert_eq!(verdict.limits, [Limit { function: "api".into(), place: Place::ReservedConcurrency, value: 60 }]);
}

#[test]
fn one_acu_does_not_stall() {
    let of = |min_half_acus| {
        let mut cluster = database(Engine::AuroraMysql, "db.serverless", 2, 4);
        cluster.serverless = Some(Serverless { min_half_acus, max_half_acus: 16, average_half_acus: Some(16) });
        let verdict = advise(&facts(cluster, vec![stated("f", 1)])).verdict;
        (verdict.kind, verdict.reasons.contains(&Reason::LowCapacityStalls))
    };
    assert_eq!(of(0), (Kind::Harmful, true));
    assert_eq!(of(1), (Kind::NotNeeded, true));
    assert_eq!(of(2), (Kind::NotNeeded, false));
}

#[test]
fn the_share_of_connections_for_the_pool() {
    let mut api = function("api");
    api.peak_concurrency = known(100);
    let mut facts = with(1000, vec![api]);
    // 200 with what lingers, of 1,000, and 30%.
    assert_eq!(advise(&facts).settings.max_connections_percent.value, 26);
    assert_eq!(advise(&facts).settings.max_idle_connections_percent.value, 13);
    // 605 of 1,000 are taken.
    facts.database.other_connections = known(600);
    facts.functions[0].peak_concurrency = known(300);
    assert_eq!(advise(&facts).settings.max_connections_percent.value, 39);
    // Nothing is known, so AWS's default, as far as the vCPUs serve it: 400 of 1,000.
    facts.database.other_connections = unknown();
    facts.functions[0].peak_concurrency = unknown();
    assert_eq!(advise(&facts).settings.max_connections_percent.value, 40);
    facts.database.instances[0].vcpus = unknown();
    assert_eq!(advise(&facts).settings.max_connections_percent.value, 100);
}

#[test]
fn the_wait_for_a_connection_ends_before_the_function() {
    let of = |seconds| {
        let mut function = function("f");
        function.timeout_seconds = seconds;
        let mut slow = function.clone();
        slow.timeout_seconds = 900;
        advise(&with(1000, vec![function, slow])).settings.connection_borrow_timeout_seconds.value
    };
    assert_eq!([1, 3, 30, 120, 121, 900].map(of), [1, 2, 24, 96, 120, 120]);
}

#[test]
fn idle_clients_stay_unless_they_are_pinned() {
    let mut function = function("f");
    assert_eq!(advise(&with(1000, vec![function.clone()])).settings.idle_client_timeout_seconds.value, 1800);
    function.pinned_percent = known(10);
    assert_eq!(advise(&with(1000, vec![function.clone()])).settings.idle_client_timeout_seconds.value, 300);
    function.timeout_seconds = 900;
    assert_eq!(advise(&with(1000, vec![function])).settings.idle_client_timeout_seconds.value, 960);
}

/// AWS does not say whether the minimum of 2 vCPUs is of the proxy or of each instance.
#[test]
fn classes_with_one_vcpu() {
    let mut facts = with(1000, Vec::new());
    facts.database.instances[0].vcpus = known(1);
    assert_eq!(advise(&facts).cost.monthly_cents.amount, Amount::exactly(2190));
    let instance = facts.database.instances[0].clone();
    facts.database.instances.extend([instance.clone(), instance]);
    assert_eq!(advise(&facts).cost.monthly_cents.amount, Amount::between(3285, 6570));
}

#[test]
fn log_ins_with_iam() {
    let of = |cold_starts_per_minute, iam| {
        let mut function = function("f");
        function.iam_login = iam;
        function.cold_starts_per_minute = cold_starts_per_minute;
        let mut facts = with(1000, vec![function]);
        facts.account.unreserved_concurrency = known(300);
        advise(&facts).logins.fits
    };
    assert_eq!(of(known(200 * 60), true), Some(false));
    // Less on average, but 300 may start at once.
    assert_eq!(of(known(60), true), None);
    assert_eq!(of(unknown(), true), None);
    assert_eq!(of(known(200 * 60), false), Some(true));
    let mut few = stated("few", 199);
    few.iam_login = true;
    assert_eq!(advise(&with(1000, vec![few.clone()])).logins.fits, Some(true));
    // Two connections of each environment are two log-ins.
    few.connections_per_environment = known(2);
    assert_eq!(advise(&with(1000, vec![few])).logins.fits, None);
}

#[test]
fn one_more_proxy() {
    let of = |there, quota| {
        let mut facts = with(1000, Vec::new());
        facts.account.proxies = there;
        facts.account.proxies_quota = quota;
        advise(&facts).quotas.into_iter().find(|quota| quota.what == Quantity::Proxies).unwrap()
    };
    assert_eq!(of(known(19), unknown()).fits, Some(true));
    assert_eq!(of(known(20), unknown()).fits, Some(false));
    assert!(of(known(20), unknown()).limit.source.starts_with("AWS's default"));
    assert_eq!(of(known(20), known(40)).fits, Some(true));
    assert_eq!(of(unknown(), known(40)).fits, None);
}

#[test]
fn pinned_clients_are_added_to_the_pool() {
    let mut api = function("api");
    api.peak_concurrency = known(10);
    api.peak_invocations_per_minute = known(6000);
    api.borrow_us = known(50_000);
    api.pinned_percent = known(20);
    let pool = advise(&with(1000, vec![api])).pool;
    assert_eq!(pool.requests_per_minute.amount, Amount::exactly(4800));
    assert_eq!(pool.busy_hundredths.amount, Amount::exactly(400));
    // A fifth of 10 to 20 clients, and the servers that 80 requests a second of 50 ms need.
    assert_eq!(pool.pinned.amount, Amount::between(2, 4));
    let line =
        |servers| advice::queue::Line { servers, arrivals_per_second: 80.0, service_seconds: 0.05, variation: 1.0 };
    let servers = advice::queue::servers_for(line, 0.99, 0.01).unwrap();
    assert_eq!(pool.connections.amount, Amount::between(servers + 2, servers + 4));
}
