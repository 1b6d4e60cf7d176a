//! What others wrote moves no cursor, turns no line around and begins no line of what people read.

use rdsproxy_setup::plain::is_unseen;
use sandbox::{Fault, Service, Trigger, Trouble};

use crate::cli::up;
use crate::desk::Desk;

const FORGED: &str = "no\n+ 13  Functions   nothing to see\u{1b}[2K\u{1b}]0;title\u{7}\r\u{202e}\u{9b}31m";

fn seen(text: &str) -> bool {
    !text.chars().any(|c| c != '\n' && is_unseen(c))
        && !text.lines().any(|line| line.starts_with("+ 13  Functions   nothing"))
}

#[test]
fn a_message_of_aws_forges_no_line() {
    for output in ["human", "json"] {
        let desk = Desk::new();
        desk.change(|world| {
            let trouble = Trouble::ErrorBefore {
                status: 403,
                code: "AccessDeniedException".to_owned(),
                message: FORGED.to_owned(),
            };
            world.faults.push(Fault::once(
                Trigger::Call { service: Service::Lambda, action: "ListFunctions".to_owned(), nth: 1 },
                trouble,
            ));
        });
        let shown = desk.run(&["up", "--db", "my-instance", "--dry-run", "--output", output]);
        assert!(shown.stderr.contains("nothing to see"), "{shown}");
        assert!(seen(&shown.stdout) && seen(&shown.stderr), "{:?} {:?}", shown.stdout, shown.stderr);
        if output == "json" {
            let document: serde_json::Value = serde_json::from_str(&shown.stdout).unwrap();
            assert!(document["error"].as_str().unwrap().contains(FORGED), "JSON keeps what was said: {document}");
        }
    }
}

#[test]
fn a_line_to_be_copied_shows_all_that_it_holds() {
    let desk = Desk::new();
    up(&desk, "my-instance");
    let shown = desk.run(&["connect", "--db", "my-instance", "--db-user", "admin", "--database", FORGED]);
    assert!(seen(&shown.stdout) && seen(&shown.stderr), "{:?} {:?}", shown.stdout, shown.stderr);
    assert_eq!(shown.code, Some(0), "{shown}");
    assert!(shown.stdout.contains("$'") && shown.stdout.contains("\\033"), "{shown}");
}
