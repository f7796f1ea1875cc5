//! Hosts and settings: in what two sets of runs are unlike that could explain a difference.

use iowq_contract::{Caveat, Code, Record};

use crate::runs::{differences, set};

/// What differs and forbids a verdict.
pub fn blockers(base: &[&Record], test: &[&Record]) -> Vec<Caveat> {
    let both = [base, test].concat();
    let mut hosts = differences::hosts(&both);
    let mut settings = differences::settings(&both);
    settings.extend(differences::differs(&differences::DELAY, &both));
    for (runs, side) in [(base, "base"), (test, "test")] {
        let within =
            |field| Some(format!("{} within the {side}", differences::differs(field, runs)?));
        hosts.extend(within(&differences::KERNEL));
        settings.extend(within(&differences::PATCHES));
    }
    bars_of([&hosts, &settings, &differences::lengths(&both)], "The runs were made", cause(&both))
}

/// The same for runs that stand beside the comparison: they are to be like the base in all but
/// the delay that is injected into some.
pub fn bars_beside(base: &[&Record], beside: &[&Record]) -> Vec<Caveat> {
    let both = [base, beside].concat();
    let mut hosts = differences::hosts(&both);
    hosts.extend(differences::differs(&differences::KERNEL, &both));
    let mut settings = differences::settings(&both);
    settings.extend(differences::differs(&differences::PATCHES, &both));
    let runs = "The base and its noise and control runs were made";
    bars_of([&hosts, &settings, &differences::lengths(&both)], runs, "noise")
}

/// What a difference between two sets was to show.
fn cause(both: &[&Record]) -> &'static str {
    if set::is_varied(both) { "policy or of what was set" } else { "policy" }
}

/// The blockers, if there is anything unlike; `cause` is what the difference was to show.
fn bars_of(unlike: [&[String]; 3], runs: &str, cause: &str) -> Vec<Caveat> {
    let mut blockers = Vec::new();
    let mut bar = |code, found: &str, text: String| {
        blockers.extend((!found.is_empty()).then(|| Caveat::new(code, text)));
    };
    let [hosts, settings, lengths] = unlike.map(|unlike| unlike.join("; "));
    let text = format!(
        "{runs} on different hosts, so that a difference need not be that of the {cause}: {hosts}. \
         Measure them on one machine."
    );
    bar(Code::HostsDiffer, &hosts, text);
    let text = format!(
        "{runs} with different settings, so that a difference need not be that of the {cause}: \
         {settings}. Measure them with the same ones."
    );
    bar(Code::SettingsDiffer, &settings, text);
    let text = format!(
        "{runs} for different times or numbers of ops, on which figures depend: {lengths}. Measure \
         them for as long."
    );
    bar(Code::LengthsDiffer, &lengths, text);
    blockers
}

/// What differs and forbids nothing.
pub fn notes(both: &[&Record]) -> Vec<Caveat> {
    let unlike: Vec<String> =
        differences::BUILD.iter().filter_map(|field| differences::differs(field, both)).collect();
    if unlike.is_empty() {
        return Vec::new();
    }
    let text = format!("The runs were made by different builds: {}.", unlike.join("; "));
    vec![Caveat::new(Code::BuildsDiffer, text)]
}

#[cfg(test)]
mod tests {
    use iowq_contract::{Blocking, Tier};
    use iowq_sample as sample;

    use super::*;

    /// Codes and texts of the blockers after the test's second run was spoilt.
    fn after(spoil: impl Fn(&mut Record)) -> String {
        let base = [sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 1)];
        let mut test = [sample::run("dsync", "6.17", 0), sample::run("dsync", "6.17", 1)];
        spoil(&mut test[1]);
        let found = blockers(&base.each_ref(), &test.each_ref());
        found.into_iter().map(|one| format!("{} {}", one.code, one.text)).collect()
    }

    #[test]
    fn whatever_differs_between_hosts_is_named_with_its_values() {
        assert_eq!(after(|_| ()), "");
        let spoilt = after(|run| {
            run.host.device = "sda".to_owned();
            run.host.memory_bytes = 1 << 30;
            run.probe.tier = Tier::Proc;
        });
        assert!(spoilt.starts_with("hosts-differ"), "{spoilt}");
        for part in ["device: nvme0n1 and sda", "memory: 1\u{a0}GiB and 16", "probes: bpf and proc"]
        {
            assert!(spoilt.contains(part), "{part} is not in {spoilt}");
        }
    }

    #[test]
    fn settings_that_differ_bar_and_the_switches_of_a_policy_do_not() {
        let spoilt = after(|run| run.settings.depth = 64);
        assert!(spoilt.starts_with("settings-differ"), "{spoilt}");
        assert!(spoilt.contains("depth: 16 and 64"), "{spoilt}");
        assert!(after(|run| run.blocking = Blocking::Declared).contains("blocking: "));
        let confined = after(|run| run.settings.cpus = Some(1));
        assert!(confined.contains("processors it was confined to"), "{confined}");
        assert_eq!(after(|run| run.host.memory_bytes -= 1 << 25), "");
    }

    #[test]
    fn plans_that_differ_bar_with_the_fields_and_lengths_by_themselves() {
        let plan = |run: &mut Record, seconds: u64, write: u32| {
            let mut plan = iowq_contract::PlanSettings {
                digest: format!("{seconds} {write}"),
                length_ns: Some(seconds * 1_000_000_000),
                ..Default::default()
            };
            plan.mix.write = write;
            run.settings.plan = Some(plan);
        };
        let between = |seconds, write| {
            let (mut base, mut test) =
                (sample::run("dsync", "6.12", 0), sample::run("dsync", "6.17", 0));
            plan(&mut base, 1, 1);
            plan(&mut test, seconds, write);
            let found = blockers(&[&base], &[&test]);
            found.into_iter().map(|one| format!("{} {}", one.code, one.text)).collect::<String>()
        };
        assert_eq!(between(1, 1), "");
        let (longer, other) = (between(9, 1), between(1, 2));
        assert!(longer.starts_with("lengths-differ"), "{longer}");
        assert!(longer.contains("length: 1 s and 9 s"), "{longer}");
        assert!(other.starts_with("settings-differ"), "{other}");
        assert!(other.contains("mix.write: 1 and 2"), "{other}");
    }

    /// Two runs whose limit was set to 4 and to 64, the second changed, and what bars a verdict.
    fn limited(change: impl Fn(&mut Record)) -> String {
        let mut runs = [sample::run("dsync", "6.17", 0), sample::run("dsync", "6.17", 0)];
        for (run, limit) in runs.iter_mut().zip([4, 64]) {
            run.key.set.0.insert("workers.bounded".to_owned(), limit.to_string());
            let plan = iowq_contract::PlanSettings::default();
            run.settings.plan = Some(plan);
            run.settings_unset = Some(run.settings.clone());
            run.settings.limit_bounded = limit;
            // It is over all that decides what is run, and so differs as well.
            run.settings.plan.as_mut().expect("it has one").digest = limit.to_string();
        }
        change(&mut runs[1]);
        let [base, test] = &runs;
        let found = blockers(&[base], &[test]);
        found.into_iter().map(|one| format!("{} {}", one.code, one.text)).collect()
    }

    #[test]
    fn what_was_set_to_differ_bars_nothing() {
        assert_eq!(limited(|_| ()), "");
    }

    #[test]
    fn what_differs_beside_what_was_set_bars_and_is_named_alone() {
        let depth = limited(|run| {
            run.settings.depth = 32;
            run.settings_unset.as_mut().expect("it has them").depth = 32;
        });
        assert!(depth.starts_with("settings-differ"), "{depth}");
        assert!(depth.contains("policy or of what was set: depth: 16 and 32. Measure"), "{depth}");
        let length = limited(|run| {
            let unset = run.settings_unset.as_mut().expect("it has them");
            let plan = unset.plan.as_mut().expect("it has one");
            (plan.length_ns, plan.digest) = (Some(9_000_000_000), "other".to_owned());
        });
        assert!(length.starts_with("lengths-differ"), "{length}");
        assert!(limited(|run| run.host.device = "sda".to_owned()).starts_with("hosts-differ"));
        let blocking = limited(|run| run.blocking = Blocking::Declared);
        assert!(blocking.starts_with("settings-differ"), "{blocking}");
    }

    #[test]
    fn runs_that_do_not_say_what_they_were_without_it_are_not_taken_for_alike() {
        let old = limited(|run| run.settings_unset = None);
        assert!(old.starts_with("settings-differ"), "{old}");
    }

    #[test]
    fn a_side_whose_runs_differ_though_the_same_was_set_bars() {
        let mut runs = [0, 1, 2].map(|round| sample::run("dsync", "6.17", round));
        for (run, limit) in runs.iter_mut().zip(["4", "64", "64"]) {
            run.key.set.0.insert("workers.bounded".to_owned(), limit.to_owned());
            run.settings_unset = Some(run.settings.clone());
        }
        let found = |runs: &[Record; 3]| blockers(&[&runs[0]], &[&runs[1], &runs[2]]).len();
        assert_eq!(found(&runs), 0);
        runs[2].settings.depth = 3;
        assert_eq!(found(&runs), 1);
    }

    #[test]
    fn kernels_may_differ_between_the_sets_and_not_within_one() {
        let kernel = |run: &mut Record| run.host.kernel = "6.18".to_owned();
        assert!(after(kernel).contains("within the test"));
        let base = [sample::run("dsync", "6.12", 0)];
        let mut test = [sample::run("dsync", "6.12", 0)];
        kernel(&mut test[0]);
        assert!(blockers(&base.each_ref(), &test.each_ref()).is_empty());
    }

    #[test]
    fn patches_may_differ_between_the_sets_and_not_within_one() {
        let patches = |run: &mut Record| run.settings.patches = vec!["exit-on-idle".to_owned()];
        let mixed = after(patches);
        assert!(mixed.starts_with("settings-differ"), "{mixed}");
        assert!(mixed.contains("patches: ") && mixed.contains("within the test"), "{mixed}");
        let base = [sample::run("dsync", "6.12", 0)];
        let mut test = [sample::run("dsync", "6.17", 0)];
        patches(&mut test[0]);
        assert!(blockers(&base.each_ref(), &test.each_ref()).is_empty());
        assert_eq!(bars_beside(&base.each_ref(), &test.each_ref()).len(), 1);
    }

    #[test]
    fn another_build_is_a_note() {
        let (a, mut b) = (sample::run("dsync", "6.12", 0), sample::run("dsync", "6.12", 1));
        assert!(notes(&[&a, &b]).is_empty());
        b.host.commit = "1111111".to_owned();
        assert!(notes(&[&a, &b])[0].text.contains("commit: 0000000 and 1111111"));
    }
}
