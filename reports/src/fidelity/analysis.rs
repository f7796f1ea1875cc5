//! Fidelity: how near the presets come to the running kernel, over the workloads of a grid.
//!
//! A *cell* is a workload that ran on io_uring and under each preset. The *distance* of a preset
//! from the kernel is the sum of two absolute logarithms, of the ratio of workers created and of
//! the ratio of peaks, each count one higher so that none has a ratio too, on medians of runs. The
//! *nearest* preset has the least distance, the *expected* one stands for the kernel's release.
//! Presets that have its rules while a ring is open are expected as well, but where rings are closed
//! all along: they differ by chance.
//! Presets *differ* in a cell if some other preset is not [alike](Counts::alike) the expected one.
//! A cell is *right* if the nearest preset is among the expected or alike the one that is shown: to
//! choose one of two that behave the same is no error.

use crate::fidelity::cell::Cell;
use crate::fidelity::share::Share;
use crate::fidelity::variants::{self, Counts};
use crate::runs::figures::Spread;
use crate::runs::group::{Group, Section};
use crate::stats::correlation;

/// The preset that makes workers past the limit. Where a limit is low it is often the only one that
/// differs, and far off, so that the verdict is said without it as well.
pub const PAST_LIMIT: &str = "6.17-as-posted";

/// Cells that a verdict over many workloads needs at least.
const CELLS_MIN: usize = 2;

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
    /// Least runs of an variant of the cells; 0 without cells.
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
    /// Spearman's rho across cells between its workers created and the kernel's; none if either
    /// is the same in all cells.
    pub rho_created: Option<f64>,
    /// The same of peaks.
    pub rho_peak: Option<f64>,
}

impl<'a> Fidelity<'a> {
    /// Of sections of which at least two have both the kernel and a preset; none of others, nor of
    /// several kernels, nor of several values of a setting.
    pub fn of(sections: &[Section<'a>]) -> Option<Self> {
        // Of several kernels each has its own nearest preset, which `kernels` tells.
        let kernels =
            |one: &Section<'_>| one.groups.iter().filter(|group| group.is_kernel()).count();
        let is_varied =
            |one: &Section<'_>| one.groups.windows(2).any(|two| two[0].set != two[1].set);
        if sections.iter().any(|section| kernels(section) > 1 || is_varied(section)) {
            return None;
        }
        let has_preset = |section: &Section<'_>| section.groups.iter().any(Group::is_preset);
        let both = sections.iter().filter(|one| one.kernel().is_some() && has_preset(one));
        if both.count() < CELLS_MIN {
            return None;
        }
        let presets = variants::presets(sections);
        let mut fidelity = Self { cells: Vec::new(), apart: Vec::new(), presets, runs_least: 0 };
        let mut runs_least = None;
        for section in sections {
            match Cell::of(section, &fidelity.presets) {
                Ok(cell) => {
                    fidelity.cells.push(cell);
                    let variants =
                        section.groups.iter().filter(|one| one.is_kernel() || one.is_preset());
                    runs_least = variants.map(|variant| variant.runs.len()).chain(runs_least).min();
                }
                Err(reason) => fidelity.apart.push(Apart { workload: section.workload, reason }),
            }
        }
        fidelity.runs_least = runs_least.unwrap_or(0);
        Some(fidelity)
    }

    /// Cells in which presets differ.
    pub fn differing(&self) -> impl Iterator<Item = &Cell<'a>> {
        self.cells.iter().filter(|cell| cell.presets_differ())
    }

    /// Of the cells in which presets differ, those in which the nearest one is right.
    pub fn right(&self) -> Share {
        Share::of(self.differing(), |cell| cell.right())
    }

    /// The same as if [`PAST_LIMIT`] had not run; none if it did not.
    pub fn right_within_limit(&self) -> Option<Share> {
        let cells = self.cells.iter().map(|cell| cell.without(PAST_LIMIT));
        let differing = cells.filter(Cell::presets_differ);
        self.presets.contains(&PAST_LIMIT).then(|| Share::of(differing, Cell::right))
    }

    /// Of all cells, those in which the expected preset's peak is near the kernel's.
    pub fn peaks(&self) -> Share {
        Share::of(self.cells.iter(), |cell| cell.peak_agrees())
    }

    /// Workers that the expected preset created for each that the kernel did, over the cells in
    /// which the kernel created some.
    pub fn created_ratio(&self) -> Option<Spread> {
        Spread::of(self.cells.iter().filter_map(Cell::created_ratio).collect())
    }

    /// Cells that are not as the kernel in something, the worst first.
    pub fn off(&self) -> Vec<&Cell<'a>> {
        let mut off: Vec<&Cell<'a>> =
            self.cells.iter().filter(|one| !one.off().is_empty()).collect();
        off.sort_by(|a, b| {
            let (a, b) = (a.badness(), b.badness());
            b.0.cmp(&a.0).then(b.1.total_cmp(&a.1))
        });
        off
    }

    /// Each preset over all cells.
    pub fn totals(&self) -> Vec<PresetTotals<'a>> {
        self.presets.iter().enumerate().map(|(at, preset)| self.preset_totals(at, preset)).collect()
    }

    /// `Variants` has all presets in the order of `self.presets`, so that a place is the same in each.
    fn preset_totals(&self, at: usize, preset: &'a str) -> PresetTotals<'a> {
        let count = |so: &dyn Fn(&&Cell<'a>) -> bool| self.cells.iter().filter(so).count();
        let pairs = || {
            self.cells.iter().map(|cell| (cell.variants.presets[at].counts, cell.variants.kernel))
        };
        let rho = |value: fn(Counts) -> f64| {
            let (ours, kernels): (Vec<f64>, Vec<f64>) =
                pairs().map(|(ours, kernel)| (value(ours), value(kernel))).unzip();
            correlation::spearman(&ours, &kernels)
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
        let variants = self.cells.iter().map(|cell| (cell, cell.variants.presets[at]));
        Share::of(variants.filter(|(cell, ours)| cell.differs(ours)), |(cell, ours)| {
            let kernel = cell.variants.kernel;
            kernel.distance(cell.expected.counts) < kernel.distance(ours.counts)
        })
    }
}

#[cfg(test)]
mod tests;
