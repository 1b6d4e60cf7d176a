//! What the functions have been doing for three weeks: a small shop, by day more than by night.

use std::time::Duration;

use crate::account::World;
use crate::load::{Load, Rate};

/// Gives each function its load.
pub(super) fn begin(world: &mut World) {
    world.loads.seed = 1;
    world.loads.history = Duration::from_hours(21 * 24);
    let daily = |low: f64, high: f64| Rate::Daily { low, high, peak_hour: 13.0 };
    let bursts = |quiet: f64, high: f64, every: u64, length: u64| Rate::Bursts {
        quiet,
        high,
        every: Duration::from_secs(every),
        length: Duration::from_secs(length),
    };
    let loads = [
        ("DBAppFunction", daily(0.5, 6.0), 120.0, 1),
        ("InvoiceFunction", bursts(0.3, 4.0, 3600, 300), 400.0, 1),
        ("ReportsFunction", bursts(0.0, 1.0, 86_400, 1800), 2500.0, 2),
        ("OrdersFunction", daily(0.3, 4.0), 150.0, 1),
        ("ThumbnailFunction", Rate::Constant(2.0), 300.0, 0),
        ("WebhookFunction", Rate::Constant(0.2), 90.0, 0),
    ];
    for (function, rate, duration, connections) in loads {
        world.set_load_for_ever(function, Load { rate, duration, connections, ..Load::default() });
    }
}
