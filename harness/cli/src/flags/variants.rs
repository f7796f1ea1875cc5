//! Variants: what is compared on each workload, from engines, policies and settings.

use anyhow::anyhow;
use iowq_contract::{EngineName, Overrides, Role, Variant, WantBlocking, advice_on};
use iowq_pool::policy::Registry;

use super::settings::OF_POOL;

/// Policies that are run if none is named.
const POLICIES: [&str; 4] = ["6.12", "6.16", "6.17", "exit-on-idle"];

/// The variants of a bench, without repeats: the pool under each policy, and the kernel once; each
/// with every combination of what is set.
pub(super) fn variants(
    engines: &[EngineName],
    policies: &[String],
    sets: &[Overrides],
    registry: &Registry,
    blocking: WantBlocking,
) -> anyhow::Result<Vec<Variant>> {
    if !engines.contains(&EngineName::Pool) {
        refuse_what_is_the_pools(policies, blocking)?;
        refuse_idle_timeout(sets)?;
    }
    for name in policies {
        registry.parse(name).map_err(|error| match advice_on(name) {
            Some(advice) => anyhow!("--policy {name}: a release is no preset; {advice}"),
            None => error.into(),
        })?;
    }
    let under = |engine: &EngineName| match (engine, policies) {
        (EngineName::Uring, _) => vec![Variant::kernel()],
        (EngineName::Sync, _) => vec![Variant::no_ring()],
        (EngineName::Pool, []) => POLICIES.map(Variant::pool).to_vec(),
        (EngineName::Pool, policies) => policies.iter().map(|name| Variant::pool(name)).collect(),
    };
    let mut variants: Vec<Variant> = Vec::new();
    let with = |variant: Variant| {
        let engine = variant.engine;
        let taken = move |set: &Overrides| match engine {
            EngineName::Pool => set.clone(),
            EngineName::Uring => without(set, |key| key == OF_POOL),
            EngineName::Sync => without(set, |key| key.starts_with("workers.")),
        };
        sets.iter().map(move |set| variant.clone().with(&taken(set)))
    };
    for variant in engines.iter().flat_map(under).flat_map(with) {
        if !variants.contains(&variant) {
            variants.push(variant);
        }
    }
    Ok(variants)
}

/// What is set but for what means nothing to an engine.
fn without(set: &Overrides, is_nothing: impl Fn(&str) -> bool) -> Overrides {
    let mut set = set.clone();
    set.0.retain(|key, _| !is_nothing(key));
    set
}

/// Refuses an idle timeout if only the kernel runs.
pub(crate) fn refuse_idle_timeout(sets: &[Overrides]) -> anyhow::Result<()> {
    if sets.iter().any(|set| set.0.contains_key(OF_POOL)) {
        anyhow::bail!(
            "--set {OF_POOL}: idle workers of the kernel wait as long as it says itself; take the \
             pool (bench --engine pool), or omit it"
        );
    }
    Ok(())
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
            "--policy {policy}: policies are the pool's: the kernel has its own rules, and without a ring there are none; add \
             --engine pool, or omit --policy"
        );
    }
    let name = match blocking {
        WantBlocking::Auto => return Ok(()),
        WantBlocking::Sched => "sched",
        WantBlocking::Declared => "declared",
    };
    anyhow::bail!(
        "--blocking {name}: only the pool has to be told that a worker sleeps; add --engine pool, or omit --blocking"
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use EngineName::{Pool, Uring};

    fn named(engines: &[EngineName], policies: &[&str]) -> Vec<String> {
        let policies: Vec<String> = policies.iter().map(|&name| name.to_owned()).collect();
        with(engines, &policies, &[]).expect("variants")
    }

    fn with(
        engines: &[EngineName],
        policies: &[String],
        sets: &[&str],
    ) -> Result<Vec<String>, String> {
        let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
        let sets =
            super::super::settings::combinations(&sets).map_err(|error| error.to_string())?;
        let found = variants(engines, policies, &sets, &Registry::builtin(), WantBlocking::Auto);
        let variants = found.map_err(|error| error.to_string())?;
        Ok(variants.iter().map(Variant::to_string).collect())
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
            let found = with(&[Pool], &[name.into()], &[]);
            found.expect_err(name)
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
    fn each_policy_and_the_kernel_have_a_variant_for_every_combination_of_values() {
        let policies = ["6.12".to_owned(), "6.17".to_owned()];
        let found = with(&[Pool, Uring], &policies, &["bounded=4,64"]).expect("they are valid");
        let expected = [
            "under 6.12 bounded=4",
            "under 6.12 bounded=64",
            "under 6.17 bounded=4",
            "under 6.17 bounded=64",
            "on io_uring bounded=4",
            "on io_uring bounded=64",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn the_kernels_idle_timeout_is_its_own() {
        let sets = ["idle_timeout_ms=250,5000"];
        let found = with(&[Pool, Uring], &["6.17".to_owned()], &sets).expect("the pool runs");
        let pool = ["under 6.17 idle_timeout_ms=250", "under 6.17 idle_timeout_ms=5000"];
        assert_eq!(found, [&pool[..], &["on io_uring"]].concat());
        let error = with(&[Uring], &[], &sets).expect_err("nothing would differ");
        assert!(
            error.contains("--set workers.idle_timeout_ms: idle workers of the kernel"),
            "{error}"
        );
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
