//! Every fault at every call of `up`, of `teardown` and of what comes between: time may be lost, and nothing else.
//!
//! The tests print the matrix: `cargo test --test it faults -- --nocapture`.

use sandbox::{Fault, Logged, Trigger, Trouble, World};
use serde_json::Value;

use rdsproxy_setup::close_direct::Fate as Closing;
use rdsproxy_setup::resources::alarms::Settings;

use crate::docs::measured;
use crate::harness::{Bed, Fate, NEVER, newcomer, say, wish};

/// What is done to the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Command {
    Up,
    Teardown,
    Alarms,
    CloseDirect,
    Restore,
}

/// What goes wrong at one call.
#[derive(Debug, Clone)]
enum Fall {
    /// A fault, so many requests in a row.
    Requests(Trouble, u32),
    /// The same, at changes alone.
    Changes(Trouble),
    /// The operation's own words for "not yet", three times over.
    NotYet,
    /// The process ends before or after the call's effect.
    Killed(bool),
}

/// One row of the matrix.
struct Row {
    name: &'static str,
    fall: Fall,
    /// Whether a run that meets it must come through without help: law 6.
    passes: bool,
}

fn error(status: u16, code: &str) -> Trouble {
    let message = "An internal error has occurred. Please try your query again at a later time.";
    Trouble::ErrorBefore { status, code: code.to_owned(), message: message.to_owned() }
}

fn rows() -> Vec<Row> {
    let once = |name, trouble| Row { name, fall: Fall::Requests(trouble, 1), passes: true };
    let help = |name, fall| Row { name, fall, passes: false };
    vec![
        once("throttled", Trouble::Throttle),
        help("throttled eight times", Fall::Requests(Trouble::Throttle, 8)),
        once("5xx before the effect", error(503, "ServiceUnavailable")),
        once("empty 500 before the effect", error(500, "")),
        once("5xx after the effect", Trouble::ErrorAfter),
        once("dropped before the effect", Trouble::DropBefore),
        once("dropped after the effect", Trouble::DropAfter),
        once("silence", Trouble::Silence),
        Row { name: "stale for 5 s", fall: Fall::Changes(Trouble::Stale(5)), passes: true },
        Row { name: "stale for 30 s", fall: Fall::Changes(Trouble::Stale(30)), passes: true },
        Row { name: "not yet", fall: Fall::NotYet, passes: true },
        help("denied", Fall::Requests(Trouble::Deny, 1)),
        help("credentials expired", Fall::Requests(Trouble::Expire, 1)),
        help("killed before the effect", Fall::Killed(false)),
        help("killed after the effect", Fall::Killed(true)),
    ]
}

/// How a service says that an operation's time has not come, if it does.
fn not_yet(call: &Logged) -> Option<Trouble> {
    let (status, code, message) = match call.action.as_str() {
        "CreateDBProxy" => (400, "InvalidParameterValue", "The IAM role does not exist or cannot be assumed by RDS."),
        "RegisterDBProxyTargets" => (
            400,
            "InvalidDBInstanceState",
            "DB Instance is in an unsupported state - CONFIGURING_ENHANCED_MONITORING, needs to be in [AVAILABLE]",
        ),
        "DeleteDBProxy" | "ModifyDBProxy" => (400, "InvalidDBProxyStateFault", "DB Proxy is in state modifying"),
        "PutRolePolicy" | "AttachRolePolicy" => (404, "NoSuchEntity", "The role cannot be found."),
        "CreateRole" | "CreatePolicy" | "DeleteRolePolicy" | "DetachRolePolicy" => {
            (409, "ConcurrentModification", "Another request is under way.")
        }
        "DeleteRole" => (409, "DeleteConflict", "Cannot delete entity, must remove roles from instance profile first."),
        "DeletePolicy" => (409, "DeleteConflict", "Cannot delete a policy attached to entities."),
        "AuthorizeSecurityGroupIngress" | "AuthorizeSecurityGroupEgress" => {
            (400, "InvalidGroup.NotFound", "The security group does not exist")
        }
        "DeleteSecurityGroup" => (400, "DependencyViolation", "resource has a dependent object"),
        "UpdateFunctionConfiguration" | "TagResource" | "UntagResource" => (
            409,
            "ResourceConflictException",
            "The operation cannot be performed at this time. An update is in progress for resource",
        ),
        _ => return None,
    };
    Some(Trouble::ErrorBefore { status, code: code.to_owned(), message: message.to_owned() })
}

/// What became of one row.
#[derive(Debug, Default)]
struct Tally {
    ran: usize,
    at_once: usize,
    with_one_more_run: usize,
    leaked: usize,
}

/// A clean run of a command: where it starts, its calls, and the world afterwards.
struct Clean {
    command: Command,
    id: &'static str,
    start: World,
    calls: Vec<Logged>,
    want: Value,
    /// What a teardown and then an `up` come to.
    again: Value,
}

async fn run(bed: &Bed, command: Command, id: &str) -> Fate<()> {
    match command {
        Command::Up => bed.up(&wish(id)).await.map(drop),
        Command::Teardown => bed.down(&wish(id)).await,
        Command::Restore => bed.restore(&wish(id)).await,
        // What could not be read stays, and the plan says so: that is no end of the work.
        Command::CloseDirect => match bed.close(&wish(id)).await {
            Fate::Done(plan) => {
                let unread = plan.rows.iter().find_map(|row| match &row.fate {
                    Closing::Unknown(why) => Some(format!("closing the direct path ({id}): {why}")),
                    _ => None,
                });
                unread.map_or(Fate::Done(()), Fate::Stopped)
            }
            fate => fate.map(drop),
        },
        Command::Alarms => {
            let settings = Settings { dashboard: true, ..Settings::default() };
            bed.alarms(&wish(id), &settings).await.map(drop)
        }
    }
}

fn done(fate: &Fate<()>) -> bool {
    matches!(fate, Fate::Done(()))
}

impl Clean {
    async fn of(command: Command, id: &'static str) -> Self {
        let mut start = newcomer();
        if command != Command::Up {
            let bed = Bed::of(start, NEVER, false);
            assert!(done(&run(&bed, Command::Up, id).await));
            start = bed.settled().await;
            if command == Command::Teardown && id == "my-instance" {
                // With everything that a stack can have.
                let bed = Bed::of(start, NEVER, false);
                assert!(done(&run(&bed, Command::Alarms, id).await));
                start = bed.settled().await;
            }
        }
        let bed = Bed::of(start.clone(), NEVER, false);
        let since = bed.logged();
        assert!(done(&run(&bed, command, id).await));
        let calls = bed.gate.account.with(|world| world.log[since..].to_vec());
        let want = bed.dump().await;
        assert!(done(&run(&bed, Command::Up, id).await));
        Self { command, id, start, calls, want, again: bed.dump().await }
    }

    /// The fault of one place, if the row has one there: a world that holds it, and when the process is killed.
    fn place(&self, fall: &Fall, at: usize) -> Option<(World, usize, bool)> {
        let (mut world, call) = (self.start.clone(), &self.calls[at]);
        let nth = u64::try_from(at + 1).unwrap_or(u64::MAX);
        let fault = match fall {
            Fall::Killed(after) => return Some((world, at, *after)),
            Fall::Requests(trouble, times) => Fault::repeated(Trigger::Request(nth), trouble.clone(), *times),
            Fall::Changes(_) if !call.mutating => return None,
            Fall::Changes(trouble) => Fault::once(Trigger::Request(nth), trouble.clone()),
            Fall::NotYet => {
                let same = |other: &&Logged| other.service == call.service && other.action == call.action;
                let nth = u64::try_from(self.calls[..=at].iter().filter(same).count()).unwrap_or(u64::MAX);
                let trigger = Trigger::Call { service: call.service, action: call.action.clone(), nth };
                Fault::repeated(trigger, not_yet(call)?, 3)
            }
        };
        world.faults.push(fault);
        Some((world, NEVER, false))
    }

    /// One cell of the matrix; what is wrong with it goes into `wrong`.
    async fn cell(&self, row: &Row, at: usize, tally: &mut Tally, wrong: &mut Vec<String>) {
        let Some((world, kill_at, after)) = self.place(&row.fall, at) else { return };
        let name = format!("{} at call {} ({})", row.name, at + 1, self.calls[at].action);
        let bed = Bed::of(world, kill_at, after);
        let fate = run(&bed, self.command, self.id).await;
        tally.ran += 1;
        bed.disarm();
        bed.gate.account.with(|world| world.faults.clear());
        match &fate {
            Fate::Done(()) => tally.at_once += 1,
            fate => {
                if let Fate::Stopped(why) = fate {
                    if row.passes {
                        wrong.push(format!("{name} is not passed: {why}"));
                    }
                    if !precise(why) {
                        wrong.push(format!("{name} is not named: {why}"));
                    }
                }
                let fate = run(&bed, self.command, self.id).await;
                tally.with_one_more_run += usize::from(done(&fate));
                if !done(&fate) {
                    wrong.push(format!("{name} leaves nothing to resume from: {fate:?}"));
                }
            }
        }
        if bed.dump().await != self.want {
            tally.leaked += 1;
            wrong.push(format!("{name} leaves another world"));
        }
        if self.command == Command::Teardown && matches!(row.fall, Fall::Killed(_)) {
            let fate = run(&bed, Command::Up, self.id).await;
            if !done(&fate) || bed.dump().await != self.again {
                wrong.push(format!("{name}: an up after the teardown is not as ever: {fate:?}"));
            }
        }
    }
}

/// Whether an error names the call that was refused, and so its cause.
fn precise(why: &str) -> bool {
    let services = ["rds:", "iam:", "ec2:", "lambda:", "logs:", "secretsmanager:", "sts:", "kms:", "cloudwatch:"];
    why.contains(": ") && services.iter().any(|service| why.contains(service))
}

async fn matrix(command: Command, id: &'static str) {
    let clean = Clean::of(command, id).await;
    let (mut wrong, mut sum, mut lines) = (Vec::new(), Tally::default(), Vec::new());
    for row in rows() {
        let mut tally = Tally::default();
        for at in 0..clean.calls.len() {
            clean.cell(&row, at, &mut tally, &mut wrong).await;
        }
        lines.push(line(row.name, &tally));
        sum.ran += tally.ran;
        sum.at_once += tally.at_once;
        sum.with_one_more_run += tally.with_one_more_run;
        sum.leaked += tally.leaked;
    }
    lines.push(line("all", &sum));
    let head =
        format!("| {command:?} for {id}, {} calls | ran | at once | with one more run | leaked |", clean.calls.len());
    let table = format!("{head}\n| --- | ---: | ---: | ---: | ---: |\n{}\n", lines.join("\n"));
    say(&table);
    measured(&format!("{command:?} {id}").to_lowercase(), &table);
    assert!(wrong.is_empty(), "{command:?} {id}: {} wrong\n{}", wrong.len(), wrong.join("\n"));
}

fn line(name: &str, tally: &Tally) -> String {
    format!("| {name} | {} | {} | {} | {} |", tally.ran, tally.at_once, tally.with_one_more_run, tally.leaked)
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: every fault at every call"]
async fn every_fault_at_every_call_of_up_for_an_instance() {
    matrix(Command::Up, "my-instance").await;
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: every fault at every call"]
async fn every_fault_at_every_call_of_up_for_a_cluster() {
    matrix(Command::Up, "my-cluster").await;
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: every fault at every call"]
async fn every_fault_at_every_call_of_alarms() {
    matrix(Command::Alarms, "my-instance").await;
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: every fault at every call"]
async fn every_fault_at_every_call_of_close_direct() {
    matrix(Command::CloseDirect, "my-instance").await;
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: every fault at every call"]
async fn every_fault_at_every_call_of_restore() {
    matrix(Command::Restore, "my-instance").await;
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: every fault at every call"]
async fn every_fault_at_every_call_of_teardown_for_an_instance() {
    matrix(Command::Teardown, "my-instance").await;
}

#[tokio::test(start_paused = true)]
#[ignore = "full tier: every fault at every call"]
async fn every_fault_at_every_call_of_teardown_for_a_cluster() {
    matrix(Command::Teardown, "my-cluster").await;
}
