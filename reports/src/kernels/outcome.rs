//! Kernels that were booted and compared: what `iowq-report kernels` finds in a folder of boots.
//!
//! The unit is the boot. Each test is held against the base, which decides, and each kernel against
//! the one before it, which is for information: a series of patches is read step by step.

use iowq_contract::{Boot, Caveat, Code, Kernel, Kernels, Role};
use serde::Serialize;

use crate::compare::comparison::{Comparison, Comparisons};
use crate::compare::confirm::{self, ConfirmError};
use crate::compare::decide::Decides;
use crate::compare::judge::Rules;
use crate::compare::ktap::Test;
use crate::compare::verdict::compare_by;
use crate::kernels::boots::{BootFinding, Class};
use crate::kernels::config::Changed;
use crate::kernels::dumps::Dumps;
use crate::kernels::floor::Floor;
use crate::kernels::nearest::Nearest;
use crate::kernels::read::Booted;
use crate::kernels::table::Row;
use crate::kernels::{boots, config, dumps, floor, nearest, table};

/// All that is found.
#[derive(Debug, Serialize)]
pub struct KernelsOutcome<'a> {
    /// Each test against the base, by workload.
    #[serde(flatten)]
    pub comparisons: Comparisons,
    /// Each kernel from the third on against the one before it; these decide nothing.
    pub steps: Vec<Comparison>,
    /// How far the base differs from itself, if it was booted for that.
    pub noise: Vec<Floor>,
    /// What went wrong in boots, the worst first.
    pub findings: Vec<BootFinding>,
    /// What came of `criu dump`, if it was tried.
    pub dumps: Vec<Dumps>,
    /// Counts of workers by workload and kernel.
    pub table: Vec<Row>,
    /// The presets that kernels are nearest to.
    pub nearest: Nearest,
    /// Options that differ from the base's.
    pub config: Vec<Changed>,
    /// What was booted.
    pub kernels: &'a Kernels,
    /// How the boots ended, in their order.
    pub boots: &'a [Boot],
    /// What a reader should know about the reading itself.
    pub notes: Vec<Caveat>,
}

/// Compares all kernels of a folder. A regression counts only where boots of `rerun`, judged alone,
/// show it too, if there are such.
///
/// # Errors
///
/// Reruns that are those of the folder.
pub fn compare<'a>(
    booted: &'a Booted,
    rules: Rules,
    rerun: Option<&Booted>,
) -> Result<KernelsOutcome<'a>, ConfirmError> {
    let decides = Decides::of_machine(&booted.kernels);
    let sets = booted.sets();
    let mut comparisons = compare_by(&sets, &decides, rules);
    let findings_of =
        |booted: &Booted| boots::findings(&booted.kernels, &booted.boots, rules.alpha);
    let mut findings = findings_of(booted);
    if let Some(rerun) = rerun {
        boots::confirm(&mut findings, &findings_of(rerun));
        let rerun = std::slice::from_ref(&rerun.loaded);
        confirm::confirm(&mut comparisons, &sets, rerun, &decides)?;
    }
    let mut steps = Vec::new();
    for pair in sets.get(1..).unwrap_or_default().windows(2) {
        steps.extend(compare_by(pair, &decides, rules).all);
    }
    // Noise is of the base of all. A step begins at another kernel, which its page says.
    steps.iter_mut().for_each(|step| step.notes.retain(|note| note.code != Code::NoiseOfAnother));
    Ok(KernelsOutcome {
        noise: floor::floors(&comparisons.all),
        comparisons,
        steps,
        findings,
        dumps: dumps::dumps(&booted.kernels, &booted.boots),
        table: table::rows(&sets),
        nearest: nearest::nearest(booted),
        config: config::changed(&booted.kernels),
        kernels: &booted.kernels,
        boots: &booted.boots,
        notes: booted.loaded.notes.clone(),
    })
}

impl KernelsOutcome<'_> {
    /// As [`Comparisons::exit_code`]: boots of a test that went wrong as the base's never did are a
    /// regression, and a kernel of which no boot finished for another reason is trouble.
    pub fn exit_code(&self) -> u8 {
        let any = |class| self.findings.iter().any(|finding| finding.class == class);
        if any(Class::Trouble) {
            2
        } else if any(Class::Regression) {
            1
        } else {
            self.comparisons.exit_code()
        }
    }

    /// All comparisons, steps too, for the page of pairs.
    pub fn pairs(&self) -> Comparisons {
        let mut pairs = self.comparisons.clone();
        pairs.all.extend(self.steps.iter().cloned());
        pairs
    }

    /// A test for each kernel: whether its boots went well.
    pub fn tests(&self) -> Vec<Test> {
        let test = |kernel: &Kernel| {
            let of = |class: Class| {
                let mut all = self.findings.iter();
                all.find(|finding| finding.kernel == kernel.label && finding.class == class)
            };
            let outcome = match (of(Class::Regression), of(Class::Trouble)) {
                (Some(_), _) => Ok(false),
                (None, Some(finding)) => Err(finding.text.clone()),
                (None, None) => Ok(true),
            };
            let of_kernel = self.findings.iter().filter(|finding| finding.kernel == kernel.label);
            let said = of_kernel.map(BootFinding::sentence).collect();
            Test { name: format!("boots of {}", kernel.label), said, outcome }
        };
        self.kernels.kernels.iter().map(test).collect()
    }

    /// How many boots were made for noise.
    pub fn boots_for_noise(&self) -> usize {
        self.boots.iter().filter(|boot| boot.role == Role::Noise).count()
    }

    /// The base's label.
    pub fn base(&self) -> &str {
        self.kernels.kernels.first().map_or("", |kernel| &kernel.label)
    }

    /// The comparison of a kernel with the base on a workload, and with the one before it.
    pub fn of(&self, workload: &str, kernel: &str) -> [Option<&Comparison>; 2] {
        let is = |one: &&Comparison| one.workload == workload && one.test == kernel;
        [self.comparisons.all.iter().find(is), self.steps.iter().find(is)]
    }
}
