//! Numbers, times and texts as people read them.

use ratatui::text::Span;

/// From here on, a number is written with a power of ten.
const LARGE: f64 = 1e9;

/// A count: `12`, `12,345`, `0.5`.
pub(crate) fn count(value: f64) -> String {
    if value.abs() >= LARGE {
        return format!("{value:.1e}");
    }
    if value.fract() != 0.0 {
        return format!("{value:.1}");
    }
    let digits = format!("{:.0}", value.abs());
    let mut text = if value < 0.0 { "-".to_owned() } else { String::new() };
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count of something: `1 error`, `12 errors`.
pub(crate) fn counted(value: f64, one: &str) -> String {
    let text = count(value);
    if text == "1" { format!("{text} {one}") } else { format!("{text} {one}s") }
}

/// A percentage, never rounded up: 99.97 is not all.
pub(crate) fn percent(value: f64) -> String {
    if value.abs() >= LARGE {
        return format!("{value:.1e} %");
    }
    if value > 0.0 && value < 0.1 {
        return "< 0.1 %".to_owned();
    }
    let tenths = (value * 10.0 + 1e-9).floor() / 10.0;
    if tenths.fract() == 0.0 { format!("{tenths:.0} %") } else { format!("{tenths:.1} %") }
}

/// Microseconds: `320 µs`, `1.2 ms`, `3.4 s`.
pub(crate) fn latency(value: f64) -> String {
    match value {
        _ if value.abs() >= LARGE * 1e3 => format!("{:.1e} s", value / 1e6),
        _ if value.abs() < 999.5 => format!("{value:.0} µs"),
        _ if value.abs() < 999_950.0 => format!("{:.1} ms", value / 1e3),
        _ => format!("{:.1} s", value / 1e6),
    }
}

fn of_day(moment: i64) -> (i64, i64, i64) {
    let second = moment.rem_euclid(86_400);
    (second / 3_600, second / 60 % 60, second % 60)
}

/// The minute of a moment: `12:03 UTC`.
pub(crate) fn minute(moment: i64) -> String {
    let (hour, minute, _) = of_day(moment);
    format!("{hour:02}:{minute:02} UTC")
}

/// The second of a moment: `12:03:07 UTC`.
pub(crate) fn second(moment: i64) -> String {
    let (hour, minute, second) = of_day(moment);
    format!("{hour:02}:{minute:02}:{second:02} UTC")
}

/// A moment with its day, as JSON has it: `2026-11-29T12:03:07Z`.
pub(crate) fn moment(moment: i64) -> String {
    // Days to a date after Howard Hinnant ("chrono-compatible low-level date algorithms"), with years that begin in
    // March.
    let (hour, minute, second) = of_day(moment);
    let days = moment.div_euclid(86_400).saturating_add(719_468);
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// An age: `74 s old`, `12 min old`, `3 h old`.
pub(crate) fn age(seconds: i64) -> String {
    match seconds {
        ..0 => "of the future".to_owned(),
        0..=180 => format!("{seconds} s old"),
        181..=10_800 => format!("{} min old", seconds / 60),
        _ => format!("{} h old", seconds / 3_600),
    }
}

/// How many columns a text takes.
pub(crate) fn width(text: &str) -> usize {
    Span::raw(text).width()
}

/// A text that takes no more than so many columns. No number is cut, since what is left of one would be another number.
pub(crate) fn fit(text: &str, columns: usize) -> String {
    if width(text) <= columns {
        return text.to_owned();
    }
    if columns == 0 {
        return String::new();
    }
    let mut kept: Vec<char> = Vec::new();
    let mut taken = 0;
    let mut rest = text.chars();
    let mut next = None;
    for c in rest.by_ref() {
        let of = width(c.encode_utf8(&mut [0; 4]));
        if taken + of > columns - 1 {
            next = Some(c);
            break;
        }
        taken += of;
        kept.push(c);
    }
    let of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',' | ':' | '-');
    // Where the cut is within a number, it goes as a whole; a sign or point before a digit belongs to it.
    if next.is_some_and(|c| of_number(c) || c == 'e') {
        while kept.last().is_some_and(|c| of_number(*c) || *c == 'e') {
            kept.pop();
        }
    }
    while kept.last().is_some_and(|c| *c == ' ') {
        kept.pop();
    }
    kept.push('…');
    kept.into_iter().collect()
}

/// A text at the left of so many columns.
pub(crate) fn left(text: &str, columns: usize) -> String {
    let text = fit(text, columns);
    let rest = columns.saturating_sub(width(&text));
    text + &" ".repeat(rest)
}

/// A text at the right of so many columns, the first of which stays free: what stands before it would run on into it.
pub(crate) fn right(text: &str, columns: usize) -> String {
    let text = fit(text, columns.saturating_sub(1));
    " ".repeat(columns.saturating_sub(width(&text))) + &text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_never_touch() {
        let cells = ["1,500,000", "1,234,567", "-2.0e267", "7"].map(|text| right(text, 8));
        assert_eq!(cells.concat(), "       …       …       …       7");
        assert_eq!(right("-2.0e267", 9), " -2.0e267");
    }

    #[test]
    fn numbers_read_as_people_write_them() {
        assert_eq!(
            [0.0, 12.0, 12_345.0, -1_000.0, 0.5, 2e12].map(count),
            ["0", "12", "12,345", "-1,000", "0.5", "2.0e12"]
        );
        assert_eq!(
            [0.0, 0.04, 9.0, 8.99, 99.97, 100.0, 33.333].map(percent),
            ["0 %", "< 0.1 %", "9 %", "8.9 %", "99.9 %", "100 %", "33.3 %"]
        );
        assert_eq!([0.0, 320.0, 1_234.0, 3_400_000.0].map(latency), ["0 µs", "320 µs", "1.2 ms", "3.4 s"]);
        assert_eq!(moment(0), "1970-01-01T00:00:00Z");
        assert_eq!(moment(1_709_210_096), "2024-02-29T12:34:56Z");
        assert_eq!(moment(-1), "1969-12-31T23:59:59Z");
        assert_eq!([minute(1_709_210_096), second(1_709_210_096)], ["12:34 UTC", "12:34:56 UTC"]);
        assert_eq!([-1, 74, 181, 11_000].map(age), ["of the future", "74 s old", "3 min old", "3 h old"]);
    }

    #[test]
    fn no_number_is_cut() {
        assert_eq!(fit("12 of 3456 allowed", 9), "12 of…");
        assert_eq!(fit("12 of 3456 allowed", 11), "12 of 3456…");
        assert_eq!(fit("12,345", 5), "…");
        assert_eq!(fit("1.5e12", 4), "…");
        assert_eq!(fit("at 12:34 UTC", 7), "at…");
        assert_eq!([fit("12", 0), fit("12", 1), fit("12", 2)], ["", "…", "12"]);
        assert_eq!(fit("表示名", 4), "表…");
    }
}
