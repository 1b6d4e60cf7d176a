//! What a person sees at a terminal of 80 or 120 columns, and in which order.
#![cfg(unix)]

use std::process::Command;

use crate::desk::Desk;
use crate::signals::Terminal;

fn command(desk: &Desk, arguments: &[&str]) -> Command {
    let mut all = vec!["--sandbox", "--sandbox-speed=600"];
    all.extend(arguments);
    let mut command = desk.command(&all);
    command.env("TERM", "xterm-256color");
    command
}

/// A text as it stands on the screen in the end: without colors, and without what was drawn over.
fn plain(shown: &str, columns: usize) -> String {
    let mut lines: Vec<Vec<char>> = vec![Vec::new()];
    let (mut row, mut column) = (0_usize, 0_usize);
    let mut rest = shown.chars();
    while let Some(c) = rest.next() {
        match c {
            '\r' => column = 0,
            '\n' => row += 1,
            '\u{1b}' => {
                let code: String = rest.by_ref().skip(1).take_while(|c| !c.is_ascii_alphabetic()).collect();
                let letter = shown[..shown.len() - rest.as_str().len()].chars().next_back();
                let count = code.parse().unwrap_or(1);
                match letter {
                    Some('A') => row = row.saturating_sub(count),
                    Some('B') => row += count,
                    Some('G') => column = count - 1,
                    Some('K') if code == "2" => lines[row].clear(),
                    Some('K') => lines[row].truncate(column),
                    Some('J') => lines.truncate(row + 1),
                    _ => {}
                }
            }
            c => {
                // The next line begins only with the next character.
                if column == columns {
                    (row, column) = (row + 1, 0);
                    lines.resize(lines.len().max(row + 1), Vec::new());
                }
                let line = &mut lines[row];
                line.resize(line.len().max(column + 1), ' ');
                line[column] = c;
                column += 1;
            }
        }
        lines.resize(lines.len().max(row + 1), Vec::new());
    }
    let lines: Vec<String> = lines.iter().map(|line| line.iter().collect::<String>().trim_end().to_owned()).collect();
    lines.join("\n") + "\n"
}

#[test]
fn tables_are_not_broken_within_words_at_80_columns() {
    let desk = Desk::new();
    let mut hosts = 0;
    for arguments in [
        &["up", "--db", "my-instance", "--dry-run"][..],
        &["up", "--db", "my-instance", "--yes", "--quiet"],
        &["status", "--db", "my-instance"],
        &["doctor", "--db", "my-instance"],
    ] {
        let (shown, code) = Terminal::sized(&mut command(&desk, arguments), 24, 80).until_it_ends();
        assert_eq!(code, Some(0), "{shown}");
        let text = plain(&shown, usize::MAX);
        // Warnings are one line each, which the terminal breaks; commands to copy must not be broken by us.
        let ours = |line: &&str| !line.starts_with("warning:") && !line.contains("rdsproxy-setup --sandbox");
        // A host of AWS's is longer than half of the page: it stands on a line of its own.
        let lines: Vec<&str> = text.lines().filter(ours).collect();
        let wide: Vec<&&str> =
            lines.iter().filter(|line| line.chars().count() > 80 && line.trim().contains(' ')).collect();
        assert_eq!(wide, [&""; 0], "{arguments:?}:\n{text}");
        hosts += lines.iter().filter(|line| line.contains("rds.amazonaws.com")).count();
    }
    assert!(hosts >= 4, "the tables showed {hosts} hosts");
}

#[test]
fn an_error_and_its_hints_are_broken_between_words() {
    let flat = |lines: &[&str]| lines.join(" ").split_whitespace().collect::<Vec<_>>().join(" ");
    for arguments in
        [&["up", "--db", "my-instance", "--function", "nope", "--yes"][..], &["up", "--db", "legacy-oracle", "--yes"]]
    {
        let desk = Desk::new();
        let (shown, _) = Terminal::sized(&mut command(&desk, arguments), 24, 60).until_it_ends();
        let text = plain(&shown, usize::MAX);
        let lines: Vec<&str> = text.lines().skip_while(|line| !line.starts_with("error:")).collect();
        assert!(lines.iter().all(|line| line.chars().count() <= 60), "{text}");
        assert!(lines.iter().any(|line| line.starts_with("    ")), "{text}");
        // The same words as where another program reads them.
        let told = String::from_utf8(command(&desk, arguments).output().unwrap().stderr).unwrap();
        let told: Vec<&str> = told.lines().skip_while(|line| !line.starts_with("error:")).collect();
        assert_eq!(flat(&lines), flat(&told));
    }
}

#[test]
fn the_end_repeats_only_what_the_rows_had_to_cut() {
    for columns in [120, 80] {
        let desk = Desk::new();
        let mut command = command(&desk, &["up", "--db", "my-instance", "--yes", "--timeout", "12h"]);
        let (shown, code) = Terminal::sized(&mut command, 40, columns).until_it_ends();
        assert_eq!(code, Some(0), "{shown}");
        let text = plain(&shown, usize::from(columns));
        let (rows, end) = text.split_once("Done in ").unwrap();
        // What is cut above is there in full below, and nothing else.
        let cut: Vec<bool> =
            ["IAM role for the proxy ", "Security group for", "Proxy admits", "Functions use the proxy "]
                .map(|title| rows.lines().rfind(|line| line.contains(title)).unwrap().contains('…'))
                .to_vec();
        let below = ["IAM role for the proxy ", "Security group for", "Proxy admits", "Functions use the proxy "]
            .map(|title| end.contains(title));
        assert_eq!(cut, below, "{columns}: {text}");
        assert_eq!(cut, [columns == 80; 4], "{columns}: {text}");
        assert!(!end.contains("Database registered") && end.contains("-> database"), "{text}");
    }
}

/// Nobody types a password for a plan that they have not seen, and a typing error does not become the password.
#[test]
fn a_password_is_asked_for_after_the_plan_and_twice() {
    let desk = Desk::new();
    let before = desk.dump();
    let mut at = Terminal::sized(
        &mut command(&desk, &["up", "--db", "my-cluster", "--create-secret", "--db-user", "app"]),
        40,
        120,
    );
    at.until("Carry this out?");
    assert!(!at.shown.contains("Password of"), "{}", at.shown);
    at.write("yes\n");
    at.until_secret("Password of the database user app:");
    at.write("first-Pass-1\n");
    at.until_secret("The same password again:");
    at.write("frist-Pass-1\n");
    at.until("Type the same password twice.");
    assert_eq!(desk.dump(), before);
    at.shown = at.shown.split("twice.").last().unwrap().to_owned();
    at.until_secret("Password of the database user app:");
    at.write("first-Pass-1\n");
    at.until_secret("The same password again:");
    at.write("first-Pass-1\n");
    let (shown, code) = at.until_it_ends();
    assert_eq!(code, Some(0), "{shown}");
    let world = serde_json::to_string(&desk.store().world().unwrap()).unwrap();
    assert!(world.contains("first-Pass-1") && !world.contains("frist"), "the typed password is not in the account");
    assert!(!shown.contains("first-Pass-1") && !shown.contains("frist"), "{shown}");
}

/// One cause and one command, where a target timed out: what only guesses is left out.
#[test]
fn a_target_that_timed_out_has_one_cause_first_and_then_one_command() {
    let desk = Desk::new();
    desk.change(|world| world.profile.target_capacity = std::time::Duration::from_hours(100));
    let shown = desk.run(&["up", "--db", "my-instance", "--yes", "--quiet", "--timeout", "target=1m"]);
    assert_eq!(shown.code, Some(5), "{shown}");
    let hints: Vec<&str> = shown.stderr.lines().filter_map(|line| line.strip_prefix("  hint: ")).collect();
    let begins = ["RPX081: ", "To wait longer: ", "To resume, with the same flags: ", "What steps ", "To undo it: "];
    assert!(hints.len() == begins.len(), "{hints:#?}");
    assert!(hints.iter().zip(begins).all(|(hint, begin)| hint.starts_with(begin)), "{hints:#?}");
}

/// A second stack of the same database says whose proxy the functions are at.
#[test]
fn a_second_name_is_told_what_the_database_is_behind() {
    let desk = Desk::new();
    crate::cli::up(&desk, "my-instance");
    let shown = desk.run(&["up", "--db", "my-instance", "--name", "second", "--dry-run"]);
    let told = "my-instance is behind the proxy my-instance-proxy already, a stack of this tool: its host is in variables of \
                DBAppFunction, InvoiceFunction, and no other function is left for second. To change that one, run with \
                --name my-instance-proxy.";
    assert!(shown.stderr.contains(told), "{shown}");
    assert!(!shown.stdout.contains("no function was found"), "{shown}");
    // Where a function is left, that is not the matter.
    desk.change(|world| {
        let database = world.rds.instances["my-instance"].endpoint.clone();
        let variables = world.lambda.functions.get_mut("DBAppFunction").unwrap().latest.environment.as_mut().unwrap();
        variables.insert("DB_HOST".to_owned(), database);
    });
    let shown = desk.run(&["up", "--db", "my-instance", "--name", "second", "--dry-run"]);
    assert!(!shown.stderr.contains("is left for second"), "{shown}");
}

/// A read that takes long says so, in every mode but the quiet one.
#[test]
fn a_slow_read_says_that_the_account_is_being_read() {
    use sandbox::{Fault, Service, Trigger, Trouble};
    let desk = Desk::new();
    desk.change(|world| {
        // One after the other, and each too quick to be taken for a connection that is stuck.
        let slow = [
            (Service::Sts, "GetCallerIdentity"),
            (Service::Rds, "DescribeDBProxies"),
            (Service::Ec2, "DescribeSecurityGroups"),
        ];
        for (service, action) in slow {
            let trigger = Trigger::Every { service, action: action.to_owned() };
            world.faults.push(Fault::repeated(trigger, Trouble::Slow(2_500), 100));
        }
    });
    let status = ["status", "--db", "my-instance", "--sandbox-speed=1"];
    let run = |more: &'static [&'static str]| {
        let mut command = desk.command(&["--sandbox"]);
        command.args(status).args(more).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
        command.spawn().unwrap()
    };
    let at_a_terminal =
        Terminal::sized(desk.command(&["--sandbox"]).args(status).env("TERM", "xterm-256color"), 40, 120);
    let others = [run(&[]), run(&["--output=json"]), run(&["--quiet"])].map(|child| {
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    });
    crate::schemas::check(&["status", "--output=json"], "", &others[1].1);
    let told = "Reading the account in eu-central-1…";
    let (shown, code) = at_a_terminal.until_it_ends();
    assert!(code == Some(0) && shown.matches(told).count() == 1, "{shown}");
    assert_eq!(others[0], (Some(0), format!("{told}\n")));
    let line: serde_json::Value = serde_json::from_str(&others[1].1).unwrap();
    assert_eq!((others[1].0, &line["text"]), (Some(0), &serde_json::json!(told)), "{line}");
    assert_eq!(others[2], (Some(0), String::new()));
}
