//! Published values, and what holds for every line.

use proptest::prelude::*;

use super::{Line, erlang_b, erlang_c, servers_for};

fn close(one: f64, other: f64, within: f64) {
    assert!((one - other).abs() <= within, "{one} is not {other} within {within}");
}

/// Hillier and Lieberman, "Introduction to Operations Research", the County Hospital example: 2 patients an hour, 20
/// minutes each. One doctor: they wait 2/3 of an hour. Two: 1/24 of an hour, and one in six waits at all.
#[test]
fn county_hospital() {
    let line = |servers| Line { servers, arrivals_per_second: 2.0, service_seconds: 1.0 / 3.0, variation: 1.0 };
    close(line(1).mean_wait(), 2.0 / 3.0, 1e-12);
    close(line(1).wait_probability(), 2.0 / 3.0, 1e-12);
    close(line(2).mean_wait(), 1.0 / 24.0, 1e-12);
    close(line(2).wait_probability(), 1.0 / 6.0, 1e-12);
    // "P(W > 1/2 hour) = 0.022" with two doctors, and 0.404 with one.
    close(1.0 / 6.0 * (-2.0_f64).exp(), 0.022, 6e-4);
    close(line(2).wait_quantile(1.0 - 1.0 / 6.0 * (-2.0_f64).exp()), 0.5, 1e-9);
    close(line(1).wait_quantile(1.0 - 2.0 / 3.0 * (-0.5_f64).exp()), 0.5, 1e-9);
}

/// Gross and Harris, "Fundamentals of Queueing Theory", the eye clinic: 6 an hour, three ophthalmologists with 20
/// minutes each. 8/9 of a patient is in line, so each waits 4/27 of an hour.
#[test]
fn eye_clinic() {
    let line = Line { servers: 3, arrivals_per_second: 6.0, service_seconds: 1.0 / 3.0, variation: 1.0 };
    close(line.mean_wait() * line.arrivals_per_second, 8.0 / 9.0, 1e-12);
    close(line.mean_wait(), 4.0 / 27.0, 1e-12);
    close(line.wait_probability(), 4.0 / 9.0, 1e-12);
}

/// The Erlang B table that traffic engineers use: circuits, and the load at which one call in a hundred is blocked.
#[test]
fn erlang_b_table() {
    for (circuits, load) in [(1, 0.0101), (5, 1.36), (10, 4.46), (20, 12.0), (50, 37.9), (100, 84.1)] {
        close(erlang_b(circuits, load), 0.01, 3e-4);
    }
}

/// With one server it is M/M/1: half of constant times' wait (Pollaczek and Khinchine).
#[test]
fn one_server() {
    let line = |variation| Line { servers: 1, arrivals_per_second: 0.8, service_seconds: 1.0, variation };
    close(line(1.0).mean_wait(), 4.0, 1e-9);
    close(line(0.0).mean_wait(), 2.0, 1e-9);
    close(erlang_c(1, 0.8), 0.8, 1e-12);
}

#[test]
fn beyond_the_servers() {
    let line = Line { servers: 2, arrivals_per_second: 2.0, service_seconds: 1.0, variation: 1.0 };
    assert!(line.mean_wait().is_infinite());
    assert!(line.wait_quantile(0.99).is_infinite());
    close(line.wait_probability(), 1.0, 0.0);
    let huge = |servers| Line { servers, arrivals_per_second: 1e18, service_seconds: 1e18, variation: 1.0 };
    assert_eq!(servers_for(huge, 0.99, 0.01), None);
    let idle = |servers| Line { servers, arrivals_per_second: 0.0, service_seconds: 0.0, variation: 1.0 };
    assert_eq!(servers_for(idle, 0.99, 0.01), Some(1));
}

/// Direct sums, which small systems allow.
fn direct(servers: u32, load: f64) -> (f64, f64) {
    let mut term = 1.0;
    let mut below = 0.0;
    for k in 0..servers {
        below += term;
        term = term * load / f64::from(k + 1);
    }
    let last = term;
    let queued = last * f64::from(servers) / (f64::from(servers) - load);
    (last / (below + last), queued / (below + queued))
}

proptest! {
    #[test]
    fn recurrence_is_the_definition(servers in 1u32..60, share in 0.01f64..0.99) {
        let load = f64::from(servers) * share;
        let (blocked, waits) = direct(servers, load);
        prop_assert!((erlang_b(u64::from(servers), load) - blocked).abs() < 1e-9);
        prop_assert!((erlang_c(u64::from(servers), load) - waits).abs() < 1e-9);
    }

    #[test]
    fn probabilities_stay_probabilities(servers in 0u64..5000, load in 0.0f64..1e9) {
        for probability in [erlang_b(servers, load), erlang_c(servers, load)] {
            prop_assert!((0.0..=1.0).contains(&probability));
        }
        prop_assert!(erlang_b(servers, load) <= erlang_c(servers, load) + 1e-12);
    }

    #[test]
    fn a_larger_pool_waits_less(servers in 1u64..200, rate in 0.1f64..500.0, time in 0.001f64..1.0) {
        let line = |servers| Line { servers, arrivals_per_second: rate, service_seconds: time, variation: 1.0 };
        prop_assert!(line(servers + 1).mean_wait() <= line(servers).mean_wait());
        prop_assert!(line(servers + 1).wait_quantile(0.99) <= line(servers).wait_quantile(0.99));
    }

    #[test]
    fn the_pool_is_enough_and_no_larger(rate in 0.0f64..2000.0, time in 0.0f64..0.5, target in 0.0f64..0.1) {
        let line = |servers| Line { servers, arrivals_per_second: rate, service_seconds: time, variation: 1.0 };
        let servers = servers_for(line, 0.99, target).unwrap();
        prop_assert!(line(servers).wait_quantile(0.99) <= target);
        if servers > 1 {
            prop_assert!(line(servers - 1).wait_quantile(0.99) > target);
        }
    }

    #[test]
    fn more_load_needs_no_smaller_pool(rate in 0.0f64..2000.0, more in 0.0f64..2000.0, time in 0.0f64..0.5) {
        let line = |rate: f64| move |servers| Line { servers, arrivals_per_second: rate, service_seconds: time, variation: 1.0 };
        prop_assert!(servers_for(line(rate), 0.99, 0.01) <= servers_for(line(rate + more), 0.99, 0.01));
    }
}
