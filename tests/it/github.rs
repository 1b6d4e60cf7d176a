//! What GitHub Actions reads of a run: groups, annotations, the summary of the step; and nothing of it anywhere else.

use std::collections::BTreeSet;
use std::path::PathBuf;

use sandbox::{Fault, Service, Trigger, Trouble, World};
use serde_json::Value;

use crate::cli::{sorted, up};
use crate::desk::{Desk, Shown, shown};
use crate::schemas::keys;

/// What a step left behind.
struct Step {
    shown: Shown,
    summary: String,
}

impl Step {
    /// The commands of the runner but for groups, of which there is one more where this machine is slow.
    fn commands(&self) -> Vec<&str> {
        let groups = |line: &&str| line.starts_with("::group::") || line.starts_with("::endgroup::");
        self.shown.stderr.lines().filter(|line| line.starts_with("::") && !groups(line)).collect()
    }
}

/// Runs a command as a step of a job, with these variables besides.
fn step_with(desk: &Desk, arguments: &[&str], variables: &[(&str, &str)]) -> Step {
    let folder = tempfile::tempdir().unwrap();
    let summary: PathBuf = folder.path().join("summary.md");
    let all = [&["--sandbox"], arguments].concat();
    let mut command = desk.command(&all);
    command.env("RDSPROXY_SANDBOX_SPEED", "600").env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let shown = shown(&all, command.envs(variables.iter().copied()));
    Step { shown, summary: std::fs::read_to_string(summary).unwrap_or_default() }
}

fn step(desk: &Desk, arguments: &[&str]) -> Step {
    step_with(desk, arguments, &[])
}

/// Takes away what no step of `up` wrote: drift.
fn drift(world: &mut World) {
    let group = world.ec2.groups.values_mut().find(|group| group.name == "my-instance-db").unwrap();
    group.rules.retain(|_, rule| !rule.tags.contains_key("rdsproxy-setup:stack"));
}

#[test]
fn the_steps_of_a_job() {
    let desk = Desk::new();
    let mut all = String::new();
    let mut show = |step: Step| {
        let Step { shown, summary } = step;
        all.push_str(&format!("{}--- summary\n{summary}\n", sorted_within(shown)));
    };
    show(step(&desk, &["up", "--db", "my-instance", "--dry-run", "--detailed-exitcode"]));
    show(step(&desk, &["up", "--db", "my-instance", "--yes", "--timeout", "12h"]));
    desk.hours_later(2).change(drift);
    show(step(&desk, &["status", "--exit-code"]));
    show(step(&desk, &["doctor", "--db", "my-instance"]));
    show(step(&desk, &["up", "--db", "absent", "--yes"]));
    show(step(&desk, &["restore", "--db", "my-instance", "--dry-run"]));
    show(step(&desk, &["teardown", "--db", "my-instance", "--yes", "--quiet", "--timeout", "12h"]));
    let all = all.replace("Target available: in place:", "Target available: ready:");
    insta::assert_snapshot!("steps_of_a_job", all);
}

/// Sorted lines of progress, between commands that stay where they are.
fn sorted_within(mut shown: Shown) -> Shown {
    let mut parts: Vec<Shown> = Vec::new();
    let empty = || Shown { command: String::new(), stdout: String::new(), stderr: String::new(), code: None };
    let mut part = empty();
    for line in shown.stderr.lines() {
        if line.starts_with("::") {
            parts.push(std::mem::replace(&mut part, empty()));
            parts.push(Shown { stderr: format!("{line}\n"), ..empty() });
        } else {
            part.stderr.push_str(&format!("{line}\n"));
        }
    }
    parts.push(part);
    let parts = parts.into_iter().filter(|part| !part.stderr.is_empty());
    shown.stderr = parts.map(|part| sorted(part).stderr).collect();
    // What is said only where a machine is busy, and is not shown here.
    shown.stderr = shown.stderr.replace("::group::Reading the account\n::endgroup::\n", "");
    shown
}

#[test]
fn groups_are_closed_and_never_within_one_another() {
    let desk = Desk::new();
    for arguments in [
        &["up", "--db", "my-instance", "--dry-run", "-v"][..],
        &["up", "--db", "my-instance", "--canary", "--yes", "--timeout", "12h", "-v"],
        &["status", "-v"],
        &["up", "--db", "absent", "-v"],
        &["teardown", "--yes", "--timeout", "12h", "-v"],
    ] {
        let step = step(&desk, arguments);
        let mut open = false;
        for line in step.shown.stderr.lines() {
            let (begins, ends) = (line.starts_with("::group::"), line.starts_with("::endgroup::"));
            assert!(!(begins && open) && (!ends || open), "{}", step.shown);
            open = (open || begins) && !ends;
            // What was warned of or failed is not folded away.
            assert!(!(open && (line.starts_with("warning:") || line.starts_with("error:"))), "{}", step.shown);
        }
        assert!(!open && step.shown.stderr.contains("::group::"), "{}", step.shown);
        desk.hours_later(2);
    }
    // And there is none around nothing.
    let quiet = step(&desk, &["status", "--quiet"]);
    assert_eq!(quiet.shown.stderr, "", "{}", quiet.shown);
}

#[test]
fn nothing_of_it_is_written_elsewhere() {
    let desk = Desk::new();
    let plan = ["up", "--db", "my-instance", "--dry-run"];
    let plain = desk.run(&plan);
    for variables in
        [&[("GITHUB_ACTIONS", "false")][..], &[("RDSPROXY_GITHUB_ACTIONS", "never")], &[("GITHUB_ACTIONS", "")]]
    {
        let step = step_with(&desk, &plan, variables);
        assert_eq!((step.shown.to_string(), step.summary.as_str()), (plain.to_string(), ""), "{variables:?}");
    }
    for arguments in [
        &["up", "--github-actions", "never"][..],
        &["up", "--github-actions=never"],
        &["up", "--github-actions=never", "--output=json"],
    ] {
        let misused = step(&desk, arguments);
        assert_eq!((misused.commands(), misused.summary.as_str()), (vec![], ""), "{}", misused.shown);
    }
    // stdout holds the same as anywhere.
    let there = step(&desk, &plan);
    assert_eq!(there.shown.stdout, plain.stdout);
    assert!(!there.summary.is_empty());
}

#[test]
fn with_json_stdout_is_one_document_and_stderr_has_annotations_between_events() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    desk.hours_later(2).change(drift);
    for (arguments, code, annotation) in [
        (
            &["status", "--exit-code"][..],
            3,
            Some("::warning title=rdsproxy-setup drift::my-instance-proxy, in front of my-instance"),
        ),
        (&["doctor", "--db", "my-instance"], 3, Some("::warning title=rdsproxy-setup RPX")),
        (&["up", "--db", "absent"], 4, Some("::error title=rdsproxy-setup::finding the database (absent)")),
        (&["up", "--nonsense"], 64, Some("::error title=rdsproxy-setup::unexpected argument")),
        (&["up", "--db", "my-instance", "--yes", "--timeout", "12h"], 0, None),
    ] {
        let step = step(&desk, &[arguments, &["--output", "json"]].concat());
        assert_eq!(step.shown.code, Some(code), "{}", step.shown);
        let document: Value = serde_json::from_str(&step.shown.stdout).unwrap_or_else(|_| panic!("{}", step.shown));
        assert!(document.is_object());
        for line in step.shown.stderr.lines().filter(|line| !line.starts_with("::")) {
            assert!(serde_json::from_str::<Value>(line).is_ok(), "{line}");
        }
        let commands = step.commands();
        assert!(commands.len() == usize::from(annotation.is_some()), "{commands:?}");
        assert!(commands.iter().zip(annotation).all(|(line, wanted)| line.starts_with(wanted)), "{commands:?}");
        assert!(step.summary.starts_with(&format!("### rdsproxy-setup {}: ", arguments[0])), "{}", step.summary);
    }
}

const HOSTILE: &str = "x\n::error::forged\n::add-mask::a\n##[error]forged %0A::set-output:: | <img src=x> [x](https://x) @someone `c` www.x.example";

/// Names and messages of others are text: in the log, in annotations, in the summary.
#[test]
fn what_others_wrote_is_no_command_and_no_markdown() {
    for output in ["human", "json"] {
        let desk = Desk::new();
        desk.change(|world| {
            let function = world.lambda.functions.get_mut("DBAppFunction").unwrap();
            let variables = function.latest.environment.as_mut().unwrap();
            let host = variables["DB_HOST"].clone();
            variables.insert(HOSTILE.to_owned(), host);
        });
        let plan = step(&desk, &["up", "--db", "my-instance", "--dry-run", "--output", output]);
        assert!(plan.shown.stdout.contains("forged") && plan.summary.contains("forged"), "{}", plan.shown);
        harmless(&plan);
        let status = step(&desk, &["status", "--db", "my-instance", "--output", output]);
        assert!(status.commands().last().is_some_and(|line| line.contains("forged")), "{}", status.shown);
        harmless(&status);
        desk.change(|world| {
            let trouble = Trouble::ErrorBefore {
                status: 403,
                code: "AccessDeniedException".to_owned(),
                message: HOSTILE.to_owned(),
            };
            let trigger = Trigger::Call { service: Service::Lambda, action: "ListFunctions".to_owned(), nth: 1 };
            world.faults.push(Fault::once(trigger, trouble));
        });
        let failed = step(&desk, &["up", "--db", "my-instance", "--dry-run", "--output", output]);
        assert!(failed.commands().last().is_some_and(|line| line.contains("forged")), "{}", failed.shown);
        harmless(&failed);
    }
}

fn harmless(step: &Step) {
    let ours = |line: &str| {
        let known = ["::group::", "::endgroup::", "::error title=rdsproxy-setup", "::warning title=rdsproxy-setup"];
        known.iter().any(|known| line.starts_with(known))
    };
    for text in [&step.shown.stdout, &step.shown.stderr] {
        for line in text.lines() {
            assert!(!line.trim_start().starts_with("::") || ours(line), "{line}");
            // In its old form, a command may stand anywhere but within one of the new form.
            assert!(!line.contains("##[") || ours(line), "{line}");
        }
    }
    for raw in ["<img", "](", "https://", "www.", "@someone", "`c`", "\n::"] {
        assert!(!step.summary.contains(raw), "{raw}: {}", step.summary);
    }
    if let Ok(document) = serde_json::from_str::<Value>(&step.shown.stdout) {
        assert!(document.to_string().contains("##[error]"), "JSON keeps what others wrote: {document}");
    }
}

#[test]
fn a_summary_reads_no_key_that_no_document_has() {
    let mut known = BTreeSet::new();
    for entry in documents::ALL {
        keys(&entry.schema(), &mut known);
    }
    assert!(actions::SHOWN.iter().all(|key| known.contains(*key)), "{known:?}");
}

#[test]
fn a_token_is_masked_and_in_no_summary() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    for output in ["human", "json"] {
        let step = step(&desk, &["token", "--db", "my-instance", "--output", output]);
        let token = match serde_json::from_str::<Value>(&step.shown.stdout) {
            Ok(document) => document["token"].as_str().unwrap().to_owned(),
            Err(_) => step.shown.stdout.trim().to_owned(),
        };
        assert!(token.contains("X-Amz-Signature"), "{}", step.shown);
        assert_eq!(step.commands(), [format!("::add-mask::{}", token.replace('%', "%25"))]);
        assert!(step.summary.contains("token") && !step.summary.contains("Amz"), "{}", step.summary);
    }
    assert!(!desk.run(&["token", "--db", "my-instance"]).stderr.contains("X-Amz"));
}

#[test]
fn a_summary_is_appended_and_one_that_cannot_be_written_is_a_warning() {
    let desk = Desk::new();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("summary.md");
    std::fs::write(&file, "# mine\n").unwrap();
    step_with(&desk, &["status"], &[("GITHUB_STEP_SUMMARY", file.to_str().unwrap())]);
    let whole = std::fs::read_to_string(&file).unwrap();
    assert!(whole.starts_with("# mine\n### rdsproxy-setup status: done\n"), "{whole}");
    let lost = step_with(&desk, &["status"], &[("GITHUB_STEP_SUMMARY", folder.path().to_str().unwrap())]);
    assert_eq!(lost.shown.code, Some(0), "{}", lost.shown);
    assert!(
        lost.commands()[0].starts_with("::warning title=rdsproxy-setup::writing the summary of the step: "),
        "{}",
        lost.shown
    );
    let none = step_with(&desk, &["status"], &[("GITHUB_STEP_SUMMARY", "")]);
    assert_eq!((none.shown.code, none.commands()), (Some(0), vec![]), "{}", none.shown);
}
