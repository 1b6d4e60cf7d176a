//! `up --canary`: its flags, its question, and what came of it.

use std::io::IsTerminal as _;
use std::pin::Pin;
use std::time::Duration;

use documents::{CanaryPlan, UpCanary, Version};
use judge::Judgement;
use judge::waves::{self, Reached, Share};

use super::interrupt::{blocking, ctrl_c, stop_sign};
use super::session::{Session, command};
use crate::canary::memory::Memory;
use crate::canary::{AliasShare, Decider, Decision, Ending, Stand, Walk, Wave};
use crate::cli::{Canary, Global};
use crate::discover::hosts::HostKind;
use crate::error::Failure;
use crate::exit::Exit;
use crate::plain::counted;
use crate::report;
use crate::shell::quoted;
use crate::spec::{self, AliasWeight, SpecError};
use crate::survey::Survey;

/// What the flags ask for.
pub(super) fn settings(args: &Canary) -> Result<Option<spec::Canary>, SpecError> {
    if !args.canary {
        return Ok(None);
    }
    let first = args.canary_function.as_deref();
    spec::canary(&args.waves, &args.soak, first, &args.alias_weight, args.on_unknown).map(Some)
}

/// The flags that ask for the same again, each with a space before it; where nobody was asked for waves, none.
pub(super) fn flags(wanted: Option<&spec::Canary>) -> String {
    let Some(canary) = wanted else { return String::new() };
    let default = spec::Canary::default();
    let mut flags = " --canary".to_owned();
    if canary.waves != default.waves {
        flags.push_str(&format!(" --waves {}", quoted(&canary.shares())));
    }
    if canary.soak != default.soak {
        flags.push_str(&format!(" --soak {}s", canary.soak.as_secs()));
    }
    if let Some(first) = &canary.first {
        flags.push_str(&format!(" --canary-function {}", quoted(first)));
    }
    if canary.alias_weight != default.alias_weight {
        flags.push_str(&format!(" --alias-weight {}", canary.alias_weight));
    }
    flags
}

/// The function that is to move first must be one that moves.
pub(super) fn check(survey: &Survey) -> Result<(), Failure> {
    let Some(first) = survey.spec.canary.as_ref().and_then(|canary| canary.first.as_ref()) else { return Ok(()) };
    let names: Vec<&str> = survey.functions.iter().map(|found| found.function.name.as_str()).collect();
    if names.contains(&first.as_str()) {
        return Ok(());
    }
    Err(Failure::new(
        Exit::Decide,
        format!("choosing the first function ({first}): it is not among those that use the database"),
        [format!("Nothing was changed. These are: {}.", names.join(", "))],
    ))
}

/// What the plan says of the waves.
pub(super) fn plan(survey: &Survey) -> String {
    let Some(canary) = &survey.spec.canary else { return String::new() };
    let split = canary.alias_weight != AliasWeight::Percent(100) && survey.frozen.iter().any(|one| one.whole.is_none());
    let aliases = match canary.alias_weight {
        _ if !split => String::new(),
        AliasWeight::ByTraffic => {
            " Of an alias, a share of the calls moves first, by its traffic 10 %, 25 % or 50 %, and the rest once that is not worse."
                .to_owned()
        }
        AliasWeight::Percent(percent) => {
            format!(" Of an alias, {percent} % of the calls move first, and the rest once that is not worse.")
        }
    };
    let text = format!(
        "\nStep 13 moves the functions in waves: {}. After each, CloudWatch must show {} of data.{aliases} Where functions are \
         worse off, everything that this run moved uses the database again.\n",
        canary.shares().replace(',', ", "),
        span(canary.soak)
    );
    report::sentence(&text)
}

/// A span in words.
fn span(span: Duration) -> String {
    let (count, unit) = match span.as_secs() {
        seconds if seconds % 60 == 0 => (seconds / 60, "minute"),
        seconds => (seconds, "second"),
    };
    counted(usize::try_from(count).unwrap_or(usize::MAX), unit)
}

/// The same for programs.
pub(super) fn plan_document(survey: &Survey) -> Option<CanaryPlan> {
    survey.spec.canary.as_ref().map(|canary| CanaryPlan {
        waves: canary.shares(),
        soak_seconds: canary.soak.as_secs(),
        first: canary.first.clone(),
        alias_weight: canary.alias_weight.to_string(),
    })
}

/// Somebody at a terminal.
pub(super) struct Terminal {
    /// Whether questions of the program are put: `--yes` says that nobody is to be asked.
    asks: bool,
    /// Whether somebody who presses Ctrl-C is asked: a person is there, whatever the flags say.
    answers: bool,
}

impl Terminal {
    pub(super) fn of(global: &Global) -> Self {
        let reads = report::unattended().is_none();
        Self { asks: !global.yes && reads, answers: reads && std::io::stderr().is_terminal() }
    }
}

impl Decider for Terminal {
    fn decide<'a>(&'a self, wave: &'a Wave) -> Pin<Box<dyn Future<Output = Decision> + 'a>> {
        Box::pin(async move {
            if !self.asks {
                return Decision::Stop;
            }
            let question = "Go on, stop here and keep what has moved, or point it back? [continue/stop/back]";
            let stops = async {
                tokio::select! {
                    () = ctrl_c() => {}
                    () = stop_sign().interrupted() => {}
                }
            };
            put(&report::wave_text(wave), question, stops).await
        })
    }

    fn interrupts(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        if self.answers { Box::pin(ctrl_c()) } else { Box::pin(std::future::pending()) }
    }

    fn interrupted<'a>(&'a self, stand: &'a Stand) -> Pin<Box<dyn Future<Output = Decision> + 'a>> {
        let stops = stop_sign().interrupted();
        Box::pin(async move { put(&report::stand_text(stand), "What now? [continue/stop/back]", stops).await })
    }
}

/// Puts a question below a text; where `stops` comes first, the answer is to stop.
async fn put(text: &str, question: &'static str, stops: impl Future<Output = ()>) -> Decision {
    /// Lets the rows go on also where nobody waits for the answer any more.
    struct Resumes {
        answered: bool,
    }
    impl Drop for Resumes {
        fn drop(&mut self) {
            if !self.answered {
                // The line of the question is open.
                report::say("");
            }
            report::pause(false);
        }
    }
    report::pause(true);
    report::say(&format!("\n{text}"));
    report::forget_typed();
    let mut resumes = Resumes { answered: false };
    tokio::select! {
        decision = asked(question) => {
            resumes.answered = true;
            decision
        }
        () = stops => Decision::Stop,
    }
}

async fn asked(question: &'static str) -> Decision {
    loop {
        // A question that cannot be put leaves everything as it is.
        let answer = blocking(move || report::ask(question)).await.unwrap_or_default();
        match answer.as_deref() {
            Some("continue" | "c") => return Decision::Continue,
            Some("stop" | "s") | None => return Decision::Stop,
            Some("back" | "b") => return Decision::Back,
            Some(_) => report::say("Please answer continue, stop or back."),
        }
    }
}

/// How the program ends.
pub(super) fn exit(walk: &Walk) -> Exit {
    match walk.ending {
        Ending::Complete => Exit::Done,
        Ending::Worse => Exit::Worse,
        Ending::Unknown | Ending::WentBack => Exit::Unjudged,
    }
}

/// Shows how a canary ended before its end: what was seen, what stands now, and the ways on.
pub(super) fn show_end(global: &Global, session: &Session, survey: &Survey, walk: &Walk) -> Exit {
    let exit = exit(walk);
    let of = |verb: &str| command(global, verb, &survey.database.id, &survey.names.stack);
    let again = of("up") + &flags(survey.spec.canary.as_ref());
    let (headline, mut hints) = ended(walk);
    let mut next = Vec::new();
    match walk.ending {
        Ending::Worse | Ending::WentBack => {
            next.push((of("doctor"), "see what is wrong, and why"));
            next.push((again, "try again, once that is fixed"));
            next.push((of("teardown"), "delete the proxy"));
        }
        Ending::Unknown | Ending::Complete => {
            next.push((again.clone(), "go on with the waves"));
            next.push((format!("{again} --on-unknown continue"), "go on although it is unknown"));
            if !walk.moved.is_empty() {
                next.push((of("restore"), "point the functions back at the database at once"));
            }
        }
    }
    let document = || UpCanary {
        schema: Version,
        proxy: survey.names.stack.clone(),
        database: survey.database.id.clone(),
        canary: report::canary(walk),
        next: next.iter().map(|(line, _)| line.clone()).collect(),
        exit_code: exit.code(),
    };
    if !report::outcome(session.json, document) {
        for wave in &walk.waves {
            report::result(&format!("{}\n", report::wave_text(wave)));
        }
        report::result(&report::next(&next));
    }
    hints.retain(|hint| !hint.is_empty());
    report::failure(session.json, &headline, &hints, None);
    exit
}

fn ended(walk: &Walk) -> (String, Vec<String>) {
    let last = walk.waves.last();
    let moved = match walk.moved.as_slice() {
        [] => "No function is at the proxy.".to_owned(),
        names => {
            let shares = report::shares("with", &walk.aliases);
            format!("At the proxy, and staying there: {}{shares}.", names.join(", "))
        }
    };
    match walk.ending {
        Ending::Worse => {
            let found = match last.map(|wave| &wave.judgement) {
                Some(Judgement::Worse { found, .. }) => found.as_slice(),
                _ => &[],
            };
            let seen: Vec<String> = found.iter().map(report::seen).collect();
            let back = format!("These use the database again: {}.", walk.back.join(", "));
            let proxy = "The proxy stays for the next try.".to_owned();
            let headline = format!("watching the functions at the proxy: worse than before: {}", seen.join("; "));
            (headline, vec![back, moved, proxy])
        }
        Ending::WentBack => {
            let back = format!("These use the database again: {}.", walk.back.join(", "));
            let proxy = "The proxy stays for the next try.".to_owned();
            ("watching the functions at the proxy: you chose to point them back".to_owned(), vec![back, moved, proxy])
        }
        Ending::Unknown | Ending::Complete => {
            let why: Vec<String> = match last.map(|wave| &wave.judgement) {
                Some(Judgement::Unknown { gaps }) => {
                    gaps.iter().map(|gap| format!("{}, {}: {}", gap.subject, gap.measure.name(), gap.why)).collect()
                }
                _ => Vec::new(),
            };
            let left = match walk.left.as_slice() {
                [] => "No function is left to move.".to_owned(),
                names => format!("Not moved: {}.", names.join(", ")),
            };
            let headline = format!(
                "watching the functions at the proxy: whether they are worse off is unknown: {}",
                why.join("; ")
            );
            (headline, vec![moved, left])
        }
    }
}

/// How far a canary is that is not complete.
pub(super) struct Progress {
    pub(super) at_proxy: usize,
    pub(super) functions: usize,
    /// How far its waves are, where the proxy remembers them.
    pub(super) reached: Option<Reached>,
    /// These waves; none where it does not.
    waves: Vec<Share>,
    /// The aliases that send only a share of their calls there.
    pub(super) aliases: Vec<AliasShare>,
}

/// How far a canary is, where one is not complete.
pub(super) fn progress(survey: &Survey) -> Option<Progress> {
    let proxy = survey.seen.proxy.present()?;
    let begun = Memory::of(&proxy.proxy.arn, &proxy.tags).canary()?;
    let at_proxy = survey.functions.iter().filter(|found| !found.holding(HostKind::is_ours).is_empty()).count();
    let functions = survey.functions.len();
    let reached = waves::reached(&begun.waves, begun.before, at_proxy, functions);
    let reached = (!begun.waves.is_empty()).then_some(reached);
    let aliases = survey.frozen.iter().filter_map(|frozen| {
        let percent = u8::try_from(frozen.alias.split.as_ref()?.thousandths / 10).ok()?;
        Some(AliasShare { function: frozen.function.clone(), alias: frozen.alias.name.clone(), percent })
    });
    let aliases = aliases.collect();
    (at_proxy > begun.before).then_some(Progress { at_proxy, functions, reached, waves: begun.waves, aliases })
}

impl Progress {
    /// The flags that go on with it.
    pub(super) fn flags(&self) -> String {
        let default = spec::Canary::default();
        let waves = if self.waves.is_empty() { default.waves.clone() } else { self.waves.clone() };
        flags(Some(&spec::Canary { waves, ..default }))
    }

    /// What is said of it.
    pub(super) fn text(&self) -> String {
        let Self { at_proxy, functions, reached, aliases, .. } = self;
        let wave = match reached {
            Some(Reached { wave, of, whole: true }) if aliases.is_empty() => {
                format!("wave {wave} of {of} has moved and is still to be judged; ")
            }
            Some(Reached { wave, of, .. }) => format!("it was moving wave {wave} of {of}; "),
            None => String::new(),
        };
        let shares = report::shares("with only", aliases);
        format!("A canary is not complete: {wave}{at_proxy} of {functions} functions are at the proxy{shares}.")
    }
}
