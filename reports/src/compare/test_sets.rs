//! The sets of the made-up bench, for tests.

use iowq_contract::Role;

use super::set::Set;
use crate::load::Loaded;

/// 6.12 and 6.17, the base first.
pub(crate) fn sets(loaded: &Loaded) -> Vec<Set<'_>> {
    let set = |policy: &str| {
        let measured = loaded.records.iter().filter(|run| run.key.role == Role::Measured);
        let runs = measured.filter(|run| run.key.policy == policy).collect();
        Set::new(policy.to_owned(), 0, loaded, runs)
    };
    ["6.12", "6.17"].map(set).into()
}
