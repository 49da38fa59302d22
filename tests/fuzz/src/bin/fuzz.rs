//! One target under libFuzzer: `TBSI_FUZZ_TARGET` names it. `make fuzz` builds and runs this.

#![no_main]
#![allow(unsafe_code, reason = "libFuzzer calls a C function")]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use tbsi_fuzz::{TARGETS, Target};

static TARGET: LazyLock<&Target> = LazyLock::new(|| {
    let name = std::env::var("TBSI_FUZZ_TARGET").unwrap_or_default();
    let found = TARGETS.iter().find(|target| target.name == name);
    found.unwrap_or_else(|| panic!("TBSI_FUZZ_TARGET={name} is no target"))
});

fuzz_target!(|bytes: &[u8]| (TARGET.run)(bytes));
