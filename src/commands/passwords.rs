//! The passwords of new secrets: from stdin, from a prompt without echo, or none where AWS generates them.

use std::collections::BTreeMap;
use std::io::{self, BufRead, IsTerminal};

use zeroize::Zeroizing;

use super::interrupt::blocking;
use crate::cli::Up;
use crate::error::Failure;
use crate::exit::Exit;
use crate::password::Password;
use crate::report;

/// Reads the password of each user.
pub(super) async fn read(args: &Up, users: &[String]) -> Result<BTreeMap<String, Password>, Failure> {
    let mut passwords = BTreeMap::new();
    if args.generate_password {
        return Ok(passwords);
    }
    for user in users {
        let doing = format!("reading the password of the database user {user}");
        let refused = |why: String| {
            let hints =
                ["Give it with --password-stdin, one a line, or have AWS make one up with --generate-password."];
            Failure::new(Exit::Decide, format!("{doing}: {why}"), hints)
        };
        let text = if args.password_stdin {
            answered(from_stdin).await.map_err(|error| refused(error.to_string()))?
        } else if std::io::stdin().is_terminal() {
            // Dropped too where a signal ends the question.
            let _echo = report::Modes::remember();
            let question = format!("Password of the database user {user}: ");
            answered(move || {
                let term = console::Term::stderr();
                term.write_str(&question).and_then(|()| term.read_secure_line())
            })
            .await
            .map_err(|error| refused(error.to_string()))?
        } else {
            return Err(refused("there is no terminal to ask on".to_owned()));
        };
        let password = Password::new(text);
        if password.is_empty() {
            return Err(refused("it is empty".to_owned()));
        }
        passwords.insert(user.clone(), password);
    }
    Ok(passwords)
}

async fn answered(read: impl FnOnce() -> io::Result<String> + Send + 'static) -> io::Result<String> {
    blocking(read).await?
}

fn from_stdin() -> io::Result<String> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
