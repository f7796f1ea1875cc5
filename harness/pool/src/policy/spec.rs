//! A policy that was named: what its name means, parsed once, and how to build it.

use super::kernel::Kernel;
use super::patch::{Patch, Patches};
use super::preset::Preset;
use super::rules::Policy;

/// An invalid policy name: what was found, and what is known or allowed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NameError(pub(super) String);

/// A parameter of a policy. The name ends with its unit, such as `age_us`.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Name, as in `policy:name=value`.
    pub name: &'static str,
    /// What it means, in one line.
    pub summary: &'static str,
    /// Smallest value.
    pub min: u64,
    /// Largest value.
    pub max: u64,
    /// Its value if none is given; a parameter without a default must be given.
    pub default: Option<u64>,
}

/// A policy with parameters, as it is registered.
#[derive(Clone, Copy, Debug)]
pub struct PolicyKind {
    /// Name, as in `--policy`.
    pub name: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// Parameters. `name:value` is short for a value of the first.
    pub parameters: &'static [Parameter],
    /// Builds it.
    pub build: fn(&Parameters) -> Box<dyn Policy>,
}

impl PolicyKind {
    /// Its name as it is listed: with `:N` if a parameter must be given.
    #[must_use]
    pub fn usage(&self) -> String {
        let required = self.parameters.iter().any(|one| one.default.is_none());
        format!("{}{}", self.name, if required { ":N" } else { "" })
    }
}

/// The values of a policy's parameters.
#[derive(Clone, Debug)]
pub struct Parameters(pub(super) Vec<(&'static str, u64)>);

impl Parameters {
    /// The value of this parameter.
    ///
    /// # Panics
    /// If the policy has no parameter of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> u64 {
        let found = self.0.iter().find(|(known, _)| *known == name);
        found.unwrap_or_else(|| panic!("no parameter `{name}` was registered")).1
    }
}

/// What a name means.
#[derive(Clone, Debug)]
pub(super) enum Meaning {
    Kernel(&'static Preset, Patches),
    Kind(PolicyKind, Parameters),
}

/// A policy by name. Equal names are equal policies.
#[derive(Clone, Debug)]
pub struct PolicySpec {
    pub(super) name: String,
    pub(super) meaning: Meaning,
}

impl PolicySpec {
    /// The name, as given.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The preset that the name begins with, if it is one of the kernel's policies.
    #[must_use]
    pub fn preset(&self) -> Option<&'static Preset> {
        match self.meaning {
            Meaning::Kernel(preset, _) => Some(preset),
            Meaning::Kind(..) => None,
        }
    }

    /// The names of its patches, in the order in which they were merged.
    #[must_use]
    pub fn patches(&self) -> Vec<&'static str> {
        match self.meaning {
            Meaning::Kernel(_, patches) => patches.iter().map(Patch::name).collect(),
            Meaning::Kind(..) => Vec::new(),
        }
    }

    /// Builds the policy, for one pool.
    #[must_use]
    pub fn build(&self) -> Box<dyn Policy> {
        match &self.meaning {
            Meaning::Kernel(_, patches) => Box::new(Kernel { patches: *patches }),
            Meaning::Kind(kind, parameters) => (kind.build)(parameters),
        }
    }
}

impl PartialEq for PolicySpec {
    fn eq(&self, other: &PolicySpec) -> bool {
        self.name == other.name
    }
}

impl Eq for PolicySpec {}
