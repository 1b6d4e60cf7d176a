//! What several documents have in common, made from what the program knows.

use documents::{
    AliasShare, Canary, CanaryEnding, Change, ChangeAction, Part, Probe, ProbeLogin, Severity, Stage, Step, StepState,
    Variable, WaveState,
};

use crate::canary::{self, Walk};
use crate::catalogue::checks;
use crate::doctor::Finding;
use crate::doctor::path::{Aspect, Standing};
use crate::engine::event;
use crate::plan::{Entry, Redirect, Verdict};
use crate::probe::{How, Proof};
use crate::resources::Line;

/// The findings of a diagnosis.
#[must_use]
pub fn findings(findings: &[Finding]) -> Vec<documents::Finding> {
    let one = |finding: &Finding| {
        let info = finding.check.info();
        documents::Finding {
            id: info.name(),
            severity: match finding.severity {
                checks::Severity::Notice => Severity::Notice,
                checks::Severity::Warning => Severity::Warning,
                checks::Severity::Error => Severity::Error,
            },
            title: info.title.to_owned(),
            evidence: finding.evidence.clone(),
            cause: info.cause.to_owned(),
            fix: finding.fixes.clone(),
            see: info.url(),
        }
    };
    findings.iter().map(one).collect()
}

/// The steps of a plan or of a status.
#[must_use]
pub fn steps(entries: &[Entry]) -> Vec<Step> {
    let one = |entry: &Entry| {
        let (state, because) = state(&entry.verdict);
        let info = entry.step.info();
        Step {
            step: info.number,
            slug: info.slug.to_owned(),
            title: info.title.to_owned(),
            state,
            because,
            subject: entry.subject.clone(),
            details: entry.details.clone(),
            variables: variables(&entry.redirects),
        }
    };
    entries.iter().map(one).collect()
}

fn state(verdict: &Verdict) -> (StepState, Vec<String>) {
    match verdict {
        Verdict::InPlace => (StepState::InPlace, Vec::new()),
        Verdict::Create => (StepState::Create, Vec::new()),
        Verdict::Update(reasons) => (StepState::Update, reasons.clone()),
        Verdict::Remove => (StepState::Remove, Vec::new()),
        Verdict::Await(why) => (StepState::Waiting, vec![why.clone()]),
        Verdict::Conflict(reasons) => (StepState::Conflict, reasons.clone()),
        Verdict::NotNeeded(why) => (StepState::NotNeeded, vec![why.clone()]),
        Verdict::Unknown(why) => (StepState::NotChecked, vec![why.clone()]),
    }
}

fn variables(redirects: &[Redirect]) -> Vec<Variable> {
    let one = |Redirect { function, variable, from, to }: &Redirect| Variable {
        function: function.clone(),
        variable: variable.clone(),
        from: from.clone(),
        to: to.clone(),
    };
    redirects.iter().map(one).collect()
}

/// The lines of a removal: a function whose variables are restored is not deleted.
#[must_use]
pub fn removal(lines: &[Line]) -> Vec<Change> {
    let one = |line: &Line| Change {
        resource: line.what.clone(),
        action: match line.mark {
            '-' => ChangeAction::Delete,
            '~' => ChangeAction::Restore,
            _ => ChangeAction::Note,
        },
        detail: line.detail.clone(),
        variables: variables(&line.redirects),
    };
    lines.iter().map(one).collect()
}

/// The parts of the way from the functions to the database.
#[must_use]
pub fn path(aspects: &[Aspect]) -> Vec<Part> {
    let one = |aspect: &Aspect| Part {
        title: aspect.title.to_owned(),
        open: match aspect.standing {
            Standing::Open => Some(true),
            Standing::Broken => Some(false),
            Standing::Unchecked => None,
        },
        because: aspect.because.clone(),
    };
    aspects.iter().map(one).collect()
}

/// What probes found.
#[must_use]
pub fn probes(proofs: &[Proof]) -> Vec<Probe> {
    let one = |proof: &Proof| Probe {
        functions: proof.functions.clone(),
        host: proof.host.clone(),
        port: proof.port,
        user: proof.user.clone(),
        database: proof.database.clone(),
        login: match proof.login {
            How::Iam => ProbeLogin::Iam,
            How::Password => ProbeLogin::Password,
            How::Greeting => ProbeLogin::Greeting,
        },
        ok: proof.ok,
        stages: stages(proof),
    };
    proofs.iter().map(one).collect()
}

fn stages(proof: &Proof) -> Vec<Stage> {
    let failed = proof.failure().and_then(|(_, fault)| fault);
    let one = |stage: &crate::probe::Stage| {
        let known = failed.filter(|_| !stage.ok);
        Stage {
            stage: stage.stage.clone(),
            ok: stage.ok,
            ms: stage.ms,
            evidence: stage.evidence.clone(),
            fault: stage.fault.clone(),
            cause: known.map(|fault| fault.cause.to_owned()),
            fix: known.map(|fault| fault.fix.to_owned()),
        }
    };
    proof.stages.iter().map(one).collect()
}

/// What became of a canary.
#[must_use]
pub fn canary(walk: &Walk) -> Canary {
    let wave = |wave: &canary::Wave| documents::Wave {
        number: wave.number as u64,
        of: wave.of as u64,
        functions: wave.functions.clone(),
        aliases: alias_shares(&wave.aliases),
        judgement: wave.judgement.clone().into(),
    };
    Canary {
        ending: match walk.ending {
            canary::Ending::Complete => CanaryEnding::Complete,
            canary::Ending::Worse => CanaryEnding::Worse,
            canary::Ending::Unknown => CanaryEnding::Unknown,
            canary::Ending::WentBack => CanaryEnding::WentBack,
        },
        waves: walk.waves.iter().map(wave).collect(),
        back: walk.back.clone(),
        moved: walk.moved.clone(),
        left: walk.left.clone(),
        aliases: alias_shares(&walk.aliases),
    }
}

/// Aliases that send a share of their calls to the proxy.
#[must_use]
pub fn alias_shares(aliases: &[event::AliasShare]) -> Vec<AliasShare> {
    let one = |event::AliasShare { function, alias, percent }: &event::AliasShare| AliasShare {
        function: function.clone(),
        alias: alias.clone(),
        percent: *percent,
    };
    aliases.iter().map(one).collect()
}

/// What is done with a wave, or what came of it.
pub(super) fn wave_state(state: event::WaveState) -> WaveState {
    match state {
        event::WaveState::Moving => WaveState::Moving,
        event::WaveState::Completing => WaveState::Completing,
        event::WaveState::Watching => WaveState::Watching,
        event::WaveState::Worse => WaveState::Worse,
        event::WaveState::NotWorse => WaveState::NotWorse,
        event::WaveState::Unknown => WaveState::Unknown,
    }
}
