//! Attacks: hostile input, kills, faults of the disk and two commands at once, briefly with the other
//! tests or, with `IOWQ_ATTACK_SECONDS`, for that long.

mod campaign;
mod checks;
mod commands;
mod kills;
mod mutants;
mod mutate;
#[path = "../bench/support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests of the bench need more of it")]
mod support;
mod two;
mod writes;

use campaign::Attack;

/// What a long campaign does at one time.
const ATTACKS: [Attack; 10] = [
    mutants::RECORDS,
    mutants::WORKLOADS,
    mutants::IMPORTS,
    mutants::BOOTS,
    kills::BENCHES,
    kills::READERS,
    writes::FULL_DISKS,
    writes::FULL_DISKS_OF_BENCHES,
    writes::CALLS_THAT_FAIL,
    two::AT_ONCE,
];

#[test]
fn all_attacks_go_on_for_as_long_as_is_asked() {
    campaign::long(&ATTACKS);
}
