//! `completions`, `man` and `--version --verbose`: what packages ship, made from the definition of the command line.

use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man as Page;

use crate::cli::{Cli, Completions, Man};
use crate::cloud;
use crate::error::Failure;
use crate::exit::Exit;
use crate::report;

/// The command that packages install.
const NAME: &str = "rdsproxy-setup";

/// Prints the completions of a shell.
pub(super) fn completions(args: &Completions) -> Exit {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), NAME, &mut script);
    // clap_complete 4.6.11 takes the hyphen of our name for a step down to a subcommand, but in one of two places, so
    // that bash would complete no flag of any command. A test asks bash itself.
    let script = String::from_utf8_lossy(&script).replace("rdsproxy__subcmd__setup", "rdsproxy__setup");
    report::verbatim(script.as_bytes());
    Exit::Done
}

/// Prints the manual's first page, or writes all of them.
pub(super) fn man(args: &Man) -> Result<Exit, Failure> {
    if let Some(dir) = &args.dir {
        let failed = |error: std::io::Error| {
            Failure::new(Exit::Failed, format!("writing the manual ({}): {error}", dir.display()), [""; 0])
        };
        std::fs::create_dir_all(dir).map_err(failed)?;
        clap_mangen::generate_to(whole(), dir).map_err(failed)?;
        report::result(&format!("Wrote the manual's pages to {}.", dir.display()));
        report::result(&report::next(&[(read(dir), "read the first page")]));
        return Ok(Exit::Done);
    }
    let mut page = Vec::new();
    Page::new(whole())
        .render(&mut page)
        .map_err(|error| Failure::new(Exit::Failed, format!("making the manual: {error}"), [""; 0]))?;
    report::verbatim(&page);
    Ok(Exit::Done)
}

/// The command that shows a page which is not installed.
fn read(dir: &Path) -> String {
    let page = dir.join(format!("{NAME}.1"));
    format!("man -l {}", crate::shell::quoted(&page.to_string_lossy()))
}

/// Every command, hidden ones too, without the `help` that clap adds and nobody needs a page for.
fn whole() -> clap::Command {
    let hidden: Vec<String> = Cli::command()
        .get_subcommands()
        .filter(|command| command.is_hide_set())
        .map(|command| command.get_name().to_owned())
        .collect();
    let shown = |all: clap::Command, name: String| all.mut_subcommand(name, |command| command.hide(false));
    hidden.into_iter().fold(Cli::command(), shown).disable_help_subcommand(true)
}

/// What `--version --verbose` says: what a report of a fault needs.
pub(super) fn version() -> String {
    let commit = option_env!("RDSPROXY_SETUP_COMMIT").unwrap_or("unknown (not built by the release workflow)");
    let target = option_env!("RDSPROXY_SETUP_TARGET")
        .map_or_else(|| format!("{} {}", std::env::consts::ARCH, std::env::consts::OS), str::to_owned);
    let rows = [("version", env!("CARGO_PKG_VERSION")), ("commit", commit), ("target", &target)];
    let rows = rows.into_iter().chain(cloud::sdks()).map(|(what, which)| format!("{what:<24}{which}"));
    [NAME.to_owned()].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}
