//! The screen: drawn once a second, read again once a minute, and always left as it was found.

use std::io::{self, BufWriter, IsTerminal as _, Stdout};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use screen::ratatui::Terminal;
use screen::ratatui::backend::CrosstermBackend;
use screen::ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use screen::ratatui::crossterm::execute;
use screen::ratatui::crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use screen::{Reading, View, draw};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::Instant;

use super::super::advise::now;
use super::super::session::Session;
use super::{REFRESH, wants_text};
use crate::cli::Global;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report::{self, Screen};
use crate::watch::Watch;

/// How often the ages on the screen are drawn again.
const TICK: Duration = Duration::from_secs(1);

/// How long the thread that hears keys may take to see that it is to end.
const HEARING: Duration = Duration::from_millis(100);

/// As much as a frame of a large terminal takes, so that it is written at once.
const FRAME: usize = 1 << 16;

/// Whether there is a terminal to draw on; `--verbose` writes to it, too.
pub(super) fn possible(global: &Global) -> bool {
    wants_text(global)
        && !global.verbose
        && report::unattended().is_none()
        && io::stdout().is_terminal()
        && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}

/// Shows the proxy until a key ends it.
pub(super) async fn run(session: &Session, watch: &mut Watch, first: Reading) -> Result<Exit, Failure> {
    let failed = |error: &io::Error| Failure::new(Exit::Failed, format!("drawing on the terminal: {error}"), [PLAIN]);
    let mut page = Page::open().map_err(|error| failed(&error))?;
    let mut reading = first;
    loop {
        let pause = session.clock.real_span(REFRESH);
        let due = Instant::now() + pause;
        let metrics = watch.asked();
        let left = |at: Instant| due.saturating_duration_since(at).mul_f64(session.clock.speed()).as_secs();
        loop {
            let next_in = Some(left(Instant::now()));
            page.show(&reading, metrics, next_in).map_err(|error| failed(&error))?;
            let wake = Instant::now() + TICK;
            match page.until(wake.min(due)).await {
                Heard::Quit => return Ok(Exit::Done),
                Heard::Else if Instant::now() >= due => break,
                Heard::Else => {}
            }
        }
        page.show(&reading, metrics, None).map_err(|error| failed(&error))?;
        let next = {
            let mut next = pin!(watch.read(&session.cloud, now()));
            loop {
                tokio::select! {
                    biased;
                    heard = page.until(Instant::now() + TICK) => {
                        if heard == Heard::Quit {
                            return Ok(Exit::Done);
                        }
                        page.show(&reading, metrics, None).map_err(|error| failed(&error))?;
                    }
                    next = &mut next => break next,
                }
            }
        };
        reading = next;
    }
}

/// What helps where the terminal cannot be drawn on.
const PLAIN: &str = "Lines need no terminal that can be drawn on: pipe the output through cat, or add --once.";

/// What a person did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Heard {
    Quit,
    /// Another key, another size of the terminal, or nothing: it is drawn again.
    Else,
}

/// The terminal while it is ours.
struct Page {
    terminal: Terminal<CrosstermBackend<BufWriter<Stdout>>>,
    keys: UnboundedReceiver<Event>,
    over: Arc<AtomicBool>,
    color: bool,
    _ours: Screen,
}

impl Page {
    fn open() -> io::Result<Self> {
        let color = AutoStream::choice(&io::stdout()) != ColorChoice::Never;
        let ours = Screen::take()?;
        let terminal = Terminal::new(CrosstermBackend::new(BufWriter::with_capacity(FRAME, io::stdout())))?;
        let (over, (send, keys)) = (Arc::new(AtomicBool::new(false)), unbounded_channel());
        let stop = Arc::clone(&over);
        // Nobody waits for it: it sees within moments that it is to end, or ends with the process.
        std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let heard = match event::poll(HEARING) {
                    Ok(false) => continue,
                    Ok(true) => event::read(),
                    Err(error) => Err(error),
                };
                let Ok(heard) = heard else { return };
                if send.send(heard).is_err() {
                    return;
                }
            }
        });
        Ok(Self { terminal, keys, over, color, _ours: ours })
    }

    fn show(&mut self, reading: &Reading, metrics: usize, next_in: Option<u64>) -> io::Result<()> {
        let view = View { now: now(), next_in, metrics, color: self.color };
        execute!(self.terminal.backend_mut(), BeginSynchronizedUpdate)?;
        self.terminal.draw(|frame| draw(frame, reading, &view))?;
        execute!(self.terminal.backend_mut(), EndSynchronizedUpdate)
    }

    /// Waits for a key or a new size, and no longer than until then.
    async fn until(&mut self, then: Instant) -> Heard {
        match tokio::time::timeout_at(then, self.keys.recv()).await {
            // Where no key can be heard any more, nobody could ever quit.
            Ok(None) => Heard::Quit,
            Ok(Some(Event::Key(key))) if quits(key) => Heard::Quit,
            Ok(Some(_)) | Err(_) => Heard::Else,
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        self.over.store(true, Ordering::SeqCst);
    }
}

/// Whether a key ends it: q, Esc or Ctrl-C, which in raw mode is a key like any other.
fn quits(key: KeyEvent) -> bool {
    let control = key.modifiers.contains(KeyModifiers::CONTROL);
    key.kind == KeyEventKind::Press
        && match key.code {
            KeyCode::Char('q' | 'Q') => !control,
            KeyCode::Esc => true,
            KeyCode::Char('c') => control,
            _ => false,
        }
}
