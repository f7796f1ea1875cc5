//! The preset that each kernel is nearest to, by the distance of a fidelity analysis: how workers
//! created and peaks of io_uring on that kernel differ from those of the pool under each preset.

use iowq_contract::{Record, Role};
use serde::Serialize;

use crate::fidelity::variants::{self, Variants};
use crate::kernels::read::{Booted, is_of};
use crate::runs::group::{self, POOL};

/// What was found, of all kernels.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Nearest {
    /// The presets that ran, in the order of kernels; empty if none did.
    pub presets: Vec<String>,
    /// By workload and kernel.
    pub cells: Vec<Cell>,
    /// Each kernel over all workloads.
    pub overall: Vec<Overall>,
}

/// One kernel on one workload.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cell {
    /// Name of the workload.
    pub workload: String,
    /// Label of the kernel.
    pub kernel: String,
    /// The nearest preset first, and those that behave alike; empty where that cannot be told.
    pub presets: Vec<String>,
    /// Distance to each preset, in the order of [`Nearest::presets`]; empty as well.
    pub distances: Vec<f64>,
    /// Why it cannot be told.
    pub missing: Option<String>,
}

/// One kernel over all workloads.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Overall {
    /// Label of the kernel.
    pub kernel: String,
    /// The preset with the least mean distance.
    pub preset: String,
    /// Workloads that could be judged.
    pub workloads: usize,
    /// Mean distance to each preset, in the order of [`Nearest::presets`].
    pub distances: Vec<f64>,
    /// Each other preset, and the workloads in which it is not alike the nearest one; none if
    /// these workloads cannot tell the two apart.
    pub others: Vec<(String, Vec<String>)>,
}

impl Overall {
    /// The presets that no workload tells from the nearest one.
    pub fn alike(&self) -> Vec<String> {
        let alike = self.others.iter().filter(|(_, workloads)| workloads.is_empty());
        alike.map(|(preset, _)| preset.clone()).collect()
    }
}

/// Finds them. Runs of presets may come from boots of any kernel: the pool has its own workers.
pub fn nearest(booted: &Booted) -> Nearest {
    let records = &booted.loaded.records;
    let is_pool = |run: &Record| run.key.engine == POOL && run.key.role == Role::Measured;
    let pool = group::sections(records.iter().filter(|run| is_pool(run)));
    let presets = variants::presets(&pool);
    let mut found = Nearest {
        presets: presets.iter().map(|preset| (*preset).to_owned()).collect(),
        ..Nearest::default()
    };
    if presets.is_empty() {
        return found;
    }
    for kernel in &booted.kernels.kernels {
        let label = kernel.label.as_str();
        let runs = records.iter().filter(|run| is_pool(run) || is_of(run, label));
        let sections = group::sections(runs);
        let judged: Vec<(&str, Result<Variants<'_>, String>)> =
            sections.iter().map(|one| (one.workload, Variants::of(one, &presets))).collect();
        found
            .cells
            .extend(judged.iter().map(|(workload, variants)| cell(workload, label, variants)));
        let whole =
            judged.iter().filter_map(|(name, variants)| Some((*name, variants.as_ref().ok()?)));
        found.overall.extend(overall(label, &whole.collect::<Vec<_>>()));
    }
    found
}

fn cell(workload: &str, kernel: &str, variants: &Result<Variants<'_>, String>) -> Cell {
    let mut cell = Cell {
        workload: workload.to_owned(),
        kernel: kernel.to_owned(),
        presets: Vec::new(),
        distances: Vec::new(),
        missing: None,
    };
    match variants {
        Err(why) => cell.missing = Some(why.clone()),
        Ok(variants) => {
            cell.distances = distances(variants);
            if let Some(nearest) = variants.nearest(&[]) {
                let all = std::iter::once(&nearest).chain(variants.alike(nearest));
                cell.presets = all.map(|variant| variant.preset.to_owned()).collect();
            }
        }
    }
    cell
}

fn distances(variants: &Variants<'_>) -> Vec<f64> {
    variants.presets.iter().map(|variant| variants.kernel.distance(variant.counts)).collect()
}

/// Over all workloads that could be judged; none without such.
fn overall(kernel: &str, judged: &[(&str, &Variants<'_>)]) -> Option<Overall> {
    let (_, first) = judged.first()?;
    let mut sums = vec![0.0; first.presets.len()];
    for (_, variants) in judged {
        for (sum, distance) in sums.iter_mut().zip(distances(variants)) {
            *sum += distance;
        }
    }
    let distances: Vec<f64> = sums.iter().map(|sum| sum / judged.len() as f64).collect();
    let at = (0..distances.len()).min_by(|a, b| distances[*a].total_cmp(&distances[*b]))?;
    let mut others = Vec::new();
    for (other, variant) in first.presets.iter().enumerate().filter(|(other, _)| *other != at) {
        let unlike = |variants: &Variants<'_>| {
            !variants.presets[other].counts.alike(variants.presets[at].counts)
        };
        let workloads = judged.iter().filter(|(_, variants)| unlike(variants));
        others.push((variant.preset.to_owned(), workloads.map(|one| one.0.to_owned()).collect()));
    }
    let preset = first.presets[at].preset.to_owned();
    Some(Overall { kernel: kernel.to_owned(), preset, workloads: judged.len(), distances, others })
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::load::Loaded;

    fn found(with_pool: bool) -> Nearest {
        let (kernels, boots, mut records) = sample::kernels(2);
        records.retain(|run| with_pool || run.key.engine == "uring");
        let loaded = Loaded { records, ..Loaded::default() };
        nearest(&Booted { kernels, boots, loaded })
    }

    #[test]
    fn each_kernel_is_nearest_to_the_preset_that_it_stands_for() {
        let found = found(true);
        let overall: Vec<(&str, &str)> =
            found.overall.iter().map(|one| (one.kernel.as_str(), one.preset.as_str())).collect();
        for stands_for in [("base", "6.12"), ("A", "6.16"), ("AB", "6.17"), ("S", "6.17-as-posted")]
        {
            assert!(overall.contains(&stands_for), "{overall:?}");
        }
        let posted = found.overall[2].others.iter().find(|other| other.0 == "6.17-as-posted");
        assert!(posted.is_some_and(|other| other.1.contains(&"limit-8".to_owned())));
    }

    #[test]
    fn without_runs_of_presets_nothing_is_nearest() {
        assert_eq!(found(false), Nearest::default());
    }
}
