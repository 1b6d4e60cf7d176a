//! The screens that people have.

use screen::{Reading, Series, Side, View, draw};

use crate::world::{NOON, function, hour, minutes, reading, shown, unread, view};

#[test]
fn screens() {
    for (columns, rows) in [(80, 24), (120, 40), (60, 15)] {
        insta::assert_snapshot!(format!("load_{columns}x{rows}"), shown(&reading(), &view(), columns, rows));
        insta::assert_snapshot!(format!("unread_{columns}x{rows}"), shown(&unread(), &view(), columns, rows));
    }
}

/// A fleet with one failing function and a target that is not available.
fn fleet() -> Reading {
    let mut reading = reading();
    let names = ('a'..='z').map(|letter| function(&format!("Unit{letter}"), Side::Proxy));
    let mut functions: Vec<_> = names.collect();
    functions[20].errors = hour(|minute| if minute == 30 { 7.0 } else { 0.0 });
    reading.functions = Ok(functions);
    reading.left_out = 3;
    reading.hidden = 1;
    if let Ok(targets) = &mut reading.targets {
        targets[0].state = Some("UNAVAILABLE".to_owned());
        targets[0].reason = Some("AUTH_FAILURE".to_owned());
    }
    reading.metrics.connections = hour(|_| 63.0);
    reading.metrics.available = hour(|minute| if minute > 50 { 50.0 } else { 100.0 });
    reading
}

#[test]
fn a_function_that_fails_is_never_among_those_that_there_is_no_room_for() {
    for (columns, rows) in [(80, 24), (120, 40), (60, 18)] {
        let text = shown(&fleet(), &view(), columns, rows);
        let line = text.lines().find(|line| line.contains("Unitu")).unwrap_or_else(|| panic!("{text}"));
        assert!(line.starts_with("! "), "{text}");
        assert!(text.contains(" more: Functions: "), "{text}");
    }
    insta::assert_snapshot!("fleet_80x24", shown(&fleet(), &view(), 80, 24));
}

#[test]
fn what_is_wrong_has_a_mark_and_what_is_not_has_none() {
    let text = shown(&fleet(), &view(), 100, 30);
    let marked: Vec<&str> = text.lines().filter(|line| line.starts_with('!')).collect();
    let wrong = ["Target my-instance", "Database connections", "Availability", "Unitu"];
    assert_eq!(marked.len(), wrong.len(), "{text}");
    for (line, begin) in marked.iter().zip(wrong) {
        assert!(line[2..].starts_with(begin), "{line}");
    }
    let mut fine = reading();
    fine.functions = Ok(vec![function("DBAppFunction", Side::Proxy)]);
    let text = shown(&fine, &view(), 100, 30);
    assert!(!text.contains('!'), "{text}");
}

#[test]
fn unknown_is_said_and_never_a_zero() {
    for (columns, rows) in [(80, 24), (120, 40), (60, 15)] {
        let text = shown(&unread(), &view(), columns, rows);
        assert_eq!(text.matches("unknown: cloudwatch:GetMetricData").count(), 9, "{text}");
        assert!(text.contains("Targets unknown") && text.contains("Functions unknown"), "{text}");
        let metrics: Vec<&str> = text.lines().filter(|line| line.contains("unknown: ")).collect();
        assert!(metrics.iter().all(|line| !line.contains(|c: char| c.is_ascii_digit())), "{text}");
    }
    // A metric that stopped is unknown with the minute it stopped at, and not its last value.
    let mut stopped = reading();
    stopped.metrics.clients = minutes(&[(0, 7.0), (10, 12_345.0)]);
    let text = shown(&stopped, &view(), 120, 40);
    assert!(text.contains("unknown: no data since 12:10 UTC") && !text.contains("12,345"), "{text}");
    stopped.metrics.clients = Series::Read(Vec::new());
    let text = shown(&stopped, &view(), 120, 40);
    assert!(text.contains("unknown: no data in the last hour"), "{text}");
}

#[test]
fn the_age_of_the_newest_data_is_shown_and_marked_when_old() {
    let text = shown(&reading(), &view(), 80, 24);
    assert!(text.contains("Newest data: the minute 12:59 UTC, 90 s old"), "{text}");
    let late = View { now: NOON + 60 * 60 + 600, ..view() };
    let text = shown(&reading(), &late, 80, 24);
    assert!(text.contains("! Newest data: the minute 12:59 UTC, 11 min old"), "{text}");
}

/// What is drawn again with nothing changed but the seconds writes a few cells: nothing flickers.
#[test]
fn a_second_frame_changes_only_what_changed() {
    use screen::ratatui::buffer::Buffer;
    use screen::ratatui::layout::Rect;
    let frame = |view: &View| -> Buffer {
        let backend = screen::ratatui::backend::TestBackend::new(80, 24);
        let mut terminal = screen::ratatui::Terminal::new(backend).unwrap();
        terminal.draw(|frame| draw(frame, &reading(), view)).unwrap();
        terminal.backend().buffer().clone()
    };
    let (one, other) = (frame(&view()), frame(&View { next_in: Some(43), now: view().now + 1, ..view() }));
    assert_eq!(one.area, Rect::new(0, 0, 80, 24));
    let changed = one.diff(&other).len();
    assert!((1..=4).contains(&changed), "{changed} cells");
}

#[test]
fn without_color_every_mark_is_still_there() {
    let plain = View { color: false, ..view() };
    assert_eq!(shown(&fleet(), &plain, 80, 24), shown(&fleet(), &view(), 80, 24));
}
