//! Progress on a terminal: a row for each step, known from the start, and one that tells the time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::style::{mark_of, marked, quiet, word_of};
use super::{Modes, colour, duration};
use crate::catalogue::StepId;
use crate::clock::Clock;
use crate::engine::event::{Ending, Event, Listener};

/// How often the rows that are under way are drawn anew.
const TICK: Duration = Duration::from_millis(125);
/// No mark of the plan is among them.
const SPINNER: [char; 4] = ['.', 'o', 'O', 'o'];

/// A listener that draws rows on the terminal.
#[derive(Debug)]
pub struct Bars {
    board: Arc<Board>,
    _modes: Modes,
}

#[derive(Debug)]
struct Board {
    all: MultiProgress,
    rows: Mutex<Vec<Row>>,
    footer: ProgressBar,
    clock: Clock,
    began: Duration,
}

/// One step's row.
#[derive(Debug)]
struct Row {
    step: StepId,
    bar: ProgressBar,
    phase: Phase,
    /// What ended under this step so far: step 13 has a part for each function in a teardown, and one for the aliases.
    over: Vec<(Ending, String, Duration)>,
}

impl Row {
    /// Takes an ending in, and shows the worst one with all that belongs to it.
    fn end(&mut self, ending: Ending, detail: &str, elapsed: Duration) {
        self.over.push((ending, detail.to_owned(), elapsed));
        let failed = self.over.iter().any(|(ending, ..)| *ending == Ending::Failed);
        let shown = if failed { Ending::Failed } else { ending };
        // Parts overlap, so their times do not add up.
        let time = self.over.iter().map(|(_, _, elapsed)| *elapsed).max().unwrap_or_default();
        let time = if time.as_secs() > 0 { format!(" ({})", duration(time)) } else { String::new() };
        let mut details: Vec<&str> = self.over.iter().map(|(_, detail, _)| detail.as_str()).collect();
        details.dedup();
        // Why it failed is told once, with what would help, below the rows.
        let detail = if failed { String::new() } else { format!(": {}", details.join(", ")) };
        self.phase = Phase::Over { mark: mark_of(shown), text: format!("{}{detail}{time}", word_of(shown)) };
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Ahead,
    Begun { detail: String, at: Duration },
    Waiting { state: String, limit: Duration, since: Duration },
    Over { mark: char, text: String },
}

impl Bars {
    /// Draws a row for each of `steps`.
    #[must_use]
    pub fn new(steps: &[StepId], clock: &Clock) -> Self {
        let all = MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_spinner());
        let bar = || all.add(ProgressBar::no_length().with_style(style.clone()));
        let rows = steps.iter().map(|&step| Row { step, bar: bar(), phase: Phase::Ahead, over: Vec::new() }).collect();
        let footer = bar();
        let board =
            Arc::new(Board { all, rows: Mutex::new(rows), footer, clock: clock.clone(), began: clock.elapsed() });
        board.draw(0);
        let drawn = Arc::downgrade(&board);
        tokio::spawn(async move {
            for frame in 1_usize.. {
                tokio::time::sleep(TICK).await;
                let Some(board) = drawn.upgrade() else { return };
                board.draw(frame);
            }
        });
        Self { board, _modes: Modes::without_echoed_signals() }
    }

    /// The rows as a whole, for whoever writes between them.
    #[must_use]
    pub(super) fn all(&self) -> MultiProgress {
        self.board.all.clone()
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        self.board.draw(0);
        self.board.footer.finish_and_clear();
        let rows = self.board.rows.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows.iter() {
            row.bar.abandon();
        }
    }
}

impl Board {
    fn draw(&self, frame: usize) {
        let now = self.clock.elapsed();
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        for row in rows.iter() {
            let text = row_text(row.step, &row.phase, now, frame);
            row.bar.set_message(colour(&text));
        }
        self.footer.set_message(colour(&quiet(&format!(
            "        {} elapsed; Ctrl-C stops, and the same command resumes",
            duration(now.saturating_sub(self.began))
        ))));
    }
}

/// A row: a mark, the number, the title, and how it stands.
fn row_text(step: StepId, phase: &Phase, now: Duration, frame: usize) -> String {
    let info = step.info();
    let head = |mark: char| format!("{mark} {:>2}  {:<30}", info.number, info.title);
    let line = crate::plain::line;
    let spin = SPINNER[frame % SPINNER.len()];
    match phase {
        Phase::Ahead => quiet(&head(' ')),
        Phase::Begun { detail, at } => {
            let time = now.saturating_sub(*at);
            let time = if time.as_secs() > 1 { format!("  {}", duration(time)) } else { String::new() };
            format!("{}  {}{time}", head(spin), line(detail))
        }
        Phase::Waiting { state, limit, since } => {
            format!("{}  {}  {} of {}", head(spin), line(state), duration(now.saturating_sub(*since)), duration(*limit))
        }
        Phase::Over { mark, text } => marked(*mark, &format!("{}  {}", head(*mark), line(text))),
    }
}

impl Listener for Bars {
    fn event(&self, event: &Event) {
        let now = self.board.clock.elapsed();
        let (step, phase) = match event {
            Event::Began { step, detail } => (*step, Phase::Begun { detail: detail.clone(), at: now }),
            Event::Waiting { step, state, elapsed, limit } => {
                (*step, Phase::Waiting { state: state.clone(), limit: *limit, since: now.saturating_sub(*elapsed) })
            }
            Event::Ended { step, ending, detail, elapsed } => {
                let mut rows = self.board.rows.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(row) = rows.iter_mut().find(|row| row.step == *step) {
                    row.end(*ending, detail, *elapsed);
                }
                return;
            }
            Event::Probe { seat, state, wait: Some((elapsed, limit)) } => {
                let (state, since) = (format!("probe for {seat}: {state}"), now.saturating_sub(*elapsed));
                (StepId::Repoint, Phase::Waiting { state, limit: *limit, since })
            }
            Event::Probe { seat, state, wait: None } => {
                self.board.all.suspend(|| super::raw(&crate::plain::line(&format!("probe for {seat}: {state}"))));
                return;
            }
            Event::Note { text, .. } => {
                self.board.all.suspend(|| super::raw(&crate::plain::line(&format!("note: {text}"))));
                return;
            }
        };
        let mut rows = self.board.rows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(row) = rows.iter_mut().find(|row| row.step == step) {
            row.phase = phase;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_tells_state_elapsed_and_limit() {
        let phase = Phase::Waiting {
            state: "creating".to_owned(),
            limit: Duration::from_mins(30),
            since: Duration::from_secs(5),
        };
        let row = row_text(StepId::Proxy, &phase, Duration::from_secs(70), 0);
        assert_eq!(row, ".  3  RDS Proxy                       creating  1:05 of 30:00");
    }

    /// Step 13 of a teardown has a part for each function.
    #[test]
    fn a_row_that_has_ended_names_every_part() {
        let (bar, phase, over) = (ProgressBar::hidden(), Phase::Ahead, Vec::new());
        let mut row = Row { step: StepId::Repoint, bar, phase, over };
        row.end(Ending::PutBack, "DBAppFunction", Duration::from_secs(3));
        row.end(Ending::PutBack, "InvoiceFunction", Duration::from_secs(2));
        let text = row_text(row.step, &row.phase, Duration::ZERO, 0);
        assert!(text.contains(": DBAppFunction, InvoiceFunction (0:03)"), "{text}");
        row.end(Ending::Failed, "OrdersFunction", Duration::from_secs(1));
        let text = row_text(row.step, &row.phase, Duration::ZERO, 0);
        assert!(text.contains(&format!("{} 13  ", mark_of(Ending::Failed))), "{text}");
    }

    #[test]
    fn every_title_fits_its_column() {
        for info in &crate::catalogue::STEPS {
            assert!(info.title.len() <= 30, "{}", info.title);
        }
    }
}
