//! Variants: what is compared on each workload, from engines and policies.

use anyhow::anyhow;
use iowq_contract::{EngineName, Role, Variant, WantBlocking, advice_on};
use iowq_pool::policy::Registry;

/// Policies that are run if none is named.
const POLICIES: [&str; 4] = ["6.12", "6.16", "6.17", "exit-on-idle"];

/// The variants of a bench, without repeats: the pool under each policy, and the kernel once.
pub(super) fn variants(
    engines: &[EngineName],
    policies: &[String],
    registry: &Registry,
    blocking: WantBlocking,
) -> anyhow::Result<Vec<Variant>> {
    if !engines.contains(&EngineName::Pool) {
        refuse_what_is_the_pools(policies, blocking)?;
    }
    for name in policies {
        registry.parse(name).map_err(|error| match advice_on(name) {
            Some(advice) => anyhow!("--policy {name}: a release is no preset; {advice}"),
            None => error.into(),
        })?;
    }
    let under = |engine: &EngineName| match (engine, policies) {
        (EngineName::Uring, _) => vec![Variant::kernel()],
        (EngineName::Pool, []) => POLICIES.map(Variant::pool).to_vec(),
        (EngineName::Pool, policies) => policies.iter().map(|name| Variant::pool(name)).collect(),
    };
    let mut variants: Vec<Variant> = Vec::new();
    for variant in engines.iter().flat_map(under) {
        if !variants.contains(&variant) {
            variants.push(variant);
        }
    }
    Ok(variants)
}

/// The first variant once more for each of these roles.
pub(super) fn first_again(variants: &[Variant], roles: &[Role]) -> Vec<Variant> {
    let first = variants.iter().take(1);
    first
        .flat_map(|variant| roles.iter().map(|&role| Variant { role, ..variant.clone() }))
        .collect()
}

/// The variants that say how near the pool is to the running kernel: that kernel, and every preset.
pub(super) fn fidelity_variants(registry: &Registry) -> Vec<Variant> {
    let presets = registry.presets().iter().map(|preset| Variant::pool(preset.name));
    [Variant::kernel()].into_iter().chain(presets).collect()
}

fn refuse_what_is_the_pools(policies: &[String], blocking: WantBlocking) -> anyhow::Result<()> {
    if let Some(policy) = policies.first() {
        anyhow::bail!(
            "--policy {policy}: policies are the pool's, and the kernel has its own rules; add \
             --engine pool, or omit --policy"
        );
    }
    let name = match blocking {
        WantBlocking::Auto => return Ok(()),
        WantBlocking::Sched => "sched",
        WantBlocking::Declared => "declared",
    };
    anyhow::bail!(
        "--blocking {name}: only the pool has to be told that a worker sleeps; the kernel \
         knows; add --engine pool, or omit --blocking"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use EngineName::{Pool, Uring};

    fn named(engines: &[EngineName], policies: &[&str]) -> Vec<String> {
        let policies: Vec<String> = policies.iter().map(|&name| name.to_owned()).collect();
        let variants = variants(engines, &policies, &Registry::builtin(), WantBlocking::Auto)
            .expect("variants");
        variants.iter().map(Variant::to_string).collect()
    }

    #[test]
    fn the_pool_has_a_variant_for_each_policy_and_the_kernel_has_one() {
        assert_eq!(named(&[Pool], &["6.17", "6.12"]), ["under 6.17", "under 6.12"]);
        assert_eq!(named(&[Uring], &[]), ["on io_uring"]);
        assert_eq!(named(&[Uring, Pool], &["6.17"]), ["on io_uring", "under 6.17"]);
        assert_eq!(named(&[Pool], &[]).len(), POLICIES.len());
    }

    #[test]
    fn a_release_in_place_of_a_preset_is_answered_with_what_stands_for_it() {
        let error = |name: &str| {
            let found = variants(&[Pool], &[name.into()], &Registry::builtin(), WantBlocking::Auto);
            found.expect_err(name).to_string()
        };
        let expected = "--policy 6.18.44: a release is no preset; 6.18.44 is `exit-on-idle`";
        assert_eq!(error("6.18.44"), expected);
        assert!(error("6.71").contains("did you mean `6.17`?"), "{}", error("6.71"));
    }

    #[test]
    fn an_engine_or_a_policy_named_twice_counts_once() {
        let variants = named(&[Uring, Pool, Uring, Pool], &["6.17", "6.17"]);
        assert_eq!(variants, ["on io_uring", "under 6.17"]);
    }

    #[test]
    fn only_the_first_variant_runs_again() {
        let variants = [Variant::pool("6.12"), Variant::kernel()];
        let again = first_again(&variants, &[Role::Noise, Role::Control]);
        let again: Vec<String> = again.iter().map(Variant::to_string).collect();
        assert_eq!(again, ["under 6.12 again", "under 6.12 delayed"]);
        assert_eq!(first_again(&variants, &[]), []);
    }

    #[test]
    fn fidelity_has_the_kernel_and_every_preset() {
        let variants = fidelity_variants(&Registry::builtin());
        assert_eq!(variants.len(), 1 + Registry::builtin().presets().len());
        assert!(
            variants[1..].iter().all(|variant| Registry::builtin().parse(&variant.policy).is_ok())
        );
        assert_eq!(variants.iter().filter(|variant| variant.engine == Uring).count(), 1);
    }
}
