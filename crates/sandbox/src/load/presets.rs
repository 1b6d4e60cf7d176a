//! Loads that are ready to be used.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::numbers::milliseconds;
use super::routes::Target;
use super::{Load, Rate, databases};
use crate::account::World;
use crate::lambda::Mapping;

/// A load that is ready to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Preset {
    /// A few invocations a second by day, fewer by night.
    Quiet,
    /// By day, connections come near to what the database takes.
    Busy,
    /// 500,000 mails in ten minutes, which ended an hour ago: one invocation a mail, a thousand at a time.
    Mailing,
    /// A queue with a maximum concurrency of 20, which goes to 30 for moments.
    Queue,
    /// As busy, and each session does what pins it.
    Pinned,
}

impl Preset {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Quiet, Self::Busy, Self::Mailing, Self::Queue, Self::Pinned];

    /// Its name on a command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Quiet => "quiet",
            Self::Busy => "busy",
            Self::Mailing => "mailing",
            Self::Queue => "queue",
            Self::Pinned => "pinned",
        }
    }

    fn load(self, world: &World, function: &str) -> Load {
        let quiet =
            Load { rate: Rate::Daily { low: 0.2, high: 2.0, peak_hour: 13.0 }, duration: 80.0, ..Load::default() };
        match self {
            Self::Quiet => quiet,
            Self::Busy | Self::Pinned => {
                let database = function_database(world, function);
                let limit = database.and_then(|id| world.max_connections(&id)).map_or(200.0, f64::from) * 0.95;
                // The mean whose peak, two and a half deviations above it, is the limit.
                let root = (limit + 1.5625).sqrt() - 1.25;
                let high = root * root / 0.4;
                Load {
                    rate: Rate::Daily { low: high * 0.05, high, peak_hour: 13.0 },
                    duration: 400.0,
                    busy: 0.1,
                    pinned: if self == Self::Pinned { 1.0 } else { 0.0 },
                    database_time: 2.0,
                    ..Load::default()
                }
            }
            Self::Mailing => Load {
                rate: Rate::Once {
                    quiet: 0.0,
                    high: 500_000.0 / 600.0,
                    at: i64::try_from(world.now.0).unwrap_or(i64::MAX) - milliseconds(Duration::from_mins(70)),
                    length: Duration::from_mins(10),
                },
                duration: 1_250.0,
                busy: 0.05,
                database_time: 2.0,
                ..Load::default()
            },
            Self::Queue => Load {
                rate: Rate::Bursts {
                    quiet: 1.0,
                    high: 60.0,
                    every: Duration::from_hours(1),
                    length: Duration::from_mins(10),
                },
                duration: 500.0,
                overshoot: 1.5,
                ..Load::default()
            },
        }
    }
}

impl World {
    /// Gives a function a ready-made load that it has had for ever, and the event source that belongs to it.
    pub fn set_preset(&mut self, function: &str, preset: Preset) {
        let load = preset.load(self, function);
        let arn = self.arn("lambda", &format!("function:{function}"));
        let source = self.arn("sqs", &format!("{function}-events"));
        if preset == Preset::Queue && !self.lambda.mappings.iter().any(|mapping| mapping.source == source) {
            let id = self.uuid(&format!("mapping/{source}"));
            let mapping = Mapping {
                id,
                source,
                function: arn,
                enabled: true,
                batch: 10,
                maximum_concurrency: Some(20),
                ..Mapping::default()
            };
            self.lambda.mappings.push(mapping);
        }
        self.set_load_for_ever(function, load);
    }
}

/// The instance that a function's variables name, itself or behind a proxy.
fn function_database(world: &World, function: &str) -> Option<String> {
    let (route, _) = super::routes::routes(world, function);
    let of = |target: &Target| match target {
        Target::Instance(id) => Some(id.clone()),
        Target::Writer(cluster) | Target::Readers(cluster) => {
            databases::members(world, cluster, false).first().map(|id| (*id).to_owned())
        }
        Target::Proxy { proxy, readers, .. } => {
            databases::behind(world, world.rds.proxies.get(proxy)?, *readers).first().map(|id| (*id).to_owned())
        }
    };
    route.targets.iter().find_map(of)
}
