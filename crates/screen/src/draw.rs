//! The screen.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Span;
use ratatui::widgets::Sparkline;

use crate::lines::beyond;
use crate::reading::{Function, HISTORY, MINUTE, Now, Reading, Series, Target};
use crate::rows::{Row, rows, sum};
use crate::text::{age, count, counted, fit, left, minute, right, second};

/// Columns of a metric's mark, name and value.
const MARK: usize = 2;
const LABEL: usize = 24;
const VALUE: usize = 8;
/// Columns of what stands beside a value, at most.
const BESIDE: usize = 24;
/// The columns of a function's figures: where it points, and three numbers.
const FIGURES: usize = 38;
/// Columns of a function's history before its name gets more than the least.
const NAMED: usize = 14;
/// A history of fewer columns says nothing.
const SHORTEST: usize = 8;
/// From this many rows on, histories are two rows high.
const TALL: u16 = 36;
/// From this age on, the newest data is old: metrics of a proxy appear every minute.
const OLD: i64 = 300;

/// What of a screen is not of the reading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct View {
    /// This moment, in seconds since 1970.
    pub now: i64,
    /// Seconds until the next reading; none while it is being read.
    pub next_in: Option<u64>,
    /// How many metrics each reading asks for.
    pub metrics: usize,
    /// Whether colors are wanted. No meaning rests on them.
    pub color: bool,
}

/// The next row to draw in.
struct Page<'a, 'b> {
    frame: &'a mut Frame<'b>,
    area: Rect,
    row: u16,
    color: bool,
}

/// Draws a reading on the whole frame.
pub fn draw(frame: &mut Frame<'_>, reading: &Reading, view: &View) {
    let area = frame.area();
    let mut page = Page { frame, area, row: 0, color: view.color };
    let rows = rows(reading);
    title(&mut page, reading, view);
    // The last row is the footer's.
    let end = area.height.saturating_sub(1);
    let targets = targets(reading);
    let metrics = u16::try_from(rows.len()).unwrap_or(u16::MAX);
    let functions = reading.functions.as_ref().map_or(1, |all| u16::try_from(all.len()).unwrap_or(u16::MAX));
    let shown = u16::try_from(targets.len()).unwrap_or(u16::MAX);
    // What is left after one line for the functions decides how airy it is.
    let least = page.row.saturating_add(metrics).saturating_add(shown.min(3)).saturating_add(1);
    let airy = end >= least.saturating_add(7);
    let full = page.row.saturating_add(metrics * 2).saturating_add(shown).saturating_add(functions).saturating_add(6);
    let height = if area.height >= TALL && end >= full { 2 } else { 1 };
    for (text, wrong) in targets.iter().take(if airy { targets.len() } else { 3 }) {
        page.marked(text, *wrong, end);
    }
    if airy {
        page.skip(end);
        let columns = usize::from(area.width).min(history(area.width)).min(usize::try_from(HISTORY).unwrap_or(0));
        let what = format!("{:MARK$}Each minute", "");
        let text = if columns >= SHORTEST {
            left(&what, MARK + LABEL + VALUE + 2 + beside(area.width))
                + &fit(&format!("last {columns} minutes"), columns)
        } else {
            what
        };
        page.text(&text, Style::new().add_modifier(Modifier::DIM), end);
    }
    for row in &rows {
        metric(&mut page, row, reading.newest(), height, end);
    }
    if airy {
        page.skip(end);
    }
    draw_functions(&mut page, reading, end);
    footer(&mut page, view);
}

fn title(page: &mut Page<'_, '_>, reading: &Reading, view: &View) {
    let end = page.area.height;
    let head = format!("{} in front of {}, {}", reading.proxy, reading.database, reading.region);
    page.text(&head, Style::new().add_modifier(Modifier::BOLD), end);
    let text = match reading.newest() {
        None => format!("! No data; read at {}", second(reading.at)),
        Some(newest) => {
            let old = view.now.saturating_sub(newest);
            let mark = if old > OLD { "! " } else { "" };
            format!("{mark}Newest data: the minute {}, {}; read at {}", minute(newest), age(old), second(reading.at))
        }
    };
    page.marked_as(&text, text.starts_with('!'), end);
}

fn footer(page: &mut Page<'_, '_>, view: &View) {
    if page.area.height < 2 {
        return;
    }
    page.row = page.area.height - 1;
    let next = view.next_in.map_or_else(|| "reading now".to_owned(), |seconds| format!("next reading in {seconds} s"));
    let text = format!("q quits; {next}; {} metrics a reading", view.metrics);
    page.text(&format!("{:MARK$}{text}", ""), Style::new().add_modifier(Modifier::DIM), page.area.height);
}

/// A line for each target, and whether it is wrong.
fn targets(reading: &Reading) -> Vec<(String, bool)> {
    let one = |target: &Target| {
        let role = target.role.as_deref().map(|role| format!(" ({role})")).unwrap_or_default();
        let state = target.state.as_deref().unwrap_or("state unknown");
        let reason = target.reason.as_deref().filter(|_| !target.is_available());
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        (format!("Target {}{role} {state}{reason}", target.id), !target.is_available())
    };
    match &reading.targets {
        Err(why) => vec![(format!("Targets unknown: {why}"), false)],
        Ok(all) if all.is_empty() => vec![("No target is registered".to_owned(), true)],
        Ok(all) => all.iter().map(one).collect(),
    }
}

/// Columns beside a value on a screen of this width.
fn beside(width: u16) -> usize {
    usize::from(width).saturating_sub(MARK + LABEL + VALUE + 2 + SHORTEST).min(BESIDE)
}

/// Columns that a history has.
fn history(width: u16) -> usize {
    usize::from(width).saturating_sub(MARK + LABEL + VALUE + 2 + beside(width))
}

fn metric(page: &mut Page<'_, '_>, row: &Row<'_>, newest: Option<i64>, height: u16, end: u16) {
    if page.row.saturating_add(height) > end {
        return;
    }
    let width = page.area.width;
    let mark = if row.wrong { "! " } else { "  " };
    let label = left(row.label, LABEL);
    let top = page.row;
    match &row.value {
        Err(why) => {
            let rest = usize::from(width).saturating_sub(MARK + LABEL);
            page.styled(&format!("{mark}{label}{}", fit(&format!("unknown: {why}"), rest)), false, end);
        }
        Ok(value) => {
            let text = format!("{mark}{label}{}  {}", right(value, VALUE), left(&row.beside, beside(width)));
            page.styled(&text, row.wrong, end);
            let columns = history(width);
            let x = usize::from(width).saturating_sub(columns);
            page.spark(row.series, (x, top), columns, (newest, row.ceiling, height));
        }
    }
    page.row = top.saturating_add(height);
}

fn draw_functions(page: &mut Page<'_, '_>, reading: &Reading, end: u16) {
    let newest = reading.newest();
    let all = match &reading.functions {
        Err(why) => return page.text(&format!("  Functions unknown: {why}"), Style::new(), end),
        Ok(all) if all.is_empty() => {
            return page.text("  No function uses the proxy or the database", Style::new(), end);
        }
        Ok(all) => all,
    };
    let room = usize::from(end.saturating_sub(page.row));
    if room < 3 {
        return page.marked_as(&summary(all, newest), wrong(all, newest), end);
    }
    let width = usize::from(page.area.width);
    let beside_history = width.saturating_sub(MARK + FIGURES + 2 + NAMED);
    // A name is worth more than a history.
    let name = if beside_history < LABEL {
        width.saturating_sub(MARK + FIGURES).clamp(8, LABEL)
    } else {
        beside_history.min(40)
    };
    let head = format!(
        "{:MARK$}{}{}{}{}{}",
        "",
        left("Functions", name),
        left("  points at", 12),
        right("invoked", 8),
        right("errors", 8),
        right("errors/h", 10),
    );
    page.text(&fit(&head, width), Style::new().add_modifier(Modifier::DIM), end);
    let beyond = beyond(reading);
    let room = room - 1 - usize::from(!beyond.is_empty());
    let unseen = if all.len() > room { all.len() - room + 1 } else { 0 };
    let mut ordered: Vec<&Function> = all.iter().collect();
    // What fails is never among those that there is no room for.
    ordered.sort_by_key(|found| !found.errors.total().is_some_and(|errors| errors > 0.0));
    for found in ordered.iter().take(all.len() - unseen) {
        function(page, found, newest, name, end);
    }
    if unseen > 0 {
        let rest: Vec<Function> = ordered.iter().rev().take(unseen).map(|found| (*found).clone()).collect();
        let text = format!("  {unseen} more: {}", summary(&rest, newest).trim_start());
        page.marked_as(&text, wrong(&rest, newest), end);
    }
    if !beyond.is_empty() {
        page.text(&format!("  {beyond}"), Style::new(), end);
    }
}

fn function(page: &mut Page<'_, '_>, found: &Function, newest: Option<i64>, name: usize, end: u16) {
    let now = |series: &Series| match series.now(newest) {
        Now::Known(point) => count(point.value),
        Now::Unknown(_) => "unknown".to_owned(),
    };
    let hour = found.errors.total();
    let wrong = hour.is_some_and(|errors| errors > 0.0);
    let mark = if wrong { "! " } else { "  " };
    let begin = format!("{mark}{}  {}", left(&found.name, name), left(found.side.words(), 10));
    if let Now::Unknown(why) = found.invocations.now(newest) {
        let errors = hour.filter(|_| wrong).map(|errors| format!("; {} in the last hour", counted(errors, "error")));
        return page.styled(&format!("{begin} unknown: {why}{}", errors.unwrap_or_default()), wrong, end);
    }
    let hour = hour.map_or_else(|| "unknown".to_owned(), count);
    let figures = [right(&now(&found.invocations), 8), right(&now(&found.errors), 8), right(&hour, 10)].concat();
    let top = page.row;
    page.styled(&format!("{begin}{figures}"), wrong, end);
    if page.row > top {
        let x = MARK + name + FIGURES + 2;
        page.spark(&found.errors, (x, top), usize::from(page.area.width).saturating_sub(x), (newest, None, 1));
    }
}

/// All functions in one line.
fn summary(all: &[Function], newest: Option<i64>) -> String {
    let said = |sum: Option<f64>, one: &str| match sum {
        None => format!("{one}s unknown"),
        Some(sum) => counted(sum, one),
    };
    let (invoked, unknown) = sum(all.iter().map(|found| &found.invocations), newest);
    let (errors, _) = sum(all.iter().map(|found| &found.errors), newest);
    let without = if unknown > 0 && invoked.is_some() { format!("; {unknown} unknown") } else { String::new() };
    format!("  Functions: {}, {}{without}", said(invoked, "invocation"), said(errors, "error"))
}

fn wrong(all: &[Function], newest: Option<i64>) -> bool {
    sum(all.iter().map(|found| &found.errors), newest).0.is_some_and(|errors| errors > 0.0)
}

impl Page<'_, '_> {
    fn style(&self, wrong: bool) -> Style {
        match (wrong, self.color) {
            (false, _) => Style::new(),
            (true, true) => Style::new().fg(Color::Red).add_modifier(Modifier::BOLD),
            (true, false) => Style::new().add_modifier(Modifier::BOLD),
        }
    }

    /// One row of text, where there is room before `end`.
    fn text(&mut self, text: &str, style: Style, end: u16) {
        if self.row >= end.min(self.area.height) {
            return;
        }
        let text = fit(text, usize::from(self.area.width));
        self.frame.buffer_mut().set_span(
            self.area.x,
            self.area.y + self.row,
            &Span::styled(text, style),
            self.area.width,
        );
        self.row += 1;
    }

    fn styled(&mut self, text: &str, wrong: bool, end: u16) {
        self.text(text, self.style(wrong), end);
    }

    /// A row with its mark before it.
    fn marked(&mut self, text: &str, wrong: bool, end: u16) {
        self.styled(&format!("{}{text}", if wrong { "! " } else { "  " }), wrong, end);
    }

    /// A row that may hold its mark already.
    fn marked_as(&mut self, text: &str, wrong: bool, end: u16) {
        let text = text.strip_prefix("! ").unwrap_or(text.trim_start()).to_owned();
        self.marked(&text, wrong, end);
    }

    fn skip(&mut self, end: u16) {
        if self.row < end {
            self.row += 1;
        }
    }

    /// The last minutes of a metric, a column each: the lowest bar is zero, and where there is no bar there was no
    /// data.
    fn spark(&mut self, series: &Series, (x, y): (usize, u16), columns: usize, how: (Option<i64>, Option<f64>, u16)) {
        let (newest, ceiling, height) = how;
        let columns = columns.min(usize::try_from(HISTORY).unwrap_or(usize::MAX));
        let (Some(newest), Ok(x), Ok(width)) = (newest, u16::try_from(x), u16::try_from(columns)) else { return };
        if columns < SHORTEST
            || x.saturating_add(width) > self.area.width
            || y.saturating_add(height) > self.area.height
        {
            return;
        }
        let points: Vec<Option<f64>> = (0..i64::from(width))
            .rev()
            .map(|back| newest.checked_sub(back * MINUTE).and_then(|moment| series.at(moment)))
            .collect();
        let top = ceiling.unwrap_or_else(|| points.iter().flatten().copied().fold(0.0, f64::max));
        let steps = u64::from(height) * 8;
        let bars = points.iter().map(|point| point.map(|value| level(value, top, steps)));
        let style = if self.color { Style::new().fg(Color::Cyan) } else { Style::new() };
        let spark = Sparkline::default().data(bars).max(steps).absent_value_symbol(" ").style(style);
        self.frame.render_widget(spark, Rect::new(self.area.x + x, self.area.y + y, width, height));
    }
}

/// The height of a bar: never none, since that is where there is no data.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "between one and the steps of two rows"
)]
fn level(value: f64, top: f64, steps: u64) -> u64 {
    let share = if top > 0.0 { (value / top).clamp(0.0, 1.0) } else { 0.0 };
    1 + (share * (steps - 1) as f64).round() as u64
}
