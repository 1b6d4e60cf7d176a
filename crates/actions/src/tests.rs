//! Names of others are text, in commands and in Markdown.

use proptest::prelude::*;
use serde_json::json;

use crate::{Failure, Level, Run, annotation, annotations, defused, defused_json, group, mask, summary, text};

/// What the runner makes of the data of a command.
fn unescaped(data: &str) -> String {
    data.replace("%0A", "\n").replace("%0D", "\r").replace("%3A", ":").replace("%2C", ",").replace("%25", "%")
}

/// What a reader of Markdown shows of a text that is nothing but text.
fn read(markdown: &str) -> String {
    let (mut shown, mut rest) = (String::new(), markdown);
    while let Some(at) = rest.find("&#") {
        shown.push_str(&rest[..at]);
        let (code, after) = rest[at + 2..].split_once(';').unwrap();
        shown.push(char::from_u32(code.parse().unwrap()).unwrap());
        rest = after;
    }
    shown + rest
}

fn clean(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

/// Texts that are likely to hold what means something.
fn hostile() -> impl Strategy<Value = String> {
    let parts = prop::sample::select(vec![
        "::",
        "##[",
        "error",
        "]",
        "::add-mask::",
        "\n",
        "\r",
        "%",
        "%0A",
        "%25",
        ":",
        ",",
        "|",
        "\\|",
        "\\",
        "`",
        "``",
        "<img src=x>",
        "&lt;",
        "&#124;",
        "[x](http://x)",
        "![",
        "@someone",
        "https://x",
        "www.x",
        "WWW.x",
        "a",
        " ",
        "\t",
        "$x$",
        "~~",
        "**",
        "_",
        "#1",
        "-",
        "名",
        "\u{1b}[31m",
        "{{",
        "^",
    ]);
    prop::collection::vec(parts, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn an_annotation_is_one_line_that_reads_back(title in hostile(), said in hostile()) {
        let line = annotation(Level::Error, &title, &said);
        prop_assert!(!line.contains(['\n', '\r']));
        let (properties, data) = line.strip_prefix("::error title=").unwrap().split_once("::").unwrap();
        prop_assert!(!properties.contains([':', ',']));
        prop_assert_eq!(unescaped(properties), title);
        prop_assert_eq!(unescaped(data), said.clone());
        for line in [group(&said), mask(&said)] {
            prop_assert!(!line.contains(['\n', '\r']));
            prop_assert_eq!(unescaped(line[2..].split_once("::").unwrap().1), said.clone());
        }
    }

    #[test]
    fn no_line_of_a_defused_text_is_a_command(said in hostile()) {
        let shown = defused(&said);
        prop_assert!(!shown.contains("##["));
        prop_assert!(shown.split(['\n', '\r']).all(|line| !line.trim_start().starts_with("::")));
        prop_assert_eq!(shown.matches('\n').count(), said.matches('\n').count());
        let document = serde_json::to_string(&said).unwrap();
        let safe = defused_json(&document);
        prop_assert!(!safe.contains("##["));
        prop_assert_eq!(serde_json::from_str::<String>(&safe).unwrap(), said);
    }

    #[test]
    fn a_text_in_markdown_is_nothing_but_text(said in hostile()) {
        let shown = text(&said);
        prop_assert!(!shown.contains(['<', '>', '|', '`', '*', '_', '[', ']', '(', '!', '\\', '~', '$', '\n', '\r']), "{}", shown);
        prop_assert!(!shown.contains("://") && !shown.to_lowercase().contains("www."), "{}", shown);
        // Each @ is apart from the name behind it.
        prop_assert!(shown.split('@').skip(1).all(|name| !name.starts_with(char::is_alphanumeric)), "{}", shown);
        prop_assert_eq!(read(&shown).replace('\u{200b}', ""), said.replace(['\n', '\r', '\t'], " "));
    }

    #[test]
    fn every_row_of_a_summary_has_the_cells_of_its_head(said in hostile()) {
        let list = vec![said.clone()];
        let step = json!({"step": 1, "title": said, "subject": said, "state": "update", "details": list, "because": list,
            "variables": [{"function": said, "variable": said, "from": said, "to": said}]});
        let documents = [json!({
            "plan": [step, {"action": "delete", "resource": said, "detail": said}, {"action": "create", "name": said, "detail": list}],
            "changes": [{"step": 1, "slug": said, "detail": said}], "feasible": false, "changed": false,
            "pending": [{"step": 3, "slug": said, "state": said}],
            "canary": {"waves": [{"number": 1, "of": 2, "functions": list, "judgement": {"answer": said}}]},
            "stacks": [{"database": said, "proxy": said, "in_place": false, "steps": [step]}, {"database": said, "proxy": said, "status": said}],
            "static": [{"title": said, "open": false, "because": list}],
            "findings": [{"id": said, "severity": said, "title": said, "evidence": list, "fix": list}], "endpoint": said, "functions": list,
            "rules": [{"rule": said, "group": said, "source": said, "ports": said, "functions": list, "action": said, "why": said}],
        }), json!({
            "plan": [step], "infeasible": said, "went_well": false, "changes": [{"step": said, "operation": said, "target": said}],
            "days": [{"day": said, "up": {"seconds": 1, "calls": 2, "changes": 3, "stopped": said}, "teardown": null}],
            "differences": [{"path": list, "before": said, "after": said}], "left": [{"path": list, "before": said, "after": null}],
        })];
        let failures = [Failure { headline: said.clone(), hints: list.clone() }];
        let run = Run { command: "doctor", exit: 4, meaning: "m", documents: &documents, failures: &failures, warnings: &list, clean };
        let whole = summary(&run);
        let mut head = 0;
        for line in whole.lines() {
            let cells = line.matches('|').count();
            if line.starts_with("| --- |") || line.starts_with('|') && head == 0 {
                head = cells;
            }
            prop_assert!(cells == 0 || cells == head, "{}", line);
            prop_assert!(cells == 0 || line.starts_with('|'), "{}", line);
            if cells == 0 {
                head = 0;
            }
            let ours = line.replace("<br>", "").replace("**", "");
            prop_assert!(!ours.contains('<') && !ours.contains("](") && !ours.contains("://"), "{}", line);
        }
        for note in annotations(&run) {
            prop_assert!(!annotation(note.level, &note.title, &note.text).contains('\n'));
        }
    }
}

#[test]
fn what_a_plan_shows() {
    let documents = [json!({"plan": [
        {"step": 3, "title": "RDS Proxy", "subject": "my-instance-proxy", "state": "create", "details": ["TLS required"], "because": [], "variables": []},
        {"step": 13, "title": "Functions use the proxy", "subject": "F", "state": "update", "details": [], "because": ["F: DB_HOST"],
         "variables": [{"function": "F", "variable": "DB_HOST", "from": "a", "to": "b"}]},
    ], "feasible": true, "findings": []})];
    let run = Run { command: "up", exit: 0, meaning: "", documents: &documents, failures: &[], warnings: &[], clean };
    assert_eq!(
        summary(&run),
        "### rdsproxy-setup up: done\n\n|  | Plan |  |  |\n| --- | --- | --- | --- |\n\
         | + | 3 RDS Proxy | my-instance-proxy | TLS required |\n\
         | ~ | 13 Functions use the proxy | F | F: DB&#95;HOST<br>F DB&#95;HOST: a -&gt; b |\n\n"
    );
    // A plan of up is no diagnosis: what stops it is a failure of its own.
    assert_eq!(annotations(&run), []);
}

#[test]
fn what_a_rehearsal_and_a_closed_path_show() {
    let run = |seconds: u64| json!({"seconds": seconds, "calls": 9, "changes": 1, "stopped": null});
    let documents = [
        json!({
            "plan": [], "infeasible": null, "went_well": true, "left": [], "differences": [],
            "changes": [{"step": "proxy", "operation": "rds:CreateDBProxy", "target": "my-instance-proxy"}],
            "days": [{"day": "usual", "up": run(553), "teardown": run(370)}],
        }),
        json!({"rules": [
            {"rule": "sgr-1", "group": "sg-1", "source": "sg-2", "ports": "3306", "functions": ["F"], "action": "closed", "why": null},
            {"rule": "sgr-2", "group": "sg-1", "source": "sg-3", "ports": "all", "functions": [], "action": "stay", "why": "wider"},
        ]}),
    ];
    let run =
        Run { command: "rehearse", exit: 0, meaning: "", documents: &documents, failures: &[], warnings: &[], clean };
    assert_eq!(
        summary(&run),
        "### rdsproxy-setup rehearse: done\n\nEverything went as it should in a copy of the account.\n\n\
         | up changes | of |\n| --- | --- |\n| rds:CreateDBProxy | my-instance-proxy |\n\n\
         | Day | up | teardown |\n| --- | --- | --- |\n| usual | 553 s, 9 calls | 370 s, 9 calls |\n\n\
         |  | Rule |  |  |\n| --- | --- | --- | --- |\n|  | port 3306 from sg-2: closed | F |  |\n\
         |  | port all from sg-3: stay |  | wider |\n\n"
    );
}

#[test]
fn drift_and_findings_are_annotations() {
    let step = |state: &str| json!({"step": 9, "title": "Database admits the proxy", "subject": "port 3306", "state": state, "because": []});
    let status = [json!({"stacks": [
        {"database": "d", "proxy": "p", "in_place": false, "steps": [step("create"), step("in_place"), step("not_needed")]},
        {"database": "e", "proxy": "q", "in_place": true, "steps": [step("in_place")]},
    ]})];
    let run = Run { command: "status", exit: 0, meaning: "", documents: &status, failures: &[], warnings: &[], clean };
    let found = annotations(&run);
    assert_eq!(found.len(), 1);
    assert_eq!(
        found[0].text,
        "p, in front of d, is not as it should be\nstep 9, Database admits the proxy: missing: port 3306"
    );
    let findings =
        [json!({"findings": [{"id": "RPX001", "severity": "warning", "title": "t", "evidence": ["e"], "fix": ["f"]}]})];
    let found = annotations(&Run { command: "doctor", documents: &findings, ..run });
    assert_eq!(
        (found[0].level, found[0].title.as_str(), found[0].text.as_str()),
        (Level::Warning, "rdsproxy-setup RPX001", "t\ne\nfix: f")
    );
}

#[test]
fn a_summary_is_no_larger_than_github_takes() {
    let rows: Vec<_> =
        (0..20_000).map(|number| json!({"step": number, "title": "x".repeat(80), "state": "create"})).collect();
    let documents = [json!({"plan": rows})];
    let whole = summary(&Run {
        command: "up",
        exit: 0,
        meaning: "",
        documents: &documents,
        failures: &[],
        warnings: &[],
        clean,
    });
    assert!(whole.len() < 1 << 20 && whole.ends_with("GitHub takes no more than 1 MiB.\n"), "{}", whole.len());
}
