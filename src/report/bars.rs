//! Progress on a terminal: a row for each step, known from the start, and one for the time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::layout::cut;
use super::style::{mark_of, marked, quiet, word_of};
use super::{Modes, colour, duration};
use crate::catalogue::StepId;
use crate::clock::Clock;
use crate::engine::event::{Ending, Event, Listener};

/// How often the rows that are under way are redrawn.
const TICK: Duration = Duration::from_millis(125);
/// No mark of the plan is among them.
const SPINNER: [char; 4] = ['.', 'o', 'O', 'o'];

/// Where the state of a step begins.
const BESIDE: usize = 38;

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
        // Why it failed is reported once, with a hint, below the rows.
        let detail = if failed { String::new() } else { format!(": {}", details.join(", ")) };
        self.phase = Phase::Over { mark: mark_of(shown), text: format!("{}{detail}", word_of(shown)), time };
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Phase {
    Ahead,
    Begun { detail: String, at: Duration },
    Waiting { state: String, limit: Duration, since: Duration },
    Over { mark: char, text: String, time: String },
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

    /// Whether a step's row is not cut.
    #[must_use]
    pub(super) fn is_whole(&self, step: StepId) -> bool {
        let columns = usize::from(console::Term::stderr().size().1);
        let rows = self.board.rows.lock().unwrap_or_else(PoisonError::into_inner);
        rows.iter().filter(|row| row.step == step).all(|row| match &row.phase {
            Phase::Over { text, time, .. } => BESIDE + crate::plain::line(text).chars().count() + time.len() < columns,
            _ => true,
        })
    }

    /// The rows as a whole, for output between them.
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
        if super::is_paused() {
            return;
        }
        let now = self.clock.elapsed();
        let rows = self.rows.lock().unwrap_or_else(PoisonError::into_inner);
        let columns = usize::from(console::Term::stderr().size().1);
        for row in rows.iter() {
            let text = row_text(row.step, &row.phase, now, frame, columns);
            row.bar.set_message(colour(&text));
        }
        self.footer.set_message(colour(&quiet(&format!(
            "        {} elapsed; Ctrl-C stops, and the same command resumes",
            duration(now.saturating_sub(self.began))
        ))));
    }
}

/// A row: a mark, the number, the title, and how it stands, cut to the terminal; the time is never cut.
fn row_text(step: StepId, phase: &Phase, now: Duration, frame: usize, columns: usize) -> String {
    let info = step.info();
    let head = |mark: char| format!("{mark} {:>2}  {:<30}", info.number, info.title);
    let line = crate::plain::line;
    // The last column stays free: some terminals wrap there.
    let within = |text: &str, time: &str| cut(text, columns.saturating_sub(BESIDE + time.len() + 1));
    let spin = SPINNER[frame % SPINNER.len()];
    match phase {
        Phase::Ahead => quiet(&head(' ')),
        Phase::Begun { detail, at } => {
            let time = now.saturating_sub(*at);
            let time = if time.as_secs() > 1 { format!("  {}", duration(time)) } else { String::new() };
            format!("{}  {}{time}", head(spin), within(&line(detail), &time))
        }
        Phase::Waiting { state, limit, since } => {
            let time = format!("  {} of {}", duration(now.saturating_sub(*since)), duration(*limit));
            format!("{}  {}{time}", head(spin), within(&line(state), &time))
        }
        Phase::Over { mark, text, time } => {
            marked(*mark, &format!("{}  {}{time}", head(*mark), within(&line(text), time)))
        }
    }
}

impl Listener<Event> for Bars {
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
            Event::Aside { subject: seat, state, wait: Some((elapsed, limit)) } => {
                let (state, since) = (format!("probe for {seat}: {state}"), now.saturating_sub(*elapsed));
                (StepId::Repoint, Phase::Waiting { state, limit: *limit, since })
            }
            Event::Aside { subject: seat, state, wait: None } => {
                super::say(&crate::plain::line(&format!("probe for {seat}: {state}")));
                return;
            }
            Event::Other(wave) => {
                super::say(&crate::plain::line(&super::canary::line(wave)));
                return;
            }
            Event::Note { text, .. } => {
                super::say(&crate::plain::line(&format!("note: {text}")));
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
        let row = row_text(StepId::Proxy, &phase, Duration::from_secs(70), 0, 80);
        assert_eq!(row, ".  3  RDS Proxy                       creating  1:05 of 30:00");
    }

    /// Step 13 of a teardown has a part for each function.
    #[test]
    fn a_row_that_has_ended_names_every_part() {
        let (bar, phase, over) = (ProgressBar::hidden(), Phase::Ahead, Vec::new());
        let mut row = Row { step: StepId::Repoint, bar, phase, over };
        row.end(Ending::PutBack, "DBAppFunction", Duration::from_secs(3));
        row.end(Ending::PutBack, "InvoiceFunction", Duration::from_secs(2));
        let text = row_text(row.step, &row.phase, Duration::ZERO, 0, 200);
        assert!(text.contains(": DBAppFunction, InvoiceFunction (0:03)"), "{text}");
        row.end(Ending::Failed, "OrdersFunction", Duration::from_secs(1));
        let text = row_text(row.step, &row.phase, Duration::ZERO, 0, 200);
        assert!(text.contains(&format!("{} 13  ", mark_of(Ending::Failed))), "{text}");
    }

    #[test]
    fn a_row_that_is_cut_says_so_and_keeps_the_time() {
        let (limit, since) = (Duration::from_mins(30), Duration::from_secs(5));
        let phase = Phase::Waiting { state: "UNAVAILABLE (PENDING_PROXY_CAPACITY)".to_owned(), limit, since };
        let row = row_text(StepId::TargetHealth, &phase, Duration::from_secs(70), 0, 80);
        assert_eq!(row, ". 11  Target available                UNAVAILABLE (PENDING_PROX…  1:05 of 30:00");
        assert!(row.chars().count() < 80);
    }

    #[test]
    fn every_title_fits_its_column() {
        for info in &crate::catalogue::STEPS {
            assert!(info.title.len() <= 30, "{}", info.title);
        }
    }
}
