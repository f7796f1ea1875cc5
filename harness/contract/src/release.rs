//! Kernel releases, and the presets that stand for them.

/// Presets that have the same rules while a ring is open; the first is the one that is shown.
type Same = &'static [&'static str];

/// Major, minor and patch level.
type Release = [u32; 3];

/// The first release that behaves as some presets, the latest first, and why.
///
/// - From 6.18.11 and 6.19.1 on idle workers leave once the last ring is closed (38aa434ab933,
///   912146614894), which is all that exit-on-idle adds to 6.17. Where a workload closes its ring
///   at its very end, both make their workers by the same rules: if they differ it is by chance,
///   and either stands for either kernel.
/// - 6.17 and 6.16.9 have a creation callback that looks for a free worker (9d83e1f05c98,
///   cd4ea81be3eb). 6.16.5 to 6.16.8 have it as it was first posted.
/// - 6.16 is the first in which an idle worker never spawns (8343cae362e1) and none is made for
///   work that could not run (0b2b066f8a85).
/// - 6.12.115 has fixes that no release of other series is known to have.
/// - 6.6 is the first in which activation always counts (22f7fb80e6d9); what is older does as 6.1.
const FIRST: [(Release, Same); 11] = [
    ([6, 19, 1], EXIT_ON_IDLE),
    ([6, 19, 0], V6_17),
    ([6, 18, 11], EXIT_ON_IDLE),
    ([6, 17, 0], V6_17),
    ([6, 16, 9], V6_17),
    ([6, 16, 5], &["6.17-as-posted"]),
    ([6, 16, 0], &["6.16"]),
    ([6, 13, 0], &["6.12.0"]),
    ([6, 12, 115], &["6.12"]),
    ([6, 6, 0], &["6.12.0"]),
    ([0, 0, 0], &["6.1"]),
];

const EXIT_ON_IDLE: Same = &["exit-on-idle", "6.17"];
const V6_17: Same = &["6.17", "exit-on-idle"];

/// The presets that stand for a kernel, on a workload that closes rings all along or on one that
/// does not; none if its release cannot be read.
pub fn presets_of(kernel: &str, closes_rings: bool) -> Option<&'static [&'static str]> {
    let same = same_rules(release(kernel)?)?;
    if closes_rings { same.get(..1) } else { Some(same) }
}

/// Says which presets stand for a release that was named in place of one, such as `6.18` or
/// `6.12.60`; none if there is no such release, or if its io-wq is older than any preset.
#[must_use]
pub fn advice_on(name: &str) -> Option<String> {
    let parts: Option<Vec<u32>> = name.split('.').map(|part| part.parse().ok()).collect();
    let parts = parts?;
    // Each series so far ended at .19 or before, so that 6.71 is a slip.
    let exists = |major, minor| major >= 6 && minor <= 19;
    match parts[..] {
        [major, minor] if exists(major, minor) => Some(advice_on_series(major, minor)),
        [major, minor, patch] if exists(major, minor) => {
            let preset = same_rules([major, minor, patch])?[0];
            Some(format!("{name} is `{preset}`"))
        }
        _ => None,
    }
}

fn advice_on_series(major: u32, minor: u32) -> String {
    let changes = FIRST.iter().map(|(first, _)| *first);
    let changes = changes.filter(|first| first[..2] == [major, minor] && first[2] > 0);
    let mut starts: Vec<u32> = changes.map(|first| first[2]).chain([0]).collect();
    starts.sort_unstable();
    let ranges = starts.iter().enumerate().filter_map(|(at, &start)| {
        let preset = same_rules([major, minor, start])?[0];
        let series = format!("{major}.{minor}");
        Some(match starts.get(at + 1) {
            Some(next) => format!("{series}.{start} to {series}.{} is `{preset}`", next - 1),
            None if at == 0 => format!("{series} is `{preset}`"),
            None => format!("{series}.{start} and later is `{preset}`"),
        })
    });
    ranges.collect::<Vec<_>>().join(", ")
}

fn same_rules(release: Release) -> Option<Same> {
    FIRST.iter().find(|(first, _)| release >= *first).map(|(_, same)| *same)
}

/// That of `6.18.44-cloud #1 SMP`; a patch level that is not there is 0.
fn release(kernel: &str) -> Option<Release> {
    let mut parts = kernel.splitn(3, '.');
    let major = parts.next()?.parse().ok()?;
    let minor = number(parts.next()?)?;
    Some([major, minor, parts.next().and_then(number).unwrap_or(0)])
}

/// The digits that a text begins with.
fn number(text: &str) -> Option<u32> {
    let digits = text.find(|char: char| !char.is_ascii_digit()).unwrap_or(text.len());
    text[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_tells_the_preset_that_is_shown() {
        let rows = [
            ("5.15.0-100-generic", Some("6.1")),
            ("6.1.192 #1 SMP", Some("6.1")),
            ("6.5.13", Some("6.1")),
            ("6.6.1", Some("6.12.0")),
            ("6.12.114", Some("6.12.0")),
            ("6.12.117+deb12 #1 SMP PREEMPT_DYNAMIC", Some("6.12")),
            ("6.15-rc3", Some("6.12.0")),
            ("6.15.2", Some("6.12.0")),
            ("6.16.4", Some("6.16")),
            ("6.16.5", Some("6.17-as-posted")),
            ("6.16.12", Some("6.17")),
            ("6.17-rc2", Some("6.17")),
            ("6.17.13", Some("6.17")),
            ("6.18.10", Some("6.17")),
            ("6.18.44-cloud #1", Some("exit-on-idle")),
            ("6.19-rc1", Some("6.17")),
            ("6.19.1", Some("exit-on-idle")),
            ("7.0.1", Some("exit-on-idle")),
            ("10.2", Some("exit-on-idle")),
            ("unknown", None),
            ("6", None),
            ("6.", None),
            ("", None),
            ("6.99999999999", None),
        ];
        for (kernel, expected) in rows {
            assert_eq!(presets_of(kernel, false).map(|same| same[0]), expected, "{kernel:?}");
            let alone = expected.map(|preset| vec![preset]);
            assert_eq!(presets_of(kernel, true).map(<[&str]>::to_vec), alone, "{kernel:?}");
        }
    }

    #[test]
    fn a_release_in_place_of_a_preset_is_answered_with_what_stands_for_it() {
        let rows = [
            ("6.18", Some("6.18.0 to 6.18.10 is `6.17`, 6.18.11 and later is `exit-on-idle`")),
            ("6.18.10", Some("6.18.10 is `6.17`")),
            ("6.12.60", Some("6.12.60 is `6.12.0`")),
            ("6.14", Some("6.14 is `6.12.0`")),
            ("7.1", Some("7.1 is `exit-on-idle`")),
            ("5.15", None),
            ("6.71", None),
            ("6.18-rc2", None),
            ("6", None),
            ("wal", None),
        ];
        for (name, expected) in rows {
            assert_eq!(advice_on(name).as_deref(), expected, "{name}");
        }
    }

    #[test]
    fn only_a_preset_with_the_same_rules_while_a_ring_is_open_stands_beside_another() {
        assert_eq!(presets_of("6.17.3", false), Some(["6.17", "exit-on-idle"].as_slice()));
        assert_eq!(presets_of("6.18.44", false), Some(["exit-on-idle", "6.17"].as_slice()));
        for kernel in ["6.1.9", "6.12.1", "6.16.1", "6.16.7"] {
            assert_eq!(presets_of(kernel, false).map(<[&str]>::len), Some(1), "{kernel}");
        }
    }
}
