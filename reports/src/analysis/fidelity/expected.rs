//! Expected: which presets stand for a kernel, by its release.

/// Presets that have the same rules while a ring is open; the first is the one that is shown.
type Same = &'static [&'static str];

/// The first release, as major and minor, that behaves as some presets, and why.
///
/// - 6.6 is the first in which activation always counts (22f7fb80e6d9); what is older does as 6.1.
/// - 6.16 is the first in which an idle worker never spawns (8343cae362e1) and none is made for
///   work that could not run (0b2b066f8a85).
/// - 6.17 is the first in which the creation callback looks for a free worker (9d83e1f05c98). Later
///   6.16.y have that too, but from which patch level is not known here, so all count as 6.16.
/// - From 6.18.y on idle workers leave once the last ring is closed (38aa434ab933, 912146614894),
///   which is all that exit-on-idle adds to 6.17. A cell of the grid closes its ring at its very
///   end, so that both make their workers by the same rules: where they differ it is by chance, and
///   either stands for either kernel. On a workload that closes rings all along they may differ.
const FIRST: [((u32, u32), Same); 4] = [
    ((6, 17), &["6.17", "exit-on-idle"]),
    ((6, 16), &["6.16"]),
    ((6, 6), &["6.12"]),
    ((0, 0), &["6.1"]),
];

/// The presets that stand for a kernel; none if its release cannot be read.
pub(super) fn presets(kernel: &str) -> Option<Same> {
    let found = release(kernel)?;
    FIRST.iter().find(|(first, _)| found >= *first).map(|(_, same)| *same)
}

/// Major and minor of `6.18.44-cloud #1 SMP`.
fn release(kernel: &str) -> Option<(u32, u32)> {
    let mut parts = kernel.split('.');
    let major = parts.next()?.parse().ok()?;
    let minor = parts.next()?;
    let digits = minor.find(|char: char| !char.is_ascii_digit()).unwrap_or(minor.len());
    Some((major, minor[..digits].parse().ok()?))
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
            ("6.6.1", Some("6.12")),
            ("6.12.117 #1 SMP PREEMPT_DYNAMIC", Some("6.12")),
            ("6.15-rc3", Some("6.12")),
            ("6.16.12", Some("6.16")),
            ("6.17-rc2", Some("6.17")),
            ("6.18.44 #1", Some("6.17")),
            ("7.0.1", Some("6.17")),
            ("10.2", Some("6.17")),
            ("unknown", None),
            ("6", None),
            ("6.", None),
            ("", None),
            ("6.99999999999", None),
        ];
        for (kernel, expected) in rows {
            assert_eq!(presets(kernel).map(|same| same[0]), expected, "{kernel:?}");
        }
    }

    #[test]
    fn only_a_preset_with_the_same_rules_while_a_ring_is_open_stands_beside_another() {
        assert_eq!(presets("6.17.3"), Some(["6.17", "exit-on-idle"].as_slice()));
        assert_eq!(presets("6.18.44"), presets("6.17.3"));
        for kernel in ["6.1.9", "6.12.1", "6.16.12"] {
            assert_eq!(presets(kernel).map(<[&str]>::len), Some(1), "{kernel}");
        }
    }
}
