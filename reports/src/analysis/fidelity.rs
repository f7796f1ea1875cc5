//! Fidelity: how near the presets come to the running kernel, over the workloads of a grid.
//!
//! A *cell* is a workload that ran on io_uring and under each preset. The *distance* of a preset
//! from the kernel is the sum of two absolute logarithms, of the ratio of workers created and of
//! the ratio of peaks, each count one higher so that none has a ratio too, on medians of runs. The
//! *nearest* preset has the least distance, the *expected* one stands for the kernel's release.
//! Presets that have its rules while a ring is open are expected as well: they differ by chance.
//! Presets *differ* in a cell if some other preset is not [alike](Counts::alike) the expected one.
//! A cell is *right* if the nearest preset is among the expected or alike the one that is shown: to
//! choose one of two that behave the same is no error.

mod arms;
mod expected;
mod factor;
mod rank;
mod share;
pub mod words;

use super::figures::Spread;
use super::group::{Group, Section};
pub(crate) use arms::presets;
pub use arms::{ALIKE_FACTOR, ALIKE_WORKERS, Arm, Arms, Counts};
pub use factor::Level;
use iowq_record::Settings;
pub use share::Share;

/// The preset that makes workers past the limit. Where a limit is low it is often the only one that
/// differs, and far off, so that the verdict is said without it as well.
pub const PAST_LIMIT: &str = "6.17-as-posted";

/// Cells that a verdict over many workloads needs at least.
const CELLS_MIN: usize = 2;

/// A workload that can be judged.
#[derive(Debug)]
pub struct Cell<'a> {
    /// Name of the workload.
    pub workload: &'a str,
    /// Its settings, as the kernel ran it.
    pub settings: &'a Settings,
    /// What kernel and presets did.
    pub arms: Arms<'a>,
    /// The preset that stands for the kernel's release.
    pub expected: Arm<'a>,
    /// Operations per second under the expected preset for each one on io_uring.
    pub ops_ratio: Option<f64>,
    /// The presets that have the rules of the expected one while a ring is open, itself first.
    same: &'static [&'static str],
}

/// A workload that cannot be judged.
#[derive(Debug, PartialEq, Eq)]
pub struct Apart<'a> {
    /// Name of the workload.
    pub workload: &'a str,
    /// Why not.
    pub reason: String,
}

/// All cells of a grid.
#[derive(Debug)]
pub struct Fidelity<'a> {
    /// The workloads that can be judged, in the order in which they first ran.
    pub cells: Vec<Cell<'a>>,
    /// The others.
    pub apart: Vec<Apart<'a>>,
    /// The presets that ran, in the order of kernels.
    pub presets: Vec<&'a str>,
    /// Least runs of an arm of the cells; 0 without cells.
    pub runs_least: usize,
}

/// One preset over all cells.
#[derive(Clone, Debug, PartialEq)]
pub struct PresetTotals<'a> {
    /// Its name.
    pub preset: &'a str,
    /// Cells that expect it, and show it as the expected one.
    pub expected: usize,
    /// Cells that expect another, whose rules it has while a ring is open.
    pub stands_in: usize,
    /// Cells in which it is the nearest.
    pub nearest: usize,
    /// The same, of the cells in which presets differ.
    pub nearest_where_differ: usize,
    /// Of the cells in which it is not expected and not alike the expected preset, those in which the kernel is
    /// nearer to the expected one.
    pub told_apart: Share,
    /// Distance from the kernel.
    pub distance: Option<Spread>,
    /// Spearman's rho across cells between its workers created and the kernel's; none where either
    /// is the same in all cells.
    pub rho_created: Option<f64>,
    /// The same of peaks.
    pub rho_peak: Option<f64>,
}

impl<'a> Cell<'a> {
    /// The preset with the least distance from the kernel; of equal ones an expected.
    #[must_use]
    pub fn nearest(&self) -> Arm<'a> {
        self.arms.nearest(self.same).unwrap_or(self.expected)
    }

    /// Whether a preset has the rules of the expected one while a ring is open, or is that one.
    #[must_use]
    pub fn expects(&self, preset: &str) -> bool {
        self.same.contains(&preset)
    }

    /// Whether an arm does something else than is expected, and not by chance alone.
    fn differs(&self, arm: &Arm<'_>) -> bool {
        !self.expects(arm.preset) && !arm.counts.alike(self.expected.counts)
    }

    /// Whether some preset differs from the expected ones.
    #[must_use]
    pub fn presets_differ(&self) -> bool {
        self.arms.presets.iter().any(|arm| self.differs(arm))
    }

    /// Whether the nearest preset is expected, or alike the expected one.
    #[must_use]
    pub fn right(&self) -> bool {
        !self.differs(&self.nearest())
    }

    /// Whether it is right only as far as a preset that differs is not nearer, but as near.
    #[must_use]
    pub fn tied(&self) -> bool {
        let distance = |arm: &Arm<'_>| self.arms.kernel.distance(arm.counts);
        let least = distance(&self.nearest());
        self.right()
            && self.arms.presets.iter().any(|arm| self.differs(arm) && distance(arm) <= least)
    }

    /// Whether the expected preset's peak is near the kernel's.
    #[must_use]
    pub fn peak_agrees(&self) -> bool {
        arms::near(self.expected.counts.peak, self.arms.kernel.peak)
    }

    /// Workers that the expected preset created for each that the kernel did; none where the
    /// kernel created none.
    #[must_use]
    pub fn created_ratio(&self) -> Option<f64> {
        self.expected.counts.created_ratio(self.arms.kernel)
    }

    /// The same cell as if a preset had not run.
    fn without(&self, preset: &str) -> Self {
        let presets = self.arms.presets.iter().filter(|arm| arm.preset != preset);
        let arms = Arms { kernel: self.arms.kernel, presets: presets.copied().collect() };
        Self { arms, ..*self }
    }
}

impl<'a> Fidelity<'a> {
    /// Of sections of which at least two have both the kernel and a preset; none of others, nor of
    /// several kernels.
    #[must_use]
    pub fn of(sections: &[Section<'a>]) -> Option<Self> {
        // Of several kernels each has its own nearest preset, which `kernels` tells.
        let kernels =
            |one: &Section<'_>| one.groups.iter().filter(|group| group.is_kernel()).count();
        if sections.iter().any(|section| kernels(section) > 1) {
            return None;
        }
        let has_preset = |section: &Section<'_>| section.groups.iter().any(Group::is_preset);
        let both = sections.iter().filter(|one| one.kernel().is_some() && has_preset(one));
        if both.count() < CELLS_MIN {
            return None;
        }
        let presets = arms::presets(sections);
        let mut fidelity = Self { cells: Vec::new(), apart: Vec::new(), presets, runs_least: 0 };
        let mut runs_least = None;
        for section in sections {
            match fidelity.cell(section) {
                Ok(cell) => {
                    fidelity.cells.push(cell);
                    let arms =
                        section.groups.iter().filter(|one| one.is_kernel() || one.is_preset());
                    runs_least = arms.map(|arm| arm.runs.len()).chain(runs_least).min();
                }
                Err(reason) => fidelity.apart.push(Apart { workload: section.workload, reason }),
            }
        }
        fidelity.runs_least = runs_least.unwrap_or(0);
        Some(fidelity)
    }

    fn cell(&self, section: &Section<'a>) -> Result<Cell<'a>, String> {
        let arms = Arms::of(section, &self.presets)?;
        let kernel = section.kernel().ok_or("io_uring did not run")?;
        let run = kernel.runs.first().ok_or("io_uring did not run")?;
        let release = &run.host.kernel;
        let same = expected::presets(release).ok_or("the kernel's release is unknown")?;
        let shown = same[0];
        let expected = arms.presets.iter().find(|arm| arm.preset == shown).copied();
        let expected = expected.ok_or_else(|| {
            format!("{shown} did not run, which stands for {}", words::release(release))
        })?;
        let ours = section.groups.iter().find(|one| one.is_preset() && one.policy == shown);
        let per_s = |group: &Group<'_>| group.figures.per_s.map(|spread| spread.median);
        let ops_ratio = ours.and_then(per_s).zip(per_s(kernel).filter(|per_s| *per_s > 0.0));
        Ok(Cell {
            workload: section.workload,
            settings: &run.settings,
            arms,
            expected,
            ops_ratio: ops_ratio.map(|(ours, kernels)| ours / kernels),
            same,
        })
    }

    /// Cells in which presets differ.
    pub fn differing(&self) -> impl Iterator<Item = &Cell<'a>> {
        self.cells.iter().filter(|cell| cell.presets_differ())
    }

    /// Of the cells in which presets differ, those in which the nearest one is right.
    #[must_use]
    pub fn right(&self) -> Share {
        Share::of(self.differing(), |cell| cell.right())
    }

    /// The same as if [`PAST_LIMIT`] had not run; none if it did not.
    #[must_use]
    pub fn right_within_limit(&self) -> Option<Share> {
        let cells = self.cells.iter().map(|cell| cell.without(PAST_LIMIT));
        let differing = cells.filter(Cell::presets_differ);
        self.presets.contains(&PAST_LIMIT).then(|| Share::of(differing, Cell::right))
    }

    /// Of all cells, those in which the expected preset's peak is near the kernel's.
    #[must_use]
    pub fn peaks(&self) -> Share {
        Share::of(self.cells.iter(), |cell| cell.peak_agrees())
    }

    /// Workers that the expected preset created for each that the kernel did, over the cells in
    /// which the kernel created some.
    #[must_use]
    pub fn created_ratio(&self) -> Option<Spread> {
        Spread::of(self.cells.iter().filter_map(Cell::created_ratio).collect())
    }

    /// Cells in which presets differ and the nearest one is not right: first the one
    /// whose expected preset is farthest from the kernel.
    #[must_use]
    pub fn failing(&self) -> Vec<&Cell<'a>> {
        let distance = |cell: &Cell<'_>| cell.arms.kernel.distance(cell.expected.counts);
        let mut failing: Vec<&Cell<'a>> = self.differing().filter(|cell| !cell.right()).collect();
        failing.sort_by(|a, b| distance(b).total_cmp(&distance(a)));
        failing
    }

    /// Each preset over all cells.
    #[must_use]
    pub fn totals(&self) -> Vec<PresetTotals<'a>> {
        self.presets.iter().enumerate().map(|(at, preset)| self.preset_totals(at, preset)).collect()
    }

    /// `Arms` has all presets in the order of `self.presets`, so that a place is the same in each.
    fn preset_totals(&self, at: usize, preset: &'a str) -> PresetTotals<'a> {
        let count = |so: &dyn Fn(&&Cell<'a>) -> bool| self.cells.iter().filter(so).count();
        let pairs =
            || self.cells.iter().map(|cell| (cell.arms.presets[at].counts, cell.arms.kernel));
        let rho = |value: fn(Counts) -> f64| {
            let (ours, kernels): (Vec<f64>, Vec<f64>) =
                pairs().map(|(ours, kernel)| (value(ours), value(kernel))).unzip();
            rank::spearman(&ours, &kernels)
        };
        let distances = pairs().map(|(ours, kernel)| ours.distance(kernel)).collect();
        PresetTotals {
            preset,
            expected: count(&|cell| cell.expected.preset == preset),
            stands_in: count(&|cell| cell.expected.preset != preset && cell.expects(preset)),
            nearest: count(&|cell| cell.nearest().preset == preset),
            nearest_where_differ: count(&|cell| {
                cell.presets_differ() && cell.nearest().preset == preset
            }),
            told_apart: self.told_apart(at),
            distance: Spread::of(distances),
            rho_created: rho(|counts| counts.created),
            rho_peak: rho(|counts| counts.peak),
        }
    }

    fn told_apart(&self, at: usize) -> Share {
        let arms = self.cells.iter().map(|cell| (cell, cell.arms.presets[at]));
        Share::of(arms.filter(|(cell, ours)| cell.differs(ours)), |(cell, ours)| {
            let kernel = cell.arms.kernel;
            kernel.distance(cell.expected.counts) < kernel.distance(ours.counts)
        })
    }

    /// Where presets come near the kernel and where not, by each factor of the grid.
    #[must_use]
    pub fn by_factor(&self) -> Vec<Level> {
        factor::levels(&self.cells)
    }
}

#[cfg(test)]
mod tests {
    use iowq_record::Record;

    use super::*;
    use crate::analysis::group;
    use crate::sample;

    /// Workload, engine and policy, workers created, peak.
    type Row = (&'static str, &'static str, u64, u32);

    fn records(rows: &[Row]) -> Vec<Record> {
        let run = |(workload, policy, created, peak): &Row| {
            let mut record = match *policy {
                "kernel" => sample::kernel_run(workload, 0),
                policy => sample::run(workload, policy, 0),
            };
            record.workers.created.probe = Some(*created);
            record.workers.created.engine = None;
            record.workers.peak = *peak;
            record
        };
        rows.iter().map(run).collect()
    }

    const ROWS: [Row; 9] = [
        // Presets differ, and the kernel does as 6.17.
        ("a", "6.12", 900, 64),
        ("a", "6.17", 9, 9),
        ("a", "kernel", 10, 9),
        // Presets differ, and the kernel does as 6.12, which no kernel of its release should.
        ("b", "6.12", 900, 64),
        ("b", "6.17", 9, 9),
        ("b", "kernel", 800, 64),
        // Presets do the same; 6.12 is nearer by one worker.
        ("c", "6.12", 4, 4),
        ("c", "6.17", 5, 4),
        ("c", "kernel", 4, 4),
    ];

    #[test]
    fn a_preset_is_right_where_the_kernel_does_as_it_does() {
        let records = records(&ROWS);
        let sections = group::sections(&records);
        let fidelity = Fidelity::of(&sections).expect("three workloads have both");
        assert_eq!(fidelity.cells.len(), 3);
        assert_eq!(fidelity.right(), Share { count: 1, of: 2 });
        assert_eq!(fidelity.peaks(), Share { count: 2, of: 3 });
        let failing: Vec<&str> = fidelity.failing().iter().map(|cell| cell.workload).collect();
        assert_eq!(failing, ["b"]);
        let ratio = fidelity.created_ratio().expect("the kernel created some in each");
        assert_eq!((ratio.least, ratio.median, ratio.most), (9.0 / 800.0, 0.9, 1.25));
    }

    #[test]
    fn choosing_one_of_two_presets_that_do_the_same_is_no_error() {
        let records = records(&ROWS);
        let sections = group::sections(&records);
        let fidelity = Fidelity::of(&sections).expect("three workloads have both");
        let same = &fidelity.cells[2];
        assert_eq!((same.nearest().preset, same.expected.preset), ("6.12", "6.17"));
        assert!(same.right() && !same.presets_differ());
    }

    const SAME_RULES: [Row; 8] = [
        // Only exit-on-idle is unlike 6.17, which is chance.
        ("a", "6.16", 5, 5),
        ("a", "6.17", 5, 5),
        ("a", "exit-on-idle", 9, 9),
        ("a", "kernel", 9, 9),
        // 6.16 differs, and the kernel is as near to it as to exit-on-idle.
        ("b", "6.16", 9, 9),
        ("b", "6.17", 6, 6),
        ("b", "exit-on-idle", 9, 9),
        ("b", "kernel", 9, 9),
    ];

    #[test]
    fn a_preset_with_the_rules_of_the_expected_one_is_expected_as_well() {
        let records = records(&SAME_RULES);
        let sections = group::sections(&records);
        let fidelity = Fidelity::of(&sections).expect("two workloads have both");
        let [chance, differs] = fidelity.cells.as_slice() else { panic!("there are two") };
        assert!(!chance.presets_differ() && chance.right() && differs.presets_differ());
        assert!(differs.tied() && !chance.tied(), "6.16 is as near in one");
        for cell in [chance, differs] {
            assert_eq!((cell.nearest().preset, cell.expected.preset), ("exit-on-idle", "6.17"));
        }
        assert_eq!(fidelity.right(), Share { count: 1, of: 1 });
        let beside = fidelity.totals().pop().expect("three presets ran");
        assert_eq!((beside.preset, beside.expected, beside.stands_in), ("exit-on-idle", 0, 2));
        assert_eq!(beside.told_apart.of, 0);
        assert_eq!(differs.created_ratio(), Some(6.0 / 9.0));
    }

    #[test]
    fn without_the_preset_that_ignores_the_limit_neither_differ_nor_nearest_knows_it() {
        let mut rows = ROWS.to_vec();
        // In b, which fails, it is the nearest; in c it alone differs.
        rows.extend(["a", "b", "c"].map(|workload| (workload, PAST_LIMIT, 800, 64)));
        let records = records(&rows);
        let sections = group::sections(&records);
        let fidelity = Fidelity::of(&sections).expect("three workloads have both");
        assert_eq!(fidelity.cells[1].nearest().preset, PAST_LIMIT);
        assert_eq!(fidelity.right(), Share { count: 2, of: 3 });
        assert_eq!(fidelity.right_within_limit(), Some(Share { count: 1, of: 2 }));
        let said = words::figures(&fidelity).remove(0);
        assert!(
            said.starts_with("1 of 2 cells (50\u{a0}%) with 6.17-as-posted left out"),
            "{said}"
        );
        let sections = group::sections(&records[..9]);
        let fidelity = Fidelity::of(&sections).expect("three workloads have both");
        assert_eq!(fidelity.right_within_limit(), None, "it did not run");
    }

    #[test]
    fn one_run_per_arm_is_said_to_show_no_spread() {
        let mut records = records(&ROWS);
        let runs = |records: &[Record]| {
            let sections = group::sections(records);
            let fidelity = Fidelity::of(&sections).expect("three workloads have both");
            let said = words::definitions(&fidelity).pop().expect("runs come last").1;
            (fidelity.runs_least, said.starts_with("with one run per arm"))
        };
        assert_eq!(runs(&records), (1, true));
        records.extend(records.clone());
        assert_eq!(runs(&records), (2, false));
    }

    #[test]
    fn presets_are_ranked_over_all_cells() {
        let records = records(&ROWS);
        let sections = group::sections(&records);
        let totals = Fidelity::of(&sections).expect("three workloads have both").totals();
        let row = |at: usize| {
            let totals: &PresetTotals<'_> = &totals[at];
            (totals.preset, totals.expected, totals.nearest, totals.nearest_where_differ)
        };
        assert_eq!([row(0), row(1)], [("6.12", 0, 2, 1), ("6.17", 3, 1, 1)]);
        assert_eq!(totals[0].told_apart, Share { count: 1, of: 2 });
        assert_eq!(totals[1].told_apart, Share { count: 0, of: 0 });
        let rho = totals[0].rho_created.expect("counts vary");
        assert!((rho - 0.866).abs() < 0.001, "{rho}");
    }

    #[test]
    fn cells_that_cannot_be_judged_are_told_apart_with_the_reason() {
        let mut records = records(&ROWS);
        records[0].probe.events_lost = 1;
        records[4].error = Some("disk full".to_owned());
        records[8].host.kernel = "unknown".to_owned();
        let mut polled = sample::kernel_run("d", 0);
        polled.workers.created.probe = None;
        records.extend([sample::run("d", "6.12", 0), sample::run("d", "6.17", 0), polled]);
        records.push(sample::run("e", "6.12", 0));
        let sections = group::sections(&records);
        let fidelity = Fidelity::of(&sections).expect("three workloads have both");
        assert!(fidelity.cells.is_empty());
        let reasons: Vec<&str> = fidelity.apart.iter().map(|one| one.reason.as_str()).collect();
        let expected = [
            "events were lost under 6.12",
            "no run finished under 6.17",
            "the kernel's release is unknown",
            "no probe counted workers under io_uring",
            "io_uring did not run",
        ];
        assert_eq!(reasons, expected);
        assert_eq!(fidelity.right().percent(), None);
        assert_eq!(fidelity.created_ratio(), None);
        assert!(fidelity.totals().iter().all(|one| one.rho_peak.is_none()));
    }

    #[test]
    fn one_workload_or_a_pool_alone_is_no_grid() {
        let records = records(&ROWS);
        assert!(Fidelity::of(&group::sections(&records[..3])).is_none());
        let pool: Vec<Record> = sample::bench(1);
        assert!(Fidelity::of(&group::sections(&pool)).is_none());
    }
}
