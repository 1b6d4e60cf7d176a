//! The run's own time: real, faster than real over a simulated account, or still.

mod still;

use std::pin::Pin;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use still::Still;

/// A clock that counts from the start of the run.
///
/// Everything that waits or measures asks this clock, so that a run over a simulated account at sixty times
/// the speed shows and keeps the same times as one on AWS.
#[derive(Debug, Clone)]
pub struct Clock {
    began: SystemTime,
    flow: Flow,
}

#[derive(Debug, Clone)]
enum Flow {
    /// With the runtime's time, so many times as fast.
    Runs { origin: Instant, speed: f64 },
    /// Only where everybody waits.
    Still(Still),
}

impl Clock {
    /// A clock that runs as the wall's does.
    #[must_use]
    pub fn real() -> Self {
        Self::scaled(1.0)
    }

    /// A clock on which `speed` seconds pass in one real second.
    #[must_use]
    pub fn scaled(speed: f64) -> Self {
        Self { began: SystemTime::now(), flow: Flow::Runs { origin: Instant::now(), speed: speed.max(0.001) } }
    }

    /// A clock that stands still while anything is done, and jumps to the end of the next wait once everybody waits:
    /// minutes pass at once, and two runs over the same account take the same time to the millisecond.
    ///
    /// It moves within [`Self::drive`] alone.
    #[must_use]
    pub fn still() -> Self {
        Self { began: SystemTime::now(), flow: Flow::Still(Still::default()) }
    }

    /// Does work whose waits are those of this clock.
    pub async fn drive<T>(&self, work: impl Future<Output = T>) -> T {
        match &self.flow {
            Flow::Runs { .. } => work.await,
            Flow::Still(still) => still.drive(work).await,
        }
    }

    /// How many seconds pass in one of the wall's; of a still clock, one.
    #[must_use]
    pub fn speed(&self) -> f64 {
        match self.flow {
            Flow::Runs { speed, .. } => speed,
            Flow::Still(_) => 1.0,
        }
    }

    /// The time since the start of the run.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        match &self.flow {
            Flow::Runs { origin, speed } => origin.elapsed().mul_f64(*speed),
            Flow::Still(still) => still.now(),
        }
    }

    /// The time of day.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.began + self.elapsed()
    }

    /// Waits.
    pub async fn sleep(&self, span: Duration) {
        self.sleeping(span).await;
    }

    /// A wait that outlives the borrow of its clock.
    #[must_use]
    pub fn sleeping(&self, span: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + Sync>> {
        match &self.flow {
            Flow::Runs { .. } => Box::pin(tokio::time::sleep(self.real_span(span))),
            Flow::Still(still) => Box::pin(still.sleep(span)),
        }
    }

    /// How long a span of this clock lasts on the wall.
    #[must_use]
    pub fn real_span(&self, span: Duration) -> Duration {
        span.div_f64(self.speed())
    }
}
