//! Holds the laws of `discover::values` for whatever the fuzzer draws.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rdsproxy_fuzz::discover::account::Input;
use rdsproxy_fuzz::discover::values::check;

fuzz_target!(|input: Input<'_>| check(input));
