//! The passwords of new secrets: from stdin, from a prompt without echo, or none where AWS generates them.

use std::collections::BTreeMap;
use std::io::{self, BufRead};

use zeroize::Zeroizing;

use super::interrupt::blocking;
use crate::cli::Up;
use crate::cloud::Password;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;

/// Reads the password of each user.
pub(super) async fn read(args: &Up, users: &[String]) -> Result<BTreeMap<String, Password>, Failure> {
    let mut passwords = BTreeMap::new();
    if args.choices.generate_password {
        return Ok(passwords);
    }
    for user in users {
        let doing = format!("reading the password of the database user {user}");
        let refused = |why: String| {
            let hints = [
                "Give it with --password-stdin, one a line, or let Secrets Manager generate it with --generate-password.",
            ];
            Failure::new(Exit::Decide, format!("{doing}: {why}"), hints)
        };
        let text = if args.password_stdin {
            answered(from_stdin).await.map_err(|error| refused(error.to_string()))?
        } else if let Some(why) = report::unattended() {
            return Err(refused(why.to_owned()));
        } else {
            // Dropped too where a signal ends the question.
            let _echo = report::Modes::remember();
            let user = user.clone();
            answered(move || from_prompt(&user)).await.map_err(|error| refused(error.to_string()))?
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

/// Asks without echo until the same password is typed twice: a typing error would lock functions out later.
fn from_prompt(user: &str) -> io::Result<String> {
    let term = console::Term::stderr();
    let ask = |question: String| {
        term.write_str(&question)?;
        term.read_secure_line().map(Zeroizing::new)
    };
    loop {
        let first = ask(format!("Password of the database user {user}: "))?;
        if first.is_empty() {
            return Ok(String::new());
        }
        if *ask("The same password again: ".to_owned())? == *first {
            return Ok(first.to_string());
        }
        term.write_line("The passwords differ. Type the same password twice.")?;
    }
}

fn from_stdin() -> io::Result<String> {
    let mut line = Zeroizing::new(String::new());
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
