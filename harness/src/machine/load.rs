//! Load: what else the machine did during a run, from two samples of the kernel's counters.

use iowq_contract::{Caveat, Code, Load};

use super::text;
use crate::clock::{self, Nanos};

/// Processors that other processes may keep busy, on average. A tenth of one moves throughput by a
/// few percent at most, which is what a virtual machine's runs differ by anyway.
const OTHERS_CPUS_MAX: f64 = 0.1;

/// Part of processor time that the host may take away: below that it is its housekeeping.
const STEAL_MAX: f64 = 0.02;

/// The kernel's counters at one moment.
pub struct LoadSample {
    at: Nanos,
    load_1min: Option<f64>,
    ticks: Option<Ticks>,
    own_user_ns: u64,
    /// Microseconds for which some thread waited: for a processor, for I/O.
    waited_us: [Option<u64>; 2],
}

/// Processor time of the whole machine, in ticks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Ticks {
    user: u64,
    steal: u64,
    all: u64,
}

impl LoadSample {
    /// The counters now.
    #[must_use]
    pub fn now() -> LoadSample {
        let read = |path| text(path).unwrap_or_default();
        LoadSample {
            at: clock::now(),
            load_1min: load_1min(&read("/proc/loadavg")),
            ticks: ticks(&read("/proc/stat")),
            own_user_ns: own_user_ns(),
            waited_us: ["/proc/pressure/cpu", "/proc/pressure/io"]
                .map(|path| waited_us(&read(path))),
        }
    }

    /// What the machine did since an earlier sample.
    #[must_use]
    pub fn since(&self, before: &LoadSample) -> Load {
        let elapsed_ns = self.at.since(before.at).max(1) as f64;
        let [cpu_pressure, io_pressure] = [0, 1].map(|place| {
            let waited_us = self.waited_us[place]?.saturating_sub(before.waited_us[place]?);
            Some((waited_us as f64 * 1e3 / elapsed_ns).min(1.0))
        });
        let ticks = before.ticks.zip(self.ticks);
        let own_ns = self.own_user_ns.saturating_sub(before.own_user_ns);
        Load {
            before_1min: before.load_1min,
            others_cpus: ticks.map(|(from, to)| others_cpus(from, to, own_ns, elapsed_ns)),
            steal: ticks.map(|(from, to)| {
                let all = to.all.saturating_sub(from.all).max(1);
                to.steal.saturating_sub(from.steal) as f64 / all as f64
            }),
            cpu_pressure,
            io_pressure,
        }
    }
}

/// The caveat of a busy machine.
#[must_use]
pub fn caveat(load: &Load) -> Option<Caveat> {
    let (others, steal) = (load.others_cpus.unwrap_or(0.0), load.steal.unwrap_or(0.0));
    let busy = others > OTHERS_CPUS_MAX || steal > STEAL_MAX;
    busy.then(|| Caveat {
        code: Code::BusyMachine,
        text: format!(
            "The machine was busy: other processes used {:.0} % of a processor during the run, and \
             its host took {:.0} % of the processors' time. Times and rates hold for that.",
            others * 100.0,
            steal * 100.0
        ),
    })
}

fn others_cpus(from: Ticks, to: Ticks, own_ns: u64, elapsed_ns: f64) -> f64 {
    let tick_ns = 1e9 / rustix::param::clock_ticks_per_second().max(1) as f64;
    let user_ns = to.user.saturating_sub(from.user) as f64 * tick_ns;
    ((user_ns - own_ns as f64) / elapsed_ns).max(0.0)
}

/// Processor time of this process in user mode, its ended threads included.
fn own_user_ns() -> u64 {
    // SAFETY: all zeros is a value of this plain struct, and the call only writes it.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &raw mut usage);
        usage
    };
    let time = usage.ru_utime;
    u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000_000
        + u64::try_from(time.tv_usec).unwrap_or(0) * 1_000
}

/// The average of a minute, from `/proc/loadavg`.
fn load_1min(text: &str) -> Option<f64> {
    text.split_whitespace().next()?.parse().ok()
}

/// The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal.
fn ticks(text: &str) -> Option<Ticks> {
    let fields = text.lines().next()?.strip_prefix("cpu ")?.split_whitespace();
    let fields: Vec<u64> = fields.map(str::parse).collect::<Result<_, _>>().ok()?;
    // Guests' time, which follows, is in user time already.
    let all = fields.get(..8)?.iter().sum();
    Some(Ticks { user: fields[0] + fields[1], steal: fields[7], all })
}

/// The total of the line `some` of a file of `/proc/pressure`.
fn waited_us(text: &str) -> Option<u64> {
    text.lines().find_map(|line| line.strip_prefix("some "))?.rsplit_once("total=")?.1.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_kernel_counts_is_read_from_its_files() {
        assert_eq!(load_1min("2.25 1.10 0.90 3/201 99\n"), Some(2.25));
        let stat = "cpu  100 20 30 400 50 6 7 8 0 0\ncpu0 1 1 1 1 1 1 1 1\n";
        assert_eq!(ticks(stat), Some(Ticks { user: 120, steal: 8, all: 621 }));
        let pressure = "some avg10=0.00 avg60=0.12 avg300=0.07 total=123456\nfull total=9\n";
        assert_eq!(waited_us(pressure), Some(123_456));
        for text in ["", "cpu 1 2", "some", "intr 5"] {
            assert_eq!((ticks(text), waited_us(text)), (None, None), "{text}");
        }
    }

    #[test]
    fn other_processes_are_all_user_time_but_ones_own() {
        let tick = rustix::param::clock_ticks_per_second();
        let from = Ticks { user: 0, steal: 0, all: 0 };
        let to = Ticks { user: tick, steal: 0, all: 2 * tick };
        let half_ns = 500_000_000;
        assert!((others_cpus(from, to, half_ns, 1e9) - 0.5).abs() < 1e-9);
        assert_eq!(others_cpus(from, to, 3 * half_ns, 1e9), 0.0);
    }

    #[test]
    fn a_machine_is_busy_with_others_work_or_without_its_processors() {
        let load = |others_cpus, steal| Load {
            others_cpus: Some(others_cpus),
            steal: Some(steal),
            ..Load::default()
        };
        assert_eq!(caveat(&load(0.05, 0.01)), None);
        assert_eq!(caveat(&Load::default()), None);
        for load in [load(0.5, 0.0), load(0.0, 0.1)] {
            assert_eq!(caveat(&load).map(|caveat| caveat.code), Some(Code::BusyMachine));
        }
    }
}
