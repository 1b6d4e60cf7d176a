//! A probe that was left behind: a temporary function of `verify --probe` whose run was killed.
//!
//! No step makes it ([`crate::probe`] does); a teardown removes it all the same.

use super::{Line, Removal, Work};
use crate::catalogue::StepId;
use crate::engine::event::Event;
use crate::engine::{Poll, PollInterval, Row, Run};

/// One that goes.
#[derive(Debug, Clone)]
pub struct LeftBehind {
    /// The function's name.
    pub name: String,
}

impl Removal for LeftBehind {
    fn step(&self) -> Option<StepId> {
        None
    }

    fn subject(&self) -> String {
        self.name.clone()
    }

    fn lines(&self) -> Vec<Line> {
        vec![Line::of('-', format!("function {}", self.name), "left behind by a probe")]
    }

    fn carry_out<'a>(&'a self, run: &'a Run<'a>) -> Work<'a> {
        Box::pin(async {
            let name = self.name.as_str();
            let doing = format!("deleting a probe that was left behind ({name})");
            let poll = Poll::begin(run, Row::Step(StepId::Repoint), &doing, run.timeouts.probe, PollInterval::Seconds);
            // It may still be on its way.
            poll.insist(run, async || run.cloud.lambda.delete(name).await).await?;
            run.tell(&Event::Aside { subject: name.to_owned(), state: "removed".to_owned(), wait: None });
            Ok(())
        })
    }
}
