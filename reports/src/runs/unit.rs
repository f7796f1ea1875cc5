//! Units: what is compared with its like. A run, or all runs of one boot if kernels are booted:
//! runs of a boot share its luck, so that only boots are independent of each other.

use iowq_contract::Record;

use crate::runs::metric::Metric;

/// A run, or the runs of one boot.
#[derive(Clone, Debug)]
pub struct Unit<'a> {
    /// The runs, at least one.
    pub runs: Vec<&'a Record>,
}

/// What two units of a pair share, beside workload and file: the round and the seed of a run, the
/// round of a boot.
pub type Round = (u32, Option<u64>);

impl Unit<'_> {
    /// The mean of a metric over those of the runs that have it.
    ///
    /// # Errors
    ///
    /// Why no run has it, for a reader.
    pub fn value(&self, metric: Metric) -> Result<f64, String> {
        let mut reason = None;
        let (mut sum, mut runs) = (0.0, 0_u32);
        for run in &self.runs {
            match metric.of(run) {
                Ok(value) => (sum, runs) = (sum + value, runs + 1),
                Err(why) => _ = reason.get_or_insert(why),
            }
        }
        if runs > 0 {
            return Ok(sum / f64::from(runs));
        }
        Err(reason.unwrap_or_else(|| "there is no run".to_owned()))
    }

    /// Its round.
    pub fn round(&self) -> Round {
        self.runs.first().map_or((0, None), |run| match &run.key.boot {
            Some(boot) => (boot.round, None),
            None => (run.key.round, Some(run.key.seed)),
        })
    }

    /// Its place in the order in which runs or boots were made.
    pub fn position(&self) -> u32 {
        self.runs.first().map_or(0, |run| position(run))
    }

    /// Whether it is a boot.
    pub fn is_boot(&self) -> bool {
        self.runs.iter().any(|run| run.key.boot.is_some())
    }
}

/// Place of a run, or of the boot that it was made in, in the order in which they were made.
pub fn position(run: &Record) -> u32 {
    run.key.boot.as_ref().map_or(run.key.position, |boot| boot.number)
}

/// The units of runs of one arm and workload, in the order in which they first ran.
pub fn units<'a>(runs: &[&'a Record]) -> Vec<Unit<'a>> {
    let mut units: Vec<Unit<'a>> = Vec::new();
    for run in runs {
        let of_boot = |unit: &&mut Unit<'_>| unit.is_boot() && unit.position() == position(run);
        let boot = run.key.boot.as_ref();
        match boot.and_then(|_| units.iter_mut().find(of_boot)) {
            Some(unit) => unit.runs.push(run),
            None => units.push(Unit { runs: vec![run] }),
        }
    }
    units
}

/// Whether runs were made in boots, so that the boot is the unit.
pub fn any(runs: &[&Record]) -> bool {
    runs.iter().any(|run| run.key.boot.is_some())
}

#[cfg(test)]
mod tests {
    use iowq_contract::InBoot;
    use iowq_sample as sample;

    use super::*;

    fn run(number: u32, repeat: u32) -> Record {
        let mut run = sample::run("dsync", "6.12", repeat);
        let kernel = "base".to_owned();
        run.key.boot = Some(InBoot { kernel, number, round: number / 2, repeat });
        run
    }

    #[test]
    fn repeats_of_a_boot_are_one_unit_and_runs_without_a_boot_are_each_their_own() {
        let runs = [run(3, 0), run(3, 1), run(4, 0)];
        let units = units(&runs.iter().collect::<Vec<_>>());
        let found: Vec<(usize, u32, Round)> =
            units.iter().map(|unit| (unit.runs.len(), unit.position(), unit.round())).collect();
        assert_eq!(found, [(2, 3, (1, None)), (1, 4, (2, None))]);
        let plain = [sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 0)];
        assert_eq!(super::units(&plain.iter().collect::<Vec<_>>()).len(), 2);
    }

    #[test]
    fn a_boot_has_the_mean_of_those_repeats_that_have_a_value() {
        let mut runs = [run(0, 0), run(0, 1), run(0, 2)];
        for (run, created) in runs.iter_mut().zip([Some(1.0), None, Some(4.0)]) {
            run.workers.created_per_1000_ops = created;
        }
        let unit = Unit { runs: runs.iter().collect() };
        assert_eq!(unit.value(Metric::CreatedPer1000), Ok(2.5));
        assert!(Unit { runs: vec![&runs[1]] }.value(Metric::CreatedPer1000).is_err());
    }
}
