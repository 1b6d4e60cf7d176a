//! `doctor` judges what only metrics and the log show, says where there are none, and prints nothing that a log may
//! hold.

use rdsproxy_setup::catalogue::checks::CheckId;
use rdsproxy_setup::doctor::{self, Diagnosis};
use rdsproxy_setup::engine::Timeouts;
use rdsproxy_setup::spec::Spec;
use sandbox::{Load, Moment, Rate, World};
use serde_json::Value;

use crate::desk::Desk;
use crate::doctor::all_but;
use crate::harness::{Bed, Fate, NEVER, newcomer, wish};
use crate::permissions::restrict;

const INSTANCE: &str = "my-instance";
const PROXY: &str = "my-instance-proxy";
const GROUP: &str = "/aws/rds/proxy/my-instance-proxy";

/// The checks that metrics answer.
pub(crate) const LATE: [CheckId; 5] =
    [CheckId::Pinning, CheckId::RefusedLogIns, CheckId::BorrowWaits, CheckId::FailedSetups, CheckId::WasUnhealthy];

async fn with_proxy() -> World {
    let bed = Bed::of(newcomer(), NEVER, false);
    let fate = bed.up(&wish(INSTANCE)).await;
    assert!(matches!(fate, Fate::Done(_)), "{fate:?}");
    bed.settled().await
}

/// The account, an hour and a half after its function got another load.
async fn under(change: impl FnOnce(&mut World)) -> World {
    let mut world = with_proxy().await;
    change(&mut world);
    Bed::of(world, NEVER, false).settled().await
}

fn load(rate: f64, change: fn(&mut Load)) -> impl FnOnce(&mut World) {
    move |world| {
        let mut load = Load { rate: Rate::Constant(rate), ..Load::default() };
        change(&mut load);
        world.set_load("DBAppFunction", load);
    }
}

async fn examined(bed: &Bed, logs: bool) -> Diagnosis {
    let spec = Spec { read_log: logs, ..wish(INSTANCE) };
    Box::pin(doctor::examine(&bed.cloud, &spec, Timeouts::default())).await.unwrap()
}

fn evidence(diagnosis: &Diagnosis, check: CheckId) -> String {
    let finding = diagnosis.findings.iter().find(|finding| finding.check == check);
    finding.unwrap_or_else(|| panic!("{check:?} is not in {diagnosis:#?}")).evidence.join(" ")
}

fn unchecked(diagnosis: &Diagnosis) -> Vec<CheckId> {
    diagnosis.unchecked.iter().map(|(check, _)| *check).filter(|check| LATE.contains(check)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_works_gives_no_finding_and_leaves_nothing_unchecked() {
    for logs in [false, true] {
        let bed = Bed::of(with_proxy().await, NEVER, false);
        let diagnosis = examined(&bed, logs).await;
        assert!(LATE.iter().all(|check| !diagnosis.finds(*check)), "{diagnosis:#?}");
        assert_eq!(unchecked(&diagnosis), [], "{diagnosis:#?}");
    }
}

#[tokio::test(start_paused = true)]
async fn each_trouble_that_only_metrics_show_is_found() {
    let bed = Bed::of(under(load(50.0, |load| load.pinned = 0.9)).await, NEVER, false);
    let diagnosis = examined(&bed, false).await;
    assert!(evidence(&diagnosis, CheckId::Pinning).contains("percent of the proxy's connections"));
    let bed = Bed::of(under(load(5.0, |load| load.refused = 0.5)).await, NEVER, false);
    let diagnosis = examined(&bed, false).await;
    assert!(evidence(&diagnosis, CheckId::RefusedLogIns).contains("the proxy refused"));
    // More than the pool takes.
    let bed = Bed::of(under(load(4_000.0, |load| (load.duration, load.busy) = (400.0, 1.0))).await, NEVER, false);
    let diagnosis = examined(&bed, false).await;
    assert!(evidence(&diagnosis, CheckId::BorrowWaits).contains("ms for a connection"));
}

#[tokio::test(start_paused = true)]
async fn the_log_says_why_sessions_are_pinned_and_who_is_refused() {
    let world = under(|world| {
        load(50.0, |load| (load.pinned, load.refused) = (0.9, 0.2))(world);
        world.rds.proxies.get_mut(PROXY).unwrap().debug_logging = true;
    });
    let bed = Bed::of(world.await, NEVER, false);
    let diagnosis = examined(&bed, true).await;
    let why = evidence(&diagnosis, CheckId::Pinning);
    assert!(why.contains("pinned sessions: a statement changed settings of the session"), "{why}");
    let who = evidence(&diagnosis, CheckId::RefusedLogIns);
    assert!(who.contains("refused log-ins with IAM tokens, as ") && who.contains("DBAppFunction"), "{who}");
    // Without debug logging, RDS Proxy does not write who was refused: the hint says how to have it do so.
    bed.gate.account.with(|world| world.rds.proxies.get_mut(PROXY).unwrap().debug_logging = false);
    let diagnosis = examined(&bed, true).await;
    let finding = diagnosis.findings.iter().find(|finding| finding.check == CheckId::RefusedLogIns).unwrap();
    assert!(
        finding.fixes.iter().any(|fix| fix.contains("--debug-logging") && fix.contains("24 hours")),
        "{finding:#?}"
    );
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_and_what_is_not_there_is_unknown_and_never_fine() {
    let world = under(load(50.0, |load| (load.pinned, load.refused) = (0.9, 0.2))).await;
    let bed = Bed::of(world.clone(), NEVER, false);
    restrict(&bed, &[all_but("cloudwatch:GetMetricData")]);
    let diagnosis = examined(&bed, false).await;
    assert_eq!(unchecked(&diagnosis), LATE, "{diagnosis:#?}");
    assert!(diagnosis.unchecked.iter().any(|(_, why)| why.contains("cloudwatch:GetMetricData")), "{diagnosis:#?}");
    // The log alone still shows why.
    let diagnosis = examined(&bed, true).await;
    assert!(evidence(&diagnosis, CheckId::Pinning).contains("a statement changed settings"));
    let bed = Bed::of(with_proxy().await, NEVER, false);
    restrict(&bed, &[all_but("logs:FilterLogEvents")]);
    let diagnosis = examined(&bed, true).await;
    assert!(diagnosis.unchecked.iter().any(|(_, why)| why.contains("logs:FilterLogEvents")), "{diagnosis:#?}");
    // A proxy that was just made has no metrics yet.
    let bed = Bed::of(newcomer(), NEVER, false);
    assert!(matches!(bed.up(&wish(INSTANCE)).await, Fate::Done(_)));
    let diagnosis = examined(&bed, false).await;
    assert!(unchecked(&diagnosis).contains(&CheckId::Pinning), "{diagnosis:#?}");
}

/// Whatever stands in a line where a client or a statement can put it, it comes out nowhere.
#[test]
fn no_value_of_a_log_is_ever_printed() {
    const LINES: [&str; 6] = [
        "[WARN] [proxyEndpoint=CANARY] [clientConnection=1] The client session was pinned to the database connection [dbConnection=CANARY] for \
         the remainder of the session. The proxy can't reuse this connection until the session ends. Reason: SQL changed session \
         settings that the proxy doesn't track. Digest: \"set password = 'CANARY'\".",
        "[WARN] The client session was pinned to the database connection [dbConnection=2] for the remainder of the session. Reason: CANARY",
        "[INFO] Proxy authentication with IAM authentication failed for user \"CANARY\" with TLS on. Reason: CANARY",
        "[INFO] Proxy authentication with CANARY failed for user \"app\" with TLS on. Reason: CANARY",
        "[ERROR] This RDS proxy has no credentials for the role CANARY. Check the credentials for this role and try again.",
        "[DEBUG] INSERT INTO cards VALUES ('CANARY') -- was pinned to the database connection, Timed-out waiting to acquire \
         database connection",
    ];
    let desk = Desk::new();
    let up = desk.run(&["up", "--db", INSTANCE, "--yes", "--timeout", "12h"]);
    assert_eq!(up.code, Some(0), "{up}");
    desk.change(|world| {
        for line in LINES {
            let at = Moment(world.now.0.saturating_sub(1));
            world.logs.write(GROUP, at, line);
        }
        world.tick(Moment(world.now.0 + 3_600_000 / 2));
    });
    for form in ["human", "json"] {
        let shown = desk.run(&["doctor", "--db", INSTANCE, "--logs", "--output", form, "-v"]);
        assert!(shown.stdout.contains("pinned session"), "{shown}");
        assert!(!format!("{shown}").contains("CANARY"), "{shown}");
        if form == "json" {
            let document: Value = serde_json::from_str(&shown.stdout).unwrap();
            assert!(document["findings"].as_array().is_some_and(|found| !found.is_empty()), "{shown}");
        }
    }
}
