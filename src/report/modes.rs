//! The terminal's modes, set back to what they were.

/// The modes of the terminal, which come back when this is dropped.
#[derive(Debug)]
pub struct Modes {
    #[cfg(unix)]
    before: Option<rustix::termios::Termios>,
}

#[cfg(unix)]
impl Modes {
    /// Remembers the modes of the terminal at stdin, if it is one.
    #[must_use]
    pub fn remember() -> Self {
        Self { before: rustix::termios::tcgetattr(std::io::stdin()).ok() }
    }

    /// Has a terminal show no `^C` where Ctrl-C is pressed: the cursor stands at the end of the last row, so that it
    /// would wrap, and rows that are drawn again would begin one line too low. Nor is what was written and is not
    /// shown yet dropped then, which would leave half of the rows, and the cursor anywhere (termios(3), `NOFLSH`).
    #[must_use]
    pub(super) fn without_echoed_signals() -> Self {
        let modes = Self::remember();
        if let Some(before) = &modes.before {
            let mut quiet = before.clone();
            quiet.local_modes.remove(rustix::termios::LocalModes::ECHOCTL);
            quiet.local_modes.insert(rustix::termios::LocalModes::NOFLSH);
            set(&quiet);
        }
        modes
    }
}

/// Drops what was typed at the terminal and not read: it is no answer to a question that is put afterwards.
#[cfg(unix)]
pub fn forget_typed() {
    let _ = rustix::termios::tcflush(std::io::stdin(), rustix::termios::QueueSelector::IFlush);
}

/// Windows keeps what was typed.
#[cfg(not(unix))]
pub fn forget_typed() {}

/// Sets the modes, unless this runs in the background: there, the kernel would stop the process for it.
#[cfg(unix)]
fn set(modes: &rustix::termios::Termios) {
    let terminal = std::io::stdin();
    // A terminal that controls nobody's session stops nobody.
    let in_front = rustix::termios::tcgetpgrp(&terminal).map_or(true, |front| front == rustix::process::getpgrp());
    if in_front {
        let _ = rustix::termios::tcsetattr(&terminal, rustix::termios::OptionalActions::Now, modes);
    }
}

#[cfg(unix)]
impl Drop for Modes {
    fn drop(&mut self) {
        if let Some(before) = &self.before {
            set(before);
        }
    }
}

#[cfg(not(unix))]
impl Modes {
    /// Windows sets the modes back by itself.
    #[must_use]
    pub fn remember() -> Self {
        Self {}
    }

    #[must_use]
    pub(super) fn without_echoed_signals() -> Self {
        Self {}
    }
}
