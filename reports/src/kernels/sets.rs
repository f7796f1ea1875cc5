//! The runs of each kernel, as sets to compare.

use iowq_contract::{Record, Role};

use crate::compare::set::Set;
use crate::kernels::read::Booted;
use crate::runs::group::URING;

/// The runs of each kernel, the base first. A kernel without a run has a set without runs.
pub fn sets(booted: &Booted) -> Vec<Set<'_>> {
    let loaded = &booted.loaded;
    let labels = booted.kernels.kernels.iter().map(|kernel| &kernel.label);
    let set = |label: &String| {
        let runs = loaded.records.iter().filter(|run| is_of(run, label)).collect();
        Set { name: label.clone(), file: 0, loaded, runs }
    };
    labels.map(set).collect()
}

/// Whether a run is one of a kernel's own io-wq, to be compared.
pub(crate) fn is_of(run: &Record, label: &str) -> bool {
    let kernel = run.key.boot.as_ref().map(|boot| boot.kernel.as_str());
    kernel == Some(label) && run.key.engine == URING && run.key.role == Role::Measured
}
