//! The help of every command: short enough for one screen, with examples that the program understands.

use clap::CommandFactory as _;
use rdsproxy_setup::cli::Cli;

/// Every command with its path: `["sandbox", "serve"]`.
fn commands() -> Vec<Vec<String>> {
    fn below(command: &clap::Command, path: &[String], found: &mut Vec<Vec<String>>) {
        for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help") {
            let mut path = path.to_vec();
            path.push(inner.get_name().to_owned());
            found.push(path.clone());
            below(inner, &path, found);
        }
    }
    let mut found = Vec::new();
    below(&Cli::command(), &[], &mut found);
    found
}

/// The help as a terminal of 80 columns shows it.
fn help(path: &[String], flag: &str) -> String {
    help_at(80, path, flag)
}

fn help_at(width: usize, path: &[String], flag: &str) -> String {
    let command = Cli::command().term_width(width);
    let words = ["rdsproxy-setup"].into_iter().chain(path.iter().map(String::as_str)).chain([flag]);
    command.try_get_matches_from(words).unwrap_err().to_string()
}

#[test]
fn the_summary_fits_one_screen() {
    let top = help(&[], "-h");
    // Twenty commands and four flags: a terminal of 29 rows shows it with the prompt below.
    assert!(top.lines().count() <= 28, "{} lines:\n{top}", top.lines().count());
    for path in commands() {
        let text = help(&path, "-h");
        assert!(text.lines().count() < 40, "{path:?}: {} lines:\n{text}", text.lines().count());
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > 80).collect();
        assert_eq!(wide, [""; 0], "{path:?}");
    }
}

/// A group of flags that has no heading of its own would grow into one long list again.
#[test]
fn the_flags_of_up_stand_under_headings() {
    let up = Cli::command().find_subcommand("up").unwrap().clone();
    let mut without: Vec<&str> = Vec::new();
    let mut headings: Vec<&str> = Vec::new();
    for flag in up.get_arguments() {
        match flag.get_help_heading() {
            Some(heading) if !headings.contains(&heading) => headings.push(heading),
            Some(_) => {}
            None => without.push(flag.get_id().as_str()),
        }
    }
    assert_eq!(without, ["db", "dry_run", "prepare", "plan_out", "plan"]);
    let pool = "Connection pool (defaults are those of RDS)";
    let wanted = ["Functions", "Log-in and secrets", "Network", "Proxy", pool, "Verification", "Waiting", "Output"];
    assert_eq!(headings, wanted);
}

#[test]
fn every_command_has_examples_that_the_program_understands() {
    for path in commands() {
        let [text, wide] = [80, 300].map(|width| help_at(width, &path, "--help"));
        let commands = |text: &str| -> Vec<String> {
            let (_, examples) = text.split_once("Examples:").unwrap_or_else(|| panic!("{path:?} has no examples"));
            examples.lines().filter_map(|line| line.trim().strip_prefix("$ ").map(str::to_owned)).collect()
        };
        let lines = commands(&text);
        assert!(!lines.is_empty(), "{path:?}");
        assert_eq!(lines, commands(&wide), "an example is broken at 80 columns");
        for line in lines {
            // What follows is the shell's.
            let words = shlex::split(&line).unwrap().into_iter().take_while(|word| word != ">" && word != "|");
            let words: Vec<String> = words.collect();
            assert_eq!(words[0], "rdsproxy-setup", "{line}");
            assert!(words.contains(&path[0]), "{line} is no example of {path:?}");
            if let Err(error) = Cli::read(words.into_iter().map(Into::into)) {
                panic!("{line}: {error}");
            }
        }
    }
}
