//! The terminal while a screen of ours is on it: raw mode and the other screen, and always left as it was found.

use std::io;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use screen::ratatui::crossterm::cursor::{Hide, Show};
use screen::ratatui::crossterm::execute;
use screen::ratatui::crossterm::terminal::{
    EndSynchronizedUpdate, EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};

/// Whether the terminal is ours now: a panic looks here, in whatever thread it is.
static OURS: AtomicBool = AtomicBool::new(false);

/// The terminal in raw mode on its other screen; dropped, it is as before.
#[derive(Debug)]
pub struct Screen(());

impl Screen {
    /// Takes the terminal, until this is dropped or the program panics.
    ///
    /// # Errors
    /// When there is none, or it cannot be changed; it is then as before.
    pub fn take() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let before = std::panic::take_hook();
            // A release aborts on a panic, and drops nothing.
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                before(panic);
            }));
        });
        OURS.store(true, Ordering::SeqCst);
        // Dropped where one of the next lines fails, too.
        let ours = Self(());
        enable_raw_mode()?;
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        Ok(ours)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Leaves the terminal as it was found, once.
fn give_back() {
    if OURS.swap(false, Ordering::SeqCst) {
        // Where the terminal is gone, there is nothing to restore.
        let _ = execute!(io::stdout(), EndSynchronizedUpdate, Show, LeaveAlternateScreen);
        let _ = disable_raw_mode();
    }
}
