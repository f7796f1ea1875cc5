//! A cell: one workload on io_uring and under each preset, and how near they are.

use iowq_contract::{Settings, presets_of};

use crate::fidelity::dispatch::{self, Dispatch};
use crate::fidelity::name::Name;
use crate::fidelity::variants::{Variant, Variants, near};
use crate::format;
use crate::runs::group::{Group, Section};
use crate::runs::metric::Metric;

/// Workers created under a preset agree with the kernel's up to this factor of each other. On one
/// machine io_uring itself made up to 1.4 times as many workers in one run as in another.
pub const BIRTHS_FACTOR: f64 = 1.5;

/// They agree as well up to this many workers apart, whatever their factor.
pub const BIRTHS_WORKERS: f64 = 3.0;

/// A workload that can be judged.
#[derive(Debug)]
pub struct Cell<'a> {
    /// Name of the workload.
    pub workload: &'a str,
    /// What that name tells, if it is of a grid.
    pub name: Name<'a>,
    /// Its settings, as the kernel ran it.
    pub settings: &'a Settings,
    /// File system that it ran on.
    pub filesystem: &'a str,
    /// What kernel and presets did.
    pub variants: Variants<'a>,
    /// The preset that stands for the kernel's release.
    pub expected: Variant<'a>,
    /// Operations per second under the expected preset for each one on io_uring.
    pub ops_ratio: Option<f64>,
    /// How ops of each kind reached workers, if both the kernel and the expected preset say so.
    pub dispatch: Vec<Dispatch>,
    /// The presets that have the rules of the expected one in this cell, the one that is shown
    /// among them.
    pub(crate) same: &'static [&'static str],
}

/// What of a cell is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Off {
    /// Presets differ and the nearest is not the expected one, nor alike it.
    Nearest,
    /// Workers created.
    Births,
    /// Most workers alive.
    Peak,
    /// How ops reached workers.
    Dispatch,
}

impl Off {
    /// As a table has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Nearest => "nearest",
            Self::Births => "births",
            Self::Peak => "peak",
            Self::Dispatch => "dispatch",
        }
    }
}

impl<'a> Cell<'a> {
    /// Of a section, with the presets that are wanted.
    ///
    /// # Errors
    ///
    /// Why it cannot be judged.
    pub(crate) fn of(section: &Section<'a>, wanted: &[&'a str]) -> Result<Self, String> {
        let variants = Variants::of(section, wanted)?;
        let kernel = section.kernel().ok_or("io_uring did not run")?;
        let run = kernel.runs.first().ok_or("io_uring did not run")?;
        let release = &run.host.kernel;
        let name = Name::of(section.workload);
        let same =
            presets_of(release, name.closes_rings()).ok_or("the kernel's release is unknown")?;
        let shown = same[0];
        let expected = variants.presets.iter().find(|variant| variant.preset == shown).copied();
        let expected = expected.ok_or_else(|| {
            format!("{shown} did not run, which stands for {}", format::release(release))
        })?;
        let ours = section.groups.iter().find(|one| one.is_preset() && one.policy == shown);
        let per_s =
            |group: &Group<'_>| group.figures.of(Metric::OpsPerS).map(|spread| spread.median);
        let ops_ratio = ours.and_then(per_s).zip(per_s(kernel).filter(|per_s| *per_s > 0.0));
        Ok(Self {
            workload: section.workload,
            name,
            settings: &run.settings,
            filesystem: &run.host.filesystem,
            variants,
            expected,
            ops_ratio: ops_ratio.map(|(ours, kernels)| ours / kernels),
            dispatch: ours.map_or_else(Vec::new, |ours| dispatch::of(kernel, ours)),
            same,
        })
    }

    /// The preset with the least distance from the kernel; of equal ones an expected.
    pub fn nearest(&self) -> Variant<'a> {
        self.variants.nearest(self.same).unwrap_or(self.expected)
    }

    /// Whether a preset has the rules of the expected one in this cell, or is that one.
    pub fn expects(&self, preset: &str) -> bool {
        self.same.contains(&preset)
    }

    /// Whether an variant does something else than is expected, and not by chance alone.
    pub(crate) fn differs(&self, variant: &Variant<'_>) -> bool {
        !self.expects(variant.preset) && !variant.counts.alike(self.expected.counts)
    }

    /// Whether some preset differs from the expected ones.
    pub fn presets_differ(&self) -> bool {
        self.variants.presets.iter().any(|variant| self.differs(variant))
    }

    /// Whether the nearest preset is expected, or alike the expected one.
    pub fn right(&self) -> bool {
        !self.differs(&self.nearest())
    }

    /// Whether it is right only as far as a preset that differs is not nearer, but as near.
    pub fn tied(&self) -> bool {
        let distance = |variant: &Variant<'_>| self.variants.kernel.distance(variant.counts);
        let least = distance(&self.nearest());
        self.right()
            && self
                .variants
                .presets
                .iter()
                .any(|variant| self.differs(variant) && distance(variant) <= least)
    }

    /// Whether the expected preset created about as many workers as the kernel.
    pub fn births_agree(&self) -> bool {
        let (ours, kernels) = (self.expected.counts.created, self.variants.kernel.created);
        near(ours, kernels, BIRTHS_FACTOR, BIRTHS_WORKERS)
    }

    /// Whether the expected preset's peak is near the kernel's.
    pub fn peak_agrees(&self) -> bool {
        self.expected.counts.peak_alike(self.variants.kernel)
    }

    /// Whether ops of each kind reached workers as in the kernel; none if that was not seen.
    pub fn dispatch_agrees(&self) -> Option<bool> {
        (!self.dispatch.is_empty()).then(|| self.dispatch.iter().all(Dispatch::agrees))
    }

    /// All that is off in it, in the order of the columns of a table.
    pub fn off(&self) -> Vec<Off> {
        let all = [
            (Off::Nearest, self.presets_differ() && !self.right()),
            (Off::Births, !self.births_agree()),
            (Off::Peak, !self.peak_agrees()),
            (Off::Dispatch, self.dispatch_agrees() == Some(false)),
        ];
        all.into_iter().filter_map(|(off, is)| is.then_some(off)).collect()
    }

    /// How far it is off, to put the worst first: the distance of the expected preset, and of
    /// shares the greatest difference, of 1. One whose nearest preset is wrong comes before all
    /// others.
    pub fn badness(&self) -> (bool, f64) {
        let gap = self.dispatch.iter().map(Dispatch::gap).fold(0.0, f64::max) / 100.0;
        let distance = self.variants.kernel.distance(self.expected.counts);
        (self.off().contains(&Off::Nearest), distance + gap)
    }

    /// Workers that the expected preset created for each that the kernel did; none if the
    /// kernel created none.
    pub fn created_ratio(&self) -> Option<f64> {
        self.expected.counts.created_ratio(self.variants.kernel)
    }

    /// The same cell as if a preset had not run.
    pub(crate) fn without(&self, preset: &str) -> Self {
        let presets = self.variants.presets.iter().filter(|variant| variant.preset != preset);
        let variants =
            Variants { kernel: self.variants.kernel, presets: presets.copied().collect() };
        Self { variants, dispatch: self.dispatch.clone(), ..*self }
    }
}
