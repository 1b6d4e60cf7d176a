//! The engine alone, over a step that follows a script: no account, and one step.

use std::collections::VecDeque;
use std::sync::Mutex;
use std::time::Duration;

use clock::Clock;

use super::*;

/// A procedure of one step, on nothing.
#[derive(Debug)]
enum Script {}

/// The one step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct OnlyStep;

/// What the script refuses with.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the script says {0:?}")]
struct Refusal(Meaning);

impl Procedure for Script {
    type Cloud = ();
    type Id = OnlyStep;
    type Refusal = Refusal;
    type Timeouts = Limit;
    type News = ();

    fn meaning(refusal: &Refusal) -> Meaning {
        refusal.0
    }

    fn code(_: &Refusal) -> Option<&str> {
        None
    }

    fn busy(timeouts: &Limit) -> Limit {
        *timeouts
    }

    fn serving<T>(_: OnlyStep, work: impl Future<Output = T>) -> impl Future<Output = T> {
        work
    }
}

type Answer<T> = Result<T, Refusal>;
type Happened = Event<OnlyStep, ()>;

const LIMIT: Limit = Limit { name: "thing", span: Duration::from_mins(1) };

/// What the thing's field holds, in the words of the script.
type State = &'static str;

/// Wants the field to be `done`, and meets what the script says.
#[derive(Default)]
struct Scripted {
    looks: Mutex<VecDeque<Answer<Observed<State>>>>,
    changes: Mutex<VecDeque<Answer<Observed<State>>>>,
    /// Refusals that pass.
    passing: Vec<Meaning>,
    grace: Option<Duration>,
}

impl Scripted {
    fn new(
        looks: impl IntoIterator<Item = Answer<Observed<State>>>,
        changes: impl IntoIterator<Item = Answer<Observed<State>>>,
    ) -> Self {
        let (looks, changes) = (looks.into_iter().collect(), changes.into_iter().collect());
        Self { looks: Mutex::new(looks), changes: Mutex::new(changes), ..Self::default() }
    }

    fn next(script: &Mutex<VecDeque<Answer<Observed<State>>>>) -> Answer<Observed<State>> {
        let mut script = script.lock().unwrap();
        // The last line of a script goes on for ever.
        if script.len() > 1 { script.pop_front().unwrap() } else { script.front().unwrap().clone() }
    }
}

impl Step<Script> for Scripted {
    type State = State;

    fn id(&self) -> OnlyStep {
        OnlyStep
    }

    fn subject(&self) -> String {
        "thing".to_owned()
    }

    fn doing(&self, change: &Diff) -> String {
        let verb = if *change == Diff::Create { "creating" } else { "changing" };
        format!("{verb} the thing (thing)")
    }

    async fn observe(&self, (): &()) -> Answer<Observed<State>> {
        Self::next(&self.looks)
    }

    fn compare(&self, seen: &Observed<State>) -> Diff {
        match seen {
            Observed::Absent | Observed::Unknown(_) => Diff::Create,
            Observed::Present("done") => Diff::None,
            Observed::Present("theirs") => Diff::Conflict(vec!["it is theirs".to_owned()]),
            Observed::Present("creating") => {
                Diff::Await(Wait { state: "creating".to_owned(), usable: true, grace: self.grace })
            }
            Observed::Present(other) => Diff::Update(vec![(*other).to_owned()]),
        }
    }

    async fn apply(&self, (): &(), _: &Diff, _: Observed<State>) -> Answer<Observed<State>> {
        Self::next(&self.changes)
    }

    fn again(&self, refusal: &Refusal) -> Option<RetryPolicy> {
        self.passing.contains(&refusal.0).then_some(RetryPolicy { limit: LIMIT, pace: PollInterval::Dense, look: true })
    }

    fn wait(&self) -> (Limit, PollInterval) {
        (LIMIT, PollInterval::Seconds)
    }
}

#[expect(clippy::unnecessary_wraps, reason = "a line of a script is an answer")]
fn is(state: State) -> Answer<Observed<State>> {
    Ok(Observed::Present(state))
}

fn no(meaning: Meaning) -> Answer<Observed<State>> {
    Err(Refusal(meaning))
}

/// One run of the engine, and what it reported.
async fn run<T>(work: impl AsyncFnOnce(&Run<'_, Script>) -> T) -> (T, Duration, Vec<Happened>) {
    let (clock, listener, stop) = (Clock::real(), Recorder::default(), StopSign::default());
    let run = Run { cloud: &(), clock: &clock, timeouts: LIMIT, listener: &listener, stop: &stop };
    let outcome = work(&run).await;
    (outcome, clock.elapsed(), listener.events())
}

async fn converge(
    step: &Scripted,
    seen: Observed<State>,
) -> (Result<Observed<State>, StepError<Refusal>>, Duration, Vec<Happened>) {
    run(async |run| run.converge(step, seen, Milestone::Ready).await).await
}

fn ending(events: &[Happened]) -> Option<Ending> {
    events.iter().find_map(|event| match event {
        Event::Ended { ending, .. } => Some(*ending),
        _ => None,
    })
}

#[tokio::test(start_paused = true)]
async fn what_is_in_place_is_neither_looked_at_nor_changed() {
    let (outcome, took, events) = converge(&Scripted::default(), Observed::Present("done")).await;
    assert_eq!(
        (outcome.unwrap(), took, ending(&events)),
        (Observed::Present("done"), Duration::ZERO, Some(Ending::Unchanged))
    );
}

#[tokio::test(start_paused = true)]
async fn what_is_missing_is_made_and_waited_for() {
    let step = Scripted::new([is("creating"), is("creating"), is("done")], [is("creating")]);
    let (outcome, took, events) = converge(&step, Observed::Absent).await;
    assert_eq!((outcome.unwrap(), ending(&events)), (Observed::Present("done"), Some(Ending::Created)));
    assert_eq!(took, Duration::from_secs(3));
    let waits = events.iter().filter(|event| matches!(event, Event::Waiting { .. })).count();
    assert_eq!(waits, 3);
}

#[tokio::test(start_paused = true)]
async fn a_usable_state_is_enough_where_others_go_on_meanwhile() {
    let step = Scripted::new([is("done")], [is("creating")]);
    let (outcome, _, events) = run(async |run| run.converge(&step, Observed::Absent, Milestone::Usable).await).await;
    assert_eq!((outcome.unwrap(), ending(&events)), (Observed::Present("creating"), None));
    let (outcome, _, events) =
        run(async |run| run.finish(&step, Observed::Present("creating"), Ending::Created).await).await;
    assert_eq!((outcome.unwrap(), ending(&events)), (Observed::Present("done"), Some(Ending::Created)));
}

#[tokio::test(start_paused = true)]
async fn a_wait_ends_at_its_limit_and_not_after_it() {
    let step = Scripted::new([is("creating")], []);
    let (outcome, took, events) = converge(&step, Observed::Present("creating")).await;
    let error = outcome.unwrap_err();
    assert!(matches!(&error, StepError::TimedOut { limit, .. } if *limit == LIMIT), "{error:?}");
    assert_eq!(
        (error.to_string().as_str(), took),
        ("changing the thing (thing): still creating after 60 s", LIMIT.span)
    );
    assert_eq!(ending(&events), Some(Ending::Failed));
}

#[tokio::test(start_paused = true)]
async fn a_state_that_does_not_heal_ends_the_wait_at_once_or_after_its_grace() {
    for grace in [Duration::ZERO, Duration::from_secs(5)] {
        let step = Scripted { grace: Some(grace), ..Scripted::new([is("creating")], []) };
        let (outcome, took, _) = converge(&step, Observed::Present("creating")).await;
        assert!(matches!(outcome, Err(StepError::Stuck { .. })), "{outcome:?}");
        assert_eq!(took, grace);
    }
}

#[tokio::test(start_paused = true)]
async fn a_look_that_fails_in_passing_does_not_end_a_wait_and_one_that_is_denied_does() {
    let step = Scripted::new([no(Meaning::Busy), no(Meaning::NoAnswer), is("done")], []);
    assert_eq!(converge(&step, Observed::Present("creating")).await.0.unwrap(), Observed::Present("done"));
    let step = Scripted::new([no(Meaning::Final)], []);
    let (outcome, ..) = converge(&step, Observed::Present("creating")).await;
    assert!(matches!(outcome, Err(StepError::Refused { .. })), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_passes_is_tried_again_after_a_look() {
    let passing = vec![Meaning::NotYet];
    let step = Scripted {
        passing,
        ..Scripted::new([Ok(Observed::Absent)], [no(Meaning::NotYet), no(Meaning::NotYet), is("done")])
    };
    let (outcome, took, events) = converge(&step, Observed::Absent).await;
    assert_eq!((outcome.unwrap(), ending(&events)), (Observed::Present("done"), Some(Ending::Created)));
    assert_eq!(took, Duration::from_millis(750));
    // A change whose answer was lost is found by the look, and not made twice.
    let step = Scripted::new([is("done")], [no(Meaning::Busy), is("twice")]);
    assert_eq!(converge(&step, Observed::Absent).await.0.unwrap(), Observed::Present("done"));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_does_not_pass_ends_the_step_at_once() {
    let step = Scripted::new([Ok(Observed::Absent)], [no(Meaning::Final)]);
    let (outcome, took, _) = converge(&step, Observed::Absent).await;
    assert_eq!(outcome.unwrap_err().to_string(), "creating the thing (thing): the script says Final");
    assert_eq!(took, Duration::ZERO);
}

#[tokio::test(start_paused = true)]
async fn a_refusal_that_never_passes_ends_with_what_was_said() {
    let passing = vec![Meaning::NotYet];
    let step = Scripted { passing, ..Scripted::new([Ok(Observed::Absent)], [no(Meaning::NotYet)]) };
    let (outcome, took, _) = converge(&step, Observed::Absent).await;
    assert!(matches!(outcome, Err(StepError::Refused { .. })), "{outcome:?}");
    assert_eq!(took, LIMIT.span);
}

#[tokio::test(start_paused = true)]
async fn what_someone_changes_back_each_time_is_not_written_for_ever() {
    let step = Scripted::new([is("changed back")], [is("changed back")]);
    let (outcome, ..) = converge(&step, Observed::Present("changed back")).await;
    assert!(matches!(&outcome, Err(StepError::Undone { fields, .. }) if fields == &["changed back"]), "{outcome:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_not_ours_stops_before_any_change() {
    let (outcome, ..) = converge(&Scripted::default(), Observed::Present("theirs")).await;
    assert_eq!(outcome.unwrap_err().to_string(), "changing the thing (thing): it is theirs");
}

#[tokio::test(start_paused = true)]
async fn an_interrupt_and_the_failure_of_another_step_end_a_wait_at_once() {
    for interrupt in [true, false] {
        let step = Scripted::new([is("creating")], []);
        let ((outcome, ()), took, events) = run(async |run| {
            let stopping = async {
                tokio::time::sleep(Duration::from_millis(2_500)).await;
                if interrupt { run.stop.interrupt() } else { run.stop.fail() }
            };
            tokio::join!(run.converge(&step, Observed::Present("creating"), Milestone::Ready), stopping)
        })
        .await;
        let fits = if interrupt {
            matches!(outcome, Err(StepError::Interrupted))
        } else {
            matches!(outcome, Err(StepError::Abandoned))
        };
        assert!(fits, "{outcome:?}");
        assert_eq!((took, ending(&events)), (Duration::from_millis(2_500), None));
    }
}

fn poll<'a>(run: &Run<'_, Script>, row: Row<'a, OnlyStep>) -> Poll<'a, Script> {
    Poll::begin(run, row, "doing a thing (thing)", LIMIT, PollInterval::Seconds)
}

#[tokio::test(start_paused = true)]
async fn the_pace_is_that_of_the_questions() {
    let ((), took, events) = run(async |run| {
        let poll = poll(run, Row::Aside("test"));
        let asked = run.clock.elapsed();
        // An answer that takes most of a second leaves the rest of it, and one that takes longer a short rest.
        tokio::time::sleep(Duration::from_millis(700)).await;
        poll.rest_after(run, "on its way", asked).await.unwrap();
        assert_eq!(run.clock.elapsed().saturating_sub(asked), Duration::from_secs(1));
        let asked = run.clock.elapsed();
        tokio::time::sleep(Duration::from_secs(9)).await;
        poll.rest_after(run, "on its way", asked).await.unwrap();
    })
    .await;
    assert_eq!(took, Duration::from_millis(10_100));
    assert!(
        events.iter().all(|event| matches!(event, Event::Aside { wait: Some((_, limit)), .. } if *limit == LIMIT.span))
    );
}

#[tokio::test(start_paused = true)]
async fn a_wait_whose_end_is_no_error_says_so() {
    let (rests, took, events) = run(async |run| {
        let (poll, mut rests) = (poll(run, Row::Hidden), 0);
        while poll.may_rest(run, "", run.clock.elapsed()).await.unwrap() {
            rests += 1;
        }
        rests
    })
    .await;
    assert_eq!((rests, took, events.len()), (60, LIMIT.span, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_in_use_is_tried_until_it_is_not_and_says_by_what() {
    let tries = Mutex::new(0);
    let (outcome, took, events) = run(async |run| {
        let call = async || {
            *tries.lock().unwrap() += 1;
            if *tries.lock().unwrap() < 4 { Err(Refusal(Meaning::InUse)) } else { Ok(()) }
        };
        poll(run, Row::Step(OnlyStep)).insist_on(run, call, async || "in use by others".to_owned()).await
    })
    .await;
    outcome.unwrap();
    assert_eq!((took, events.len()), (Duration::from_secs(3), 3));
    assert!(events.iter().all(|event| matches!(event, Event::Waiting { state, .. } if state == "in use by others")));
}

#[tokio::test(start_paused = true)]
async fn what_must_be_done_is_done_also_after_an_interrupt() {
    let (rested, took, _) = run(async |run| {
        run.stop.interrupt();
        let poll = poll(run, Row::Hidden);
        assert!(matches!(poll.rest(run, "").await, Err(StepError::Interrupted)));
        poll.rest_regardless(run, "").await
    })
    .await;
    assert_eq!((rested, took), (true, Duration::from_secs(1)));
}
