//! Arms: what is compared on each workload, an engine with the rules that it runs under.

use std::fmt;

use iowq_contract::Role;

use crate::cell::{self, EngineName, WantBlocking};
use iowq_pool::policy::{PolicySpec, Registry};

/// Policies that are run where none is named.
const POLICIES: [&str; 4] = ["6.12", "6.16", "6.17", "exit-on-idle"];

/// An engine under a policy, and what its runs are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Arm {
    pub(super) engine: EngineName,
    /// None for the kernel's own rules.
    pub(super) policy: Option<PolicySpec>,
    pub(super) role: Role,
}

impl Arm {
    fn pool(policy: PolicySpec) -> Arm {
        Arm { engine: EngineName::Pool, policy: Some(policy), role: Role::Measured }
    }

    /// The running kernel, whose rules are its own.
    fn kernel() -> Arm {
        Arm { engine: EngineName::Uring, policy: None, role: Role::Measured }
    }
}

/// As it follows the name of a workload.
impl fmt::Display for Arm {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self.engine {
            EngineName::Pool => write!(f, "under {}", cell::policy_name(self.policy.as_ref()))?,
            EngineName::Uring => f.write_str("on io_uring")?,
        }
        f.write_str(match self.role {
            Role::Measured => "",
            Role::Noise => " again",
            Role::Control => " delayed",
        })
    }
}

/// The arms of a bench, without repeats: the pool under each policy, and the kernel once.
pub(super) fn arms(
    engines: &[EngineName],
    policies: &[String],
    blocking: WantBlocking,
) -> anyhow::Result<Vec<Arm>> {
    if !engines.contains(&EngineName::Pool) {
        refuse_what_is_the_pools(policies, blocking)?;
    }
    let registry = Registry::builtin();
    let under_policies = match policies {
        [] => under_each(&registry, &POLICIES)?,
        policies => under_each(&registry, policies)?,
    };
    let under = |engine: &EngineName| match engine {
        EngineName::Uring => vec![Arm::kernel()],
        EngineName::Pool => under_policies.clone(),
    };
    let mut arms: Vec<Arm> = Vec::new();
    for arm in engines.iter().flat_map(under) {
        if !arms.contains(&arm) {
            arms.push(arm);
        }
    }
    Ok(arms)
}

/// The pool under each of these policies.
fn under_each(registry: &Registry, names: &[impl AsRef<str>]) -> anyhow::Result<Vec<Arm>> {
    names.iter().map(|name| Ok(Arm::pool(registry.parse(name.as_ref())?))).collect()
}

/// The first arm once more for each of these roles.
pub(super) fn first_again(arms: &[Arm], roles: &[Role]) -> Vec<Arm> {
    let first = arms.iter().take(1);
    first.flat_map(|arm| roles.iter().map(|&role| Arm { role, ..arm.clone() })).collect()
}

/// The arms that say how near the pool is to the running kernel: that kernel, and every preset.
pub(super) fn fidelity_arms() -> anyhow::Result<Vec<Arm>> {
    let registry = Registry::builtin();
    let presets: Vec<_> = registry.presets().iter().map(|preset| preset.name).collect();
    Ok([vec![Arm::kernel()], under_each(&registry, &presets)?].concat())
}

fn refuse_what_is_the_pools(policies: &[String], blocking: WantBlocking) -> anyhow::Result<()> {
    if let Some(policy) = policies.first() {
        anyhow::bail!(
            "--policy {policy}: policies are the pool's, and the kernel has its own rules; add \
             --engine pool, or leave --policy away"
        );
    }
    let name = match blocking {
        WantBlocking::Auto => return Ok(()),
        WantBlocking::Sched => "sched",
        WantBlocking::Declared => "declared",
    };
    anyhow::bail!(
        "--blocking {name}: only the pool has to be told that a worker sleeps, and the kernel \
         knows; add --engine pool, or leave --blocking away"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use EngineName::{Pool, Uring};

    fn named(engines: &[EngineName], policies: &[&str]) -> Vec<String> {
        let policies: Vec<String> = policies.iter().map(|&name| name.to_owned()).collect();
        let arms = arms(engines, &policies, WantBlocking::Auto).expect("arms");
        arms.iter().map(Arm::to_string).collect()
    }

    #[test]
    fn the_pool_has_an_arm_for_each_policy_and_the_kernel_has_one() {
        assert_eq!(named(&[Pool], &["6.17", "6.12"]), ["under 6.17", "under 6.12"]);
        assert_eq!(named(&[Uring], &[]), ["on io_uring"]);
        assert_eq!(named(&[Uring, Pool], &["6.17"]), ["on io_uring", "under 6.17"]);
        assert_eq!(named(&[Pool], &[]).len(), POLICIES.len());
    }

    #[test]
    fn an_engine_or_a_policy_named_twice_counts_once() {
        let arms = named(&[Uring, Pool, Uring, Pool], &["6.17", "6.17"]);
        assert_eq!(arms, ["on io_uring", "under 6.17"]);
    }

    #[test]
    fn only_the_first_arm_runs_again() {
        let registry = Registry::builtin();
        let arms = [under_each(&registry, &["6.12"]).expect("arms"), vec![Arm::kernel()]].concat();
        let again = first_again(&arms, &[Role::Noise, Role::Control]);
        let again: Vec<String> = again.iter().map(Arm::to_string).collect();
        assert_eq!(again, ["under 6.12 again", "under 6.12 delayed"]);
        assert_eq!(first_again(&arms, &[]), []);
    }

    #[test]
    fn fidelity_has_the_kernel_and_every_preset() {
        let arms = fidelity_arms().expect("arms");
        assert_eq!(arms.len(), 1 + Registry::builtin().presets().len());
        assert!(arms[1..].iter().all(|arm| arm.policy.is_some()));
        assert_eq!(arms.iter().filter(|arm| arm.engine == Uring).count(), 1);
    }
}
