//! What decides: the metrics that a verdict stands on, chosen by the machine before any run is seen.

use iowq_contract::{Kernels, Record};

use crate::format;
use crate::runs::metric::{ADVISORY, Metric, PRIMARY};

/// Counts of workers: what does not depend on how fast the machine is.
const COUNTS: [Metric; 3] = [Metric::CreatedPer1000, Metric::Peak, Metric::Linger];

/// Times that mean something once the disk, and not the emulator, sets the pace.
const PACED: [Metric; 3] = [Metric::OpsPerS, Metric::ResponseP50, Metric::ResponseP99];

/// The metrics of a verdict.
#[derive(Clone, Debug, PartialEq)]
pub struct Decides {
    /// Those that decide, at most six.
    pub primary: Vec<Metric>,
    /// Those that are shown and decide nothing.
    pub advisory: Vec<Metric>,
    /// Why these, for a reader.
    pub why: String,
}

impl Decides {
    /// On a machine whose processor and disk are real or nearly so.
    pub fn usual() -> Self {
        let why = format!("{} decide: named before any run.", titles(&PRIMARY));
        Self { primary: PRIMARY.into(), advisory: ADVISORY.into(), why }
    }

    /// Under software emulation; `delay_us` is how long dm-delay holds each request back, 0 without.
    pub fn emulated(delay_us: u64) -> Self {
        let (primary, why) = if delay_us > 0 {
            let primary = [&COUNTS[..], &PACED].concat();
            let why = format!(
                "{} decide. Software emulation (TCG) makes processor time worthless, and the disk's \
                 own speed was set by dm-delay, {delay_us} µs for each request.",
                titles(&primary)
            );
            (primary, why)
        } else {
            let why = format!(
                "{} decide. Under software emulation (TCG) times are those of the emulator, and \
                 differ two to three times between boots of one kernel; counts of workers do not. \
                 Where dm-delay fixes the disk's speed, throughput and response time decide too.",
                titles(&COUNTS)
            );
            (COUNTS.to_vec(), why)
        };
        let rest = PRIMARY.into_iter().chain(ADVISORY);
        let advisory = rest.filter(|metric| !primary.contains(metric)).collect();
        Self { primary, advisory, why }
    }

    /// For runs of which nothing else is known.
    pub fn of_runs<'a>(mut runs: impl Iterator<Item = &'a Record>) -> Self {
        let emulated = |run: &Record| run.host.accelerator.to_lowercase().contains("tcg");
        if runs.any(emulated) { Self::emulated(0) } else { Self::usual() }
    }

    /// For boots in a virtual machine.
    pub fn of_machine(kernels: &Kernels) -> Self {
        let machine = &kernels.machine;
        if machine.accelerator.eq_ignore_ascii_case("tcg") {
            Self::emulated(machine.disk.delay_us)
        } else {
            Self::usual()
        }
    }
}

fn titles(metrics: &[Metric]) -> String {
    let titles: Vec<String> = metrics.iter().map(|metric| metric.title().to_owned()).collect();
    format::capital(&format::list(&titles))
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    #[test]
    fn emulated_times_decide_only_where_the_disk_has_a_speed_and_processor_time_never() {
        assert_eq!(Decides::emulated(0).primary, COUNTS);
        let delayed = Decides::emulated(2_000);
        assert_eq!(delayed.primary.len(), 6);
        assert!(delayed.primary.contains(&Metric::ResponseP99));
        for decides in [Decides::emulated(0), delayed, Decides::usual()] {
            let all = decides.primary.len() + decides.advisory.len();
            assert_eq!(all, PRIMARY.len() + ADVISORY.len());
            assert!(decides.primary.len() <= 6);
            let emulated = decides != Decides::usual();
            assert_eq!(emulated, decides.advisory.contains(&Metric::CpuPerOp));
        }
    }

    #[test]
    fn the_accelerator_of_the_runs_chooses() {
        let mut run = sample::run("dsync", "6.12", 0);
        assert_eq!(Decides::of_runs([&run].into_iter()), Decides::usual());
        run.host.accelerator = "QEMU emulation (TCG) (QEMU Standard PC)".to_owned();
        assert_eq!(Decides::of_runs([&run].into_iter()), Decides::emulated(0));
    }
}
