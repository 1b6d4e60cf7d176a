//! Readings for the tests.

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use screen::ratatui;
use screen::{Function, Point, Proxy, Reading, Series, Side, Target, View, draw};

/// 2026-11-29, 12:00 UTC.
pub(crate) const NOON: i64 = 1_795_953_600;

/// An hour of a metric.
pub(crate) fn hour(of: impl Fn(i64) -> f64) -> Series {
    Series::Read((0..60).map(|minute| Point { at: NOON + minute * 60, value: of(minute) }).collect())
}

/// Some minutes of it, and nothing in the others.
pub(crate) fn minutes(of: &[(i64, f64)]) -> Series {
    Series::Read(of.iter().map(|(minute, value)| Point { at: NOON + minute * 60, value: *value }).collect())
}

fn wave(low: f64, high: f64) -> Series {
    #[expect(clippy::cast_precision_loss, reason = "a minute of an hour")]
    hour(|minute| (low + (high - low) * (minute as f64 / 9.0).sin().abs()).round())
}

/// A function with a quiet hour.
pub(crate) fn function(name: &str, side: Side) -> Function {
    Function { name: name.to_owned(), side, invocations: wave(200.0, 340.0), errors: hour(|_| 0.0) }
}

/// A proxy under load, with a function that fails now and then and one that has nothing to do.
pub(crate) fn reading() -> Reading {
    let mut failing = function("InvoiceFunction", Side::Database);
    failing.errors = minutes(&[(3, 0.0), (40, 2.0), (58, 0.0), (59, 1.0)]);
    let mut idle = function("ReportsFunction", Side::Proxy);
    idle.invocations = minutes(&[(12, 4.0)]);
    idle.errors = minutes(&[(12, 0.0)]);
    Reading {
        proxy: "my-instance-proxy".to_owned(),
        database: "my-instance".to_owned(),
        region: "eu-central-1".to_owned(),
        at: NOON + 60 * 60 + 14,
        metrics: Proxy {
            clients: wave(100.0, 180.0),
            connections: wave(4.0, 66.0),
            allowed: hour(|_| 90.0),
            borrowed: wave(1.0, 20.0),
            pinned: wave(0.0, 6.0),
            wait: hour(|minute| if minute % 7 == 0 { 4_200.0 } else { 320.0 }),
            refused: minutes(&[(0, 0.0), (30, 12.0), (59, 0.0)]),
            failed: hour(|_| 0.0),
            queries: Series::Unread("AWS has no figure for PostgreSQL's extended protocol".to_owned()),
            available: hour(|_| 100.0),
        },
        targets: Ok(vec![Target {
            id: "my-instance".to_owned(),
            role: Some("READ_WRITE".to_owned()),
            state: Some("AVAILABLE".to_owned()),
            reason: None,
        }]),
        functions: Ok(vec![function("DBAppFunction", Side::Proxy), failing, idle]),
        left_out: 0,
        hidden: 0,
    }
}

/// A reading in which nothing could be read.
pub(crate) fn unread() -> Reading {
    let why = "cloudwatch:GetMetricData: AccessDenied: not authorized to perform this action".to_owned();
    let known = reading();
    Reading {
        metrics: Proxy::unread(&why),
        targets: Err("rds:DescribeDBProxyTargets: AccessDenied: not authorized to perform this action".to_owned()),
        functions: Err("lambda:ListFunctions: AccessDenied: not authorized to perform this action".to_owned()),
        ..known
    }
}

pub(crate) fn view() -> View {
    View { now: NOON + 60 * 60 + 30, next_in: Some(44), metrics: 16, color: true }
}

/// What stands on a screen of this size.
pub(crate) fn shown(reading: &Reading, view: &View, columns: u16, rows: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| draw(frame, reading, view)).unwrap();
    let buffer = terminal.backend().buffer();
    let row = |y: u16| {
        let row: String = (0..columns).map(|x| buffer[(x, y)].symbol()).collect();
        row.trim_end().to_owned()
    };
    (0..rows).map(|y| row(y) + "\n").collect()
}
