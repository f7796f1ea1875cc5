//! What the programs cost, and how often they were left out.
//!
//! The kernel measures their runs while it is asked to, which costs something itself, so it is asked a
//! twentieth of the time.

use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd, RawFd};
use std::time::Duration;

use aya::Ebpf;
use aya::sys::{Stats, enable_stats};

use crate::clock::{self, Nanos};

/// Looks from the start of a measurement to that of the next; one ends at the look after its start.
const LOOKS: u32 = 20;

/// Measurements so far.
#[derive(Debug, Default)]
pub(super) struct Cost {
    /// The measurement under way: since when, and what runs had taken by then.
    now: Option<(OwnedFd, Nanos, Duration)>,
    looks: u32,
    refused: bool,
    measured_ns: u64,
    runs_ns: u64,
}

impl Cost {
    /// Starts a measurement or ends one, as its time has come.
    pub(super) fn look(&mut self, programs: &Ebpf) {
        if let Some((_asking, since, before)) = self.now.take() {
            let took = run_time(programs).saturating_sub(before);
            self.measured_ns += clock::now().since(since);
            self.runs_ns += u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        }
        if self.looks.is_multiple_of(LOOKS) && !self.refused {
            match enable_stats(Stats::RunTime) {
                Ok(asking) => self.now = Some((asking, clock::now(), run_time(programs))),
                Err(_) => self.refused = true,
            }
        }
        self.looks = self.looks.wrapping_add(1);
    }

    /// Processor time of the programs in a trace of this length, if what was measured is typical of
    /// it; `None` if nothing was.
    pub(super) fn in_all_ns(&self, trace_ns: u64) -> Option<u64> {
        let share = self.runs_ns as f64 / self.measured_ns as f64;
        (self.measured_ns > 0).then_some((share * trace_ns as f64) as u64)
    }
}

/// Time that all runs of the programs have taken while it was measured.
fn run_time(programs: &Ebpf) -> Duration {
    // Those that are not loaded have no information.
    programs.programs().filter_map(|(_, program)| Some(program.info().ok()?.run_time())).sum()
}

/// How often the kernel left a program out; 0 where it does not tell, as before Linux 5.12.
pub(super) fn left_out(programs: &Ebpf) -> u64 {
    let misses = |fd: RawFd| {
        let info = fs::read_to_string(format!("/proc/self/fdinfo/{fd}")).ok()?;
        let misses = info.lines().find_map(|line| line.strip_prefix("recursion_misses:"))?;
        misses.trim().parse::<u64>().ok()
    };
    let loaded = programs.programs().filter_map(|(_, program)| program.fd().ok());
    loaded.filter_map(|fd| misses(fd.as_fd().as_raw_fd())).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_part_of_the_time_took_stands_for_all_of_it() {
        let cost = Cost { measured_ns: 100, runs_ns: 5, ..Cost::default() };
        assert_eq!(cost.in_all_ns(1000), Some(50));
        assert_eq!(Cost::default().in_all_ns(1000), None, "nothing was measured");
    }
}
