//! Laws of the table, of the alarms that come of it, and of differences.

use super::*;

/// What somebody changes of an alarm by hand.
type Hand = fn(&mut Alarm);

fn watched() -> Watched {
    Watched {
        proxy: "main-proxy".to_owned(),
        writer_role: Some("READWRITE".to_owned()),
        cluster: false,
        requires_tls: true,
        postgresql: false,
    }
}

fn of(watched: &Watched, kind: Kind) -> Alarm {
    match watched.alarm(kind, None, &[]) {
        Wanted::Yes(alarm) => alarm,
        other => panic!("{kind:?}: {other:?}"),
    }
}

fn dimensions(alarm: &Alarm) -> Vec<&str> {
    match &alarm.parts[0].of {
        Of::Metric { dimensions, .. } => dimensions.iter().map(|(name, _)| name.as_str()).collect(),
        Of::Expression { .. } => Vec::new(),
    }
}

#[test]
fn the_table_is_what_cloudwatch_takes() {
    for info in KINDS {
        assert_eq!(Kind::named(info.key), Some(info.kind));
        let alarm = of(&watched(), info.kind);
        // https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html
        assert!(alarm.description.chars().count() <= 1024 && alarm.name.len() <= 255 && alarm.name.is_ascii());
        assert!((1..=alarm.evaluated).contains(&alarm.needed), "{}", info.key);
        assert!(alarm.evaluated * info.period <= 86_400 && (info.period % 60 == 0), "{}", info.key);
        assert!(["missing", "ignore", "breaching", "notBreaching"].contains(&info.missing), "{}", info.key);
        let shown = alarm.parts.iter().filter(|part| part.shown).count();
        let banded = info.unit == Unit::Deviations;
        assert_eq!(shown, if banded { 2 } else { 1 }, "{}", info.key);
        assert_eq!(alarm.threshold.is_none() && alarm.band.is_some(), banded, "{}", info.key);
        assert!(info.metrics.len() == 1 || info.expression.is_some(), "{}", info.key);
        for sentence in [info.meaning, info.then] {
            assert!(sentence.ends_with('.'), "{sentence}");
        }
        assert!(!info.why.ends_with('.') && !info.why_missing.ends_with('.'), "{}", info.key);
        assert_eq!(info.unit.read(&info.threshold.to_string()), Ok(info.threshold), "{}", info.key);
    }
}

/// A writer whose pool is full must not hide behind readers who have room.
#[test]
fn the_pool_is_that_of_the_writer_where_there_are_readers() {
    assert_eq!(dimensions(&of(&watched(), Kind::Pool)), ["ProxyName"]);
    let cluster = Watched { cluster: true, ..watched() };
    for kind in [Kind::Pool, Kind::Pinned] {
        assert_eq!(dimensions(&of(&cluster, kind)), ["ProxyName", "TargetGroup", "TargetRole"]);
    }
    assert_eq!(dimensions(&of(&cluster, Kind::BorrowLatency)), ["ProxyName"]);
}

#[test]
fn an_alarm_that_needs_the_role_waits_until_its_spelling_is_known() {
    let unknown = Watched { writer_role: None, ..watched() };
    assert!(matches!(unknown.alarm(Kind::Availability, None, &[]), Wanted::Later(_)));
    assert!(matches!(unknown.alarm(Kind::Pool, None, &[]), Wanted::Yes(_)));
    let cluster = Watched { cluster: true, ..unknown };
    assert!(matches!(cluster.alarm(Kind::Pool, None, &[]), Wanted::Later(_)));
    assert_eq!(writer_role(["READ_ONLY", "READ_WRITE"]), Some("READ_WRITE"));
    assert_eq!(writer_role(["READ_ONLY", "READWRITE"]), Some("READWRITE"));
    assert_eq!(writer_role(["READ_ONLY", "UNKNOWN"]), None);
}

#[test]
fn what_a_proxy_has_no_use_for_is_left_out() {
    let postgresql = Watched { postgresql: true, requires_tls: false, ..watched() };
    assert!(matches!(postgresql.alarm(Kind::QueryGrowth, None, &[]), Wanted::No(_)));
    assert!(matches!(postgresql.alarm(Kind::WithoutTls, None, &[]), Wanted::No(_)));
}

#[test]
fn a_threshold_is_in_people_s_units_and_every_difference_is_a_clause() {
    for info in KINDS {
        let topics = ["arn:aws:sns:eu-central-1:123456789012:ops".to_owned()];
        let usual = of(&watched(), info.kind);
        assert_eq!(threshold_of(info.kind, &usual), Some(info.threshold), "{}", info.key);
        assert_eq!(differences(info.kind, &usual, &usual), [""; 0], "{}", info.key);
        let Wanted::Yes(other) = watched().alarm(info.kind, Some(7.0), &topics) else { panic!("{}", info.key) };
        assert_eq!(threshold_of(info.kind, &other), Some(7.0), "{}", info.key);
        let clauses = differences(info.kind, &usual, &other);
        assert_eq!(clauses.len(), 2, "{clauses:?}");
        assert!(clauses[0].starts_with("threshold: ") && clauses[1].contains(&topics[0]), "{clauses:?}");
    }
    let usual = of(&watched(), Kind::Pool);
    let mut turned = usual.clone();
    turned.parts.reverse();
    assert_eq!(differences(Kind::Pool, &turned, &usual), [""; 0]);
    let changes: [(&str, Hand); 6] = [
        ("comparison", |alarm| alarm.comparison = "LessThanThreshold".to_owned()),
        ("points", |alarm| alarm.needed = 1),
        ("missing data", |alarm| alarm.missing = "ignore".to_owned()),
        ("description", |alarm| alarm.description.clear()),
        ("metrics", |alarm| drop(alarm.parts.pop())),
        ("threshold", |alarm| alarm.threshold = None),
    ];
    for (what, change) in changes {
        let mut found = usual.clone();
        change(&mut found);
        let clauses = differences(Kind::Pool, &found, &usual);
        assert!(clauses.len() == 1 && clauses[0].starts_with(what), "{what}: {clauses:?}");
    }
}

#[test]
fn what_is_billed_is_each_metric_and_three_for_a_band() {
    let all: usize = KINDS.iter().map(|info| billed(&of(&watched(), info.kind))).sum();
    assert_eq!(billed(&of(&watched(), Kind::Pool)), 2);
    assert_eq!(billed(&of(&watched(), Kind::ClientGrowth)), 3);
    assert_eq!(all, 16);
}

#[test]
fn a_threshold_that_makes_no_sense_is_refused() {
    assert_eq!(Unit::Percent.read("85%"), Ok(85.0));
    assert_eq!(Unit::Milliseconds.read("250ms"), Ok(250.0));
    for (unit, text) in [
        (Unit::Percent, "101"),
        (Unit::Percent, "-1"),
        (Unit::Percent, "NaN"),
        (Unit::Milliseconds, "0"),
        (Unit::Count, "inf"),
        (Unit::Deviations, "0"),
        (Unit::Deviations, "three"),
    ] {
        assert!(unit.read(text).is_err(), "{unit:?} {text}");
    }
}
