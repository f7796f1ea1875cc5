//! Settings: what `--set` makes of workloads, and of the variants that run on them.

use anyhow::bail;
use iowq_contract::{Overrides, Variant, Workload};
use iowq_workloads::{Plan, Setting, Source, SpecError, set};

/// The field that the kernel has no use for: its idle workers wait as long as it says itself.
pub(super) const OF_POOL: &str = "workers.idle_timeout_ms";

/// Fields that a flag sets as well.
const LENGTH: [&str; 2] = ["run.seconds", "run.ops"];

/// Every combination of the values that are named; one without any if none is.
///
/// # Errors
/// A field or a value that cannot be set, or the same twice.
pub(crate) fn combinations(named: &[String]) -> anyhow::Result<Vec<Overrides>> {
    let settings = named.iter().map(|text| Setting::parse(text)).collect::<Result<Vec<_>, _>>()?;
    Ok(set::grid(&settings)?.into_iter().map(Overrides).collect())
}

/// Refuses fields that a flag sets, too.
pub(crate) fn refuse_set_twice(
    sets: &[Overrides],
    seconds: bool,
    idle_timeout: bool,
) -> anyhow::Result<()> {
    let has = |field: &str| sets.iter().any(|set| set.0.contains_key(field));
    if let Some(field) = LENGTH.iter().find(|field| has(field)).filter(|_| seconds) {
        bail!("--set {field}: the length of runs is set by --seconds or --quick, too; omit one");
    }
    if idle_timeout && has(OF_POOL) {
        bail!("--set {OF_POOL}: --idle-timeout sets it, too; omit one");
    }
    Ok(())
}

/// A workload with a plan for each of the variants, as `change` makes it.
///
/// # Errors
/// A value that the workload cannot have, or two that come to the same.
pub(super) fn workload(
    name: String,
    source: &Source,
    variants: &[Variant],
    change: impl Fn(Plan) -> anyhow::Result<Plan>,
) -> anyhow::Result<Workload> {
    let plan_of = |set: &Overrides| {
        let plan = source.with(&set.0).map_err(|error: SpecError| anyhow::anyhow!(error));
        plan.and_then(&change)
    };
    let mut with_set: Vec<(Overrides, Plan)> = Vec::new();
    for Variant { set, .. } in variants {
        if !set.is_empty() && with_set.iter().all(|(known, _)| known != set) {
            with_set.push((set.clone(), plan_of(set)?));
        }
    }
    for (at, (set, plan)) in with_set.iter().enumerate() {
        let same = |(other, as_other): &&(Overrides, Plan)| {
            plan == as_other && set.0.keys().eq(other.0.keys())
        };
        if let Some((other, _)) = with_set[..at].iter().find(same) {
            bail!(
                "--set: {name} is the same workload with {other} as with {set}, so that there is \
                 nothing to compare; omit one of the values, or the workload"
            );
        }
    }
    Ok(Workload { plan: change(source.plan.clone())?, name, with_set })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variants(sets: &[&str]) -> Vec<Variant> {
        let sets: Vec<String> = sets.iter().map(|&set| set.to_owned()).collect();
        let sets = combinations(&sets).expect("they are valid");
        sets.iter().map(|set| Variant::pool("6.17").with(set)).collect()
    }

    fn dsync(sets: &[&str]) -> Result<Workload, String> {
        let source = Source::builtin("dsync-1").expect("it is built in");
        workload("dsync-1".to_owned(), &source, &variants(sets), Ok)
            .map_err(|error| error.to_string())
    }

    #[test]
    fn a_workload_has_a_plan_for_each_variant_beside_its_own() {
        let variants = variants(&["bounded=4,64"]);
        let workload = dsync(&["bounded=4,64"]).expect("it is valid");
        let limits: Vec<Option<u32>> =
            variants.iter().map(|one| workload.plan_of(one).map(|plan| plan.limits[0])).collect();
        assert_eq!(limits, [Some(4), Some(64)]);
        let own = Source::builtin("dsync-1").expect("it is built in").plan;
        assert_eq!(workload.plan_of(&Variant::kernel()), Some(&own));
        assert_eq!(workload.plan_of(&super::tests::variants(&["bounded=5"])[0]), None);
    }

    #[test]
    fn values_that_come_to_the_same_are_refused_with_both() {
        let error = dsync(&["collide=true,false"]).expect_err("there is one file");
        assert!(error.contains("dsync-1 is the same workload with"), "{error}");
        assert!(error.contains("collide=false") && error.contains("collide=true"), "{error}");
    }

    #[test]
    fn what_a_flag_sets_is_not_set_once_more() {
        let sets = combinations(&["run.seconds=1,2".to_owned()]).expect("they are valid");
        assert!(refuse_set_twice(&sets, false, true).is_ok());
        let error = refuse_set_twice(&sets, true, false).expect_err("it is set by both");
        assert!(error.to_string().contains("--seconds or --quick, too; omit one"), "{error}");
    }
}
