//! Step 13 in waves: a few functions first, and on only where CloudWatch shows that they are not worse off.
//!
//! What is worse is decided by `crates/judge`; this module moves, waits, reads and goes back. A run that is killed
//! leaves functions at the database or at a proxy that works, and a tag of the proxy says that a canary is not complete
//! ([`memory`]). Somebody who interrupts the watch over a wave is asked ([`watch`]). An alias sends a share of its
//! calls to the proxy first ([`split`]), and the wave is judged twice: with the share, and with all of them.

mod back;
mod evidence;
pub mod memory;
mod soak;
mod split;
mod watch;

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use judge::waves::{self, Candidate};
use judge::{Gap, Judgement, Measure, Subject};

use self::evidence::Reader;
use self::memory::Memory;
use crate::discover::FunctionUse;
use crate::discover::hosts::HostKind;
use crate::discover::releases::Frozen;
use crate::engine::event::{Event, WaveEvent, WaveState};
use crate::engine::{Milestone, Observed, Run, StepError};
use crate::resources::release::Move;
use crate::resources::repoint::Repoint;
use crate::spec::{Canary, OnUnknown};
use crate::survey::Survey;

pub use crate::engine::event::AliasShare;

/// How far back the time before the change goes.
pub const BASELINE: Duration = Duration::from_hours(1);

/// What to do where the answer is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// Go on with the next wave.
    Continue,
    /// Stop; what has moved stays.
    Stop,
    /// Point everything that this run moved back at the database.
    Back,
}

/// Somebody who decides where the answer is open, and who may interrupt the watch over a wave.
pub trait Decider: Sync {
    /// Asks.
    fn decide<'a>(&'a self, wave: &'a Wave) -> Pin<Box<dyn Future<Output = Decision> + 'a>>;

    /// Returns once somebody interrupts the watch. Where nobody can, it never does.
    fn interrupts(&self) -> Pin<Box<dyn Future<Output = ()> + '_>> {
        Box::pin(std::future::pending())
    }

    /// Asks somebody who interrupted the watch what is to become of the run.
    fn interrupted<'a>(&'a self, _stand: &'a Stand) -> Pin<Box<dyn Future<Output = Decision> + 'a>> {
        Box::pin(std::future::ready(Decision::Stop))
    }
}

/// How a canary stands while a wave is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stand {
    /// The number of the wave, 0 for what an earlier run moved.
    pub number: usize,
    /// How many waves there are.
    pub of: usize,
    /// The functions at the proxy.
    pub moved: Vec<String>,
    /// The functions that are still to move.
    pub left: Vec<String>,
    /// Those at the proxy that go back with this canary.
    pub back: Vec<String>,
    /// The aliases of them that send only a share of their calls there.
    pub aliases: Vec<AliasShare>,
}

/// Nobody: the run stops.
#[derive(Debug, Clone, Copy)]
pub struct Nobody;

impl Decider for Nobody {
    fn decide<'a>(&'a self, _wave: &'a Wave) -> Pin<Box<dyn Future<Output = Decision> + 'a>> {
        Box::pin(std::future::ready(Decision::Stop))
    }
}

/// A wave that was judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Wave {
    /// Its number, from 1; 0 for what an earlier run moved, and for a look before anything moves.
    pub number: usize,
    /// How many waves there are.
    pub of: usize,
    /// The functions that it moved.
    pub functions: Vec<String>,
    /// The aliases of them that sent only a share of their calls to the proxy, while it was watched.
    pub aliases: Vec<AliasShare>,
    /// What came of it.
    pub judgement: Judgement,
}

/// How a canary ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// Every function has moved, and no wave was worse.
    Complete,
    /// Something was worse, and what this run moved uses the database again.
    Worse,
    /// The answer was open, and the run stopped; what has moved stays.
    Unknown,
    /// Somebody chose to go back.
    WentBack,
}

/// What became of a canary.
#[derive(Debug, Clone, PartialEq)]
pub struct Walk {
    /// How it ended.
    pub ending: Ending,
    /// The waves that were judged, in order.
    pub waves: Vec<Wave>,
    /// The functions that went back.
    pub back: Vec<String>,
    /// The functions at the proxy.
    pub moved: Vec<String>,
    /// The functions that are still to move.
    pub left: Vec<String>,
    /// The aliases that send only a share of their calls to the proxy.
    pub aliases: Vec<AliasShare>,
}

/// What step 13 in waves works with.
pub(crate) struct Cutover<'a> {
    pub(crate) survey: &'a Survey,
    pub(crate) canary: &'a Canary,
    pub(crate) repoint: &'a Repoint<'a>,
    pub(crate) functions: Vec<FunctionUse>,
    /// The proxy as it is now: its ARN and its tags.
    pub(crate) memory: Memory,
}

/// What came of a wave, for those who go on.
enum Verdict {
    On,
    End(Ending),
}

/// A canary under way.
struct Way<'a> {
    run: &'a Run<'a>,
    cut: &'a Cutover<'a>,
    decider: &'a dyn Decider,
    reader: Reader<'a>,
    /// When each function that this canary moved was moved, in seconds since 1970: its time before ends there.
    moved: BTreeMap<String, i64>,
    /// The same in waves, oldest first: the way back.
    order: Vec<Vec<String>>,
    /// The shares of aliases that do not move whole.
    shares: BTreeMap<String, u8>,
    /// The aliases that send such a share now.
    split: Vec<Move>,
    walk: Walk,
}

/// Points the functions at the proxy, wave by wave.
///
/// # Errors
/// When AWS refuses a change, a wait times out, or the run is stopped: what has moved stays.
pub(crate) async fn carry_out(run: &Run<'_>, mut cut: Cutover<'_>, decider: &dyn Decider) -> Result<Walk, StepError> {
    let functions = std::mem::take(&mut cut.functions);
    let is_there = |found: &&FunctionUse| !found.holding(HostKind::is_ours).is_empty();
    let (left, rest): (Vec<FunctionUse>, Vec<FunctionUse>) =
        functions.into_iter().partition(|found| cut.is_to_move(found));
    let there: Vec<String> = rest.iter().filter(is_there).map(|found| found.function.name.clone()).collect();
    let memory = cut.memory.clone();
    let begun = there.len() + left.iter().filter(|found| cut.is_half_way(found)).count();
    let resumed = memory.canary().filter(|canary| begun > canary.before);
    let walk = Walk {
        ending: Ending::Complete,
        waves: Vec::new(),
        back: Vec::new(),
        moved: there.clone(),
        left: names(&left),
        aliases: Vec::new(),
    };
    if left.is_empty() && resumed.is_none() {
        // Nothing to move: as without waves.
        run.converge(cut.repoint, Observed::Present(rest), Milestone::Ready).await?;
        if memory.canary().is_some() {
            memory.clear(run).await?;
        }
        return Ok(walk);
    }
    let reader = Reader { cloud: run.cloud, proxy: &cut.survey.names.stack };
    let (shares, split) = (BTreeMap::new(), Vec::new());
    let mut way =
        Way { run, cut: &cut, decider, reader, moved: BTreeMap::new(), order: Vec::new(), shares, split, walk };
    let ending = way.walk(left, &there, resumed, &memory).await?;
    way.walk.ending = ending;
    way.walk.aliases = way.aliases();
    if ending != Ending::Unknown {
        memory.clear(run).await?;
    }
    Ok(way.walk)
}

impl Cutover<'_> {
    /// Whether anything of a function would move.
    fn is_to_move(&self, found: &FunctionUse) -> bool {
        let frozen = self.survey.frozen.iter().any(|frozen| frozen.function == found.function.name);
        frozen || !self.repoint.edit(found).names.is_empty()
    }

    /// Whether an alias of a function sends a share of its calls to the proxy: an earlier run of the canary was there.
    fn is_half_way(&self, found: &FunctionUse) -> bool {
        let mut of_it = self.survey.frozen.iter().filter(|frozen| frozen.function == found.function.name);
        of_it.any(|frozen| frozen.alias.split.is_some())
    }
}

impl Way<'_> {
    async fn walk(
        &mut self,
        left: Vec<FunctionUse>,
        there: &[String],
        resumed: Option<memory::Begun>,
        memory: &Memory,
    ) -> Result<Ending, StepError> {
        let is_half_way = |found: &FunctionUse| resumed.is_some() && self.cut.is_half_way(found);
        let (half, left): (Vec<FunctionUse>, Vec<FunctionUse>) = left.into_iter().partition(is_half_way);
        let order = match self.ordered(&left).await {
            Ok(order) => order,
            Err(gap) => {
                // Before anything moves: what cannot be read now will not be readable then.
                let judgement = Judgement::Unknown { gaps: vec![gap] };
                if let Verdict::End(ending) = self.judged(0, 0, Vec::new(), judgement).await? {
                    return Ok(ending);
                }
                waves::order(&candidates(&left, &BTreeMap::new()), self.cut.canary.first.as_deref())
            }
        };
        let begun = [there, &names(&half)].concat();
        let waves = waves::divide(&order, begun.len(), &self.cut.canary.waves);
        // Its waves are those of this run, also where an earlier one began it.
        let asked = self.cut.canary.waves.clone();
        let (since, before) = resumed.as_ref().map_or_else(|| (self.now(), there.len()), |one| (one.since, one.before));
        memory.keep(self.run, &memory::Begun { since, before, waves: asked }).await?;
        let of = waves.len();
        if let Some(canary) = resumed {
            // Of a canary that began without any, all are its own; and so is who is half way.
            self.order.push(if canary.before == 0 { begun.clone() } else { names(&half) });
            self.moved.extend(begun.iter().map(|name| (name.clone(), since)));
            if let Verdict::End(ending) = self.wave(0, of, half, begun).await? {
                return Ok(ending);
            }
        }
        for (place, names) in waves.into_iter().enumerate() {
            let wave: Vec<FunctionUse> =
                left.iter().filter(|found| names.contains(&found.function.name)).cloned().collect();
            // Their time before ends with the call that moves them.
            let now = self.now();
            self.order.push(names.clone());
            self.moved.extend(names.iter().map(|name| (name.clone(), now)));
            if let Verdict::End(ending) = self.wave(place + 1, of, wave, names).await? {
                return Ok(ending);
            }
        }
        Ok(Ending::Complete)
    }

    /// Moves a wave and watches it: where aliases send a share of their calls first, with that share, and then with all
    /// of them.
    async fn wave(
        &mut self,
        number: usize,
        of: usize,
        wave: Vec<FunctionUse>,
        functions: Vec<String>,
    ) -> Result<Verdict, StepError> {
        if !wave.is_empty() {
            let moving = names(&wave);
            self.note(number, of, &functions, WaveState::Moving);
            self.shift(wave).await?;
            self.walk.left.retain(|name| !moving.contains(name));
            self.walk.moved.extend(moving);
        }
        if !self.split.is_empty() {
            if let Verdict::End(ending) = self.watch(number, of, functions.clone()).await? {
                return Ok(Verdict::End(ending));
            }
            self.note(number, of, &functions, WaveState::Completing);
            self.complete().await?;
        }
        self.watch(number, of, functions).await
    }

    fn now(&self) -> i64 {
        self.run.cloud.metrics.now()
    }

    /// The functions in the order in which they move; the shares of their aliases follow from the same look.
    async fn ordered(&mut self, left: &[FunctionUse]) -> Result<Vec<String>, Gap> {
        let (survey, canary) = (self.cut.survey, self.cut.canary);
        let read = self.reader.traffic(&names(left), &survey.frozen, self.now()).await;
        let calls = read.as_ref().ok().map(|traffic| &traffic.aliases);
        self.shares = split::shares(&survey.frozen, canary.alias_weight, calls, (BASELINE, canary.soak));
        let traffic = read.map_err(|refusal| Gap {
            subject: Subject::Proxy,
            measure: Measure::Invocations,
            why: format!("CloudWatch could not be read: {refusal}"),
            passes: refusal.passes(),
        })?;
        Ok(waves::order(&candidates(left, &traffic.functions), canary.first.as_deref()))
    }

    /// Points one wave at the proxy, its aliases too.
    async fn shift(&mut self, wave: Vec<FunctionUse>) -> Result<(), StepError> {
        let survey = self.cut.survey;
        let names = names(&wave);
        let part = self.cut.repoint.only(&wave);
        self.run.converge(&part, Observed::Present(wave.clone()), Milestone::Ready).await?;
        let frozen: Vec<_> = survey.frozen.iter().filter(|frozen| names.contains(&frozen.function)).cloned().collect();
        if frozen.is_empty() {
            return Ok(());
        }
        let release = survey.release_of(&frozen, self.shares.clone());
        let there = self.run.converge(&release, Observed::Present(release.start()), Milestone::Ready).await?;
        let is_split = |on_its_way: &&Move| self.shares.contains_key(&on_its_way.frozen.label());
        self.split = there.present().into_iter().flatten().filter(is_split).cloned().collect();
        Ok(())
    }

    /// Sends all calls of the aliases to the proxy that sent a share.
    async fn complete(&mut self) -> Result<(), StepError> {
        let moves = std::mem::take(&mut self.split).into_iter();
        let moves: Vec<Move> = moves.map(|one| Move { sent: false, moved: false, ..one }).collect();
        let frozen: Vec<Frozen> = moves.iter().map(|one| one.frozen.clone()).collect();
        let release = self.cut.survey.release_of(&frozen, BTreeMap::new());
        self.run.converge(&release, Observed::Present(moves), Milestone::Ready).await?;
        Ok(())
    }

    /// The aliases that send only a share of their calls to the proxy now.
    fn aliases(&self) -> Vec<AliasShare> {
        let one = |Move { frozen, .. }: &Move| {
            let percent = *self.shares.get(&frozen.label())?;
            Some(AliasShare { function: frozen.function.clone(), alias: frozen.alias.name.clone(), percent })
        };
        self.split.iter().filter_map(one).collect()
    }

    /// Watches a wave, and says whether the next may go.
    async fn watch(&mut self, number: usize, of: usize, names: Vec<String>) -> Result<Verdict, StepError> {
        self.note(number, of, &names, WaveState::Watching);
        if let Some(judgement) = watch::judged(self, number, of, &names).await? {
            return self.judged(number, of, names, judgement).await;
        }
        self.go_back().await?;
        Ok(Verdict::End(Ending::WentBack))
    }

    async fn judged(
        &mut self,
        number: usize,
        of: usize,
        functions: Vec<String>,
        judgement: Judgement,
    ) -> Result<Verdict, StepError> {
        self.note(number, of, &functions, state_after(&judgement));
        let wave = Wave { number, of, functions, aliases: self.aliases(), judgement };
        let verdict = match &wave.judgement {
            Judgement::NotWorse { .. } => Verdict::On,
            Judgement::Worse { .. } => Verdict::End(Ending::Worse),
            Judgement::Unknown { .. } => {
                let decision = match self.cut.canary.on_unknown {
                    OnUnknown::Continue => Decision::Continue,
                    OnUnknown::Stop => Decision::Stop,
                    OnUnknown::Ask => self.decider.decide(&wave).await,
                };
                match decision {
                    Decision::Continue => Verdict::On,
                    Decision::Stop => Verdict::End(Ending::Unknown),
                    Decision::Back => Verdict::End(Ending::WentBack),
                }
            }
        };
        self.walk.waves.push(wave);
        if let Verdict::End(Ending::Worse | Ending::WentBack) = verdict {
            self.go_back().await?;
        }
        Ok(verdict)
    }

    /// Points everything that this canary moved back at the database.
    async fn go_back(&mut self) -> Result<(), StepError> {
        let back = back::carry_out(self.run, self.cut.survey, &self.order).await?;
        self.walk.moved.retain(|name| !back.contains(name));
        self.walk.left.extend(back.iter().cloned());
        self.walk.left.sort();
        self.walk.back = back;
        self.split.clear();
        Ok(())
    }

    fn stand(&self, number: usize, of: usize) -> Stand {
        let (moved, left) = (self.walk.moved.clone(), self.walk.left.clone());
        Stand { number, of, moved, left, back: self.order.concat(), aliases: self.aliases() }
    }

    fn note(&self, number: usize, of: usize, functions: &[String], state: WaveState) {
        let aliases = self.aliases();
        self.run.tell(&Event::Other(WaveEvent { number, of, functions: functions.to_vec(), aliases, state }));
    }
}

fn names(functions: &[FunctionUse]) -> Vec<String> {
    functions.iter().map(|found| found.function.name.clone()).collect()
}

fn state_after(judgement: &Judgement) -> WaveState {
    match judgement {
        Judgement::Worse { .. } => WaveState::Worse,
        Judgement::NotWorse { .. } => WaveState::NotWorse,
        Judgement::Unknown { .. } => WaveState::Unknown,
    }
}

fn candidates(left: &[FunctionUse], traffic: &BTreeMap<String, u64>) -> Vec<Candidate> {
    let of = |found: &FunctionUse| {
        let name = found.function.name.clone();
        Candidate { traffic: traffic.get(&name).copied(), name }
    };
    left.iter().map(of).collect()
}
