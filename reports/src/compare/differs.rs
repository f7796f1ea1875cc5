//! What differs: what was set to, so that a difference between two sets may be that of a setting.

use iowq_contract::Record;

use crate::format;
use crate::runs::{group, set};

/// `workers.bounded 4 against 64` for each field that was set to differ, and before them the rules,
/// if these differ too; nothing if no field was.
pub(super) fn between(base: &[&Record], test: &[&Record]) -> Vec<String> {
    let Some((base, test)) = base.first().zip(test.first()) else { return Vec::new() };
    let mut differs = set::between(&base.key.set, &test.key.set);
    let [of_base, of_test] = [base, test].map(|run| format::clip(&group::rules(run), 60));
    if !differs.is_empty() && of_base != of_test {
        differs.insert(0, format!("rules {of_base} against {of_test}"));
    }
    differs
}

#[cfg(test)]
mod tests {
    use iowq_contract::Code;
    use iowq_sample as sample;

    use crate::compare::comparison::Comparison;
    use crate::compare::finding::Verdict;
    use crate::compare::judge::Rules;
    use crate::compare::test_sets;
    use crate::compare::verdict::compare;
    use crate::load::Loaded;

    const RULES: Rules = Rules { threshold: 0.05, alpha: 0.05 };

    /// A bench of two policies under a limit each, with what is changed in the runs of the test.
    fn limited(limits: [u32; 2], change: impl Fn(&mut super::Record)) -> Comparison {
        let mut records = sample::pairs(10, change);
        for run in &mut records {
            let limit = limits[usize::from(run.key.policy != "6.12")];
            run.key.set.0.insert("workers.bounded".to_owned(), limit.to_string());
            run.settings_unset = Some(run.settings.clone());
            run.settings.limit_bounded = limit;
            run.workers.peak_bounded = run.workers.peak;
        }
        let loaded = Loaded { records, ..Loaded::default() };
        compare(&test_sets::sets(&loaded), RULES).all.remove(0)
    }

    #[test]
    fn two_values_of_a_setting_get_a_verdict_and_it_is_said_which() {
        let same = limited([4, 64], |_| ());
        assert_eq!((same.verdict, same.blockers.len()), (Some(Verdict::Equivalent), 0));
        let said = same.differs_text();
        let expected = "What differs: rules 6.12 against 6.17 and workers.bounded 4 against 64.";
        assert_eq!(said.as_deref(), Some(expected));
        let worse = limited([4, 64], |run| run.ops.per_s *= 0.8);
        assert_eq!(worse.verdict, Some(Verdict::Regression));
        assert_eq!(limited([4, 4], |_| ()).differs_text(), None);
    }

    #[test]
    fn a_setting_that_was_not_set_to_differ_still_forbids_a_verdict() {
        let deeper = limited([4, 64], |run| run.settings.depth = 99);
        let codes: Vec<&Code> = deeper.blockers.iter().map(|bar| &bar.code).collect();
        assert_eq!((deeper.verdict, codes), (None, vec![&Code::SettingsDiffer]));
    }
}
