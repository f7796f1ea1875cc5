//! Names of policies: `PRESET`, `PRESET+switch-switch`, `fixed:N`, and errors that name the near ones.

use super::preset::{PRESETS, Preset};
use super::switch::{Switch, Switches};
use super::{Fixed, Kernel, Policy};

/// Most workers of a `fixed` policy: as many as built-in workloads allow at most, times four.
const FIXED_MAX: u32 = 256;

/// What a name may say instead of a switch: that a commit is absent. Records have this one.
const ABSENCES: [(&str, Switch); 1] = [("forced-file-unknown", Switch::FileLookedUpEarly)];

/// A policy name that means nothing.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// No such preset.
    #[error(
        "unknown policy `{found}`{hint}; known: {known}, fixed:N; \
         each takes +SWITCH and -SWITCH (`bench --list` names them)"
    )]
    Preset {
        /// What was given.
        found: String,
        /// A near name, as half a sentence.
        hint: String,
        /// All presets.
        known: String,
    },
    /// No such switch.
    #[error("unknown switch `{found}` in policy `{policy}`{hint}; known: {known}")]
    Switch {
        /// The whole name.
        policy: String,
        /// What was given.
        found: String,
        /// A near name, as half a sentence.
        hint: String,
        /// All switches.
        known: String,
    },
    /// A fixed pool of no sensible size.
    #[error("policy `{found}`: fixed takes 1 to {FIXED_MAX} workers, as in `fixed:8`")]
    Fixed {
        /// What was given.
        found: String,
    },
}

/// The policy of that name.
///
/// # Errors
/// Where there is none; the error names the near ones.
pub fn parse(name: &str) -> Result<Box<dyn Policy>, NameError> {
    if name == "fixed" || name.starts_with("fixed:") {
        return fixed(name);
    }
    let Some(preset) = preset(name) else {
        let names: Vec<_> = PRESETS.iter().map(|preset| preset.name).collect();
        return Err(NameError::Preset {
            found: name.to_owned(),
            hint: hint(name, &names),
            known: names.join(", "),
        });
    };
    let switches = apply(preset.switches, &name[preset.name.len()..], name)?;
    Ok(Box::new(Kernel { switches }))
}

/// The preset that a name begins with: the longest that fits, as their names have dashes too.
pub fn preset(name: &str) -> Option<&'static Preset> {
    PRESETS
        .iter()
        .filter(|preset| {
            name.strip_prefix(preset.name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '-']))
        })
        .max_by_key(|preset| preset.name.len())
}

fn fixed(name: &str) -> Result<Box<dyn Policy>, NameError> {
    let number = name.strip_prefix("fixed:").and_then(|number| number.parse().ok());
    match number {
        Some(workers) if (1..=FIXED_MAX).contains(&workers) => Ok(Box::new(Fixed { workers })),
        _ => Err(NameError::Fixed { found: name.to_owned() }),
    }
}

/// Turns switches on and off as the rest of a name says. Their names have dashes of their own, so
/// the longest one that fits is taken.
fn apply(mut switches: Switches, mut rest: &str, policy: &str) -> Result<Switches, NameError> {
    while let Some(sign) = rest.chars().next() {
        let tail = &rest[sign.len_utf8()..];
        let presences = Switch::ALL.iter().map(|&switch| (switch.name(), switch, true));
        let absences = ABSENCES.iter().map(|&(name, switch)| (name, switch, false));
        let fits = |name: &str| {
            tail.strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '-']))
        };
        let named = presences.chain(absences).filter(|(name, ..)| fits(name));
        let Some((name, switch, present)) = named.max_by_key(|(name, ..)| name.len()) else {
            let names: Vec<_> = Switch::ALL.iter().map(|switch| switch.name()).collect();
            let found = tail.split('+').next().unwrap_or(tail).to_owned();
            return Err(NameError::Switch {
                policy: policy.to_owned(),
                hint: hint(&found, &names),
                found,
                known: names.join(", "),
            });
        };
        let on = (sign == '+') == present;
        switches = if on { switches.with(switch) } else { switches.without(switch) };
        rest = &tail[name.len()..];
    }
    Ok(switches)
}

/// The nearest name, which may be one that was only begun, as half a sentence; empty where none
/// is near.
fn hint(found: &str, names: &[&str]) -> String {
    names
        .iter()
        .map(|name| {
            (strsim::damerau_levenshtein(found, name), found.len().abs_diff(name.len()), name)
        })
        .filter(|(distance, _, name)| {
            *distance <= name.len() / 2 || (!found.is_empty() && name.starts_with(found))
        })
        .min()
        .map_or_else(String::new, |(_, _, name)| format!(" (did you mean `{name}`?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn switches(name: &str) -> Vec<&'static str> {
        parse(name).expect(name).switches()
    }

    fn error(name: &str) -> String {
        parse(name).err().expect(name).to_string()
    }

    #[test]
    fn every_preset_and_every_switch_alone_has_a_name() {
        for preset in PRESETS {
            for switch in Switch::ALL {
                let on = switches(&format!("{}+{}", preset.name, switch.name()));
                let off = switches(&format!("{}-{}", preset.name, switch.name()));
                assert!(on.contains(&switch.name()) && !off.contains(&switch.name()));
            }
        }
    }

    #[test]
    fn a_preset_whose_name_starts_like_another_is_told_apart() {
        assert!(switches("6.17-as-posted").contains(&"recheck-as-posted"));
        assert!(!switches("6.17").contains(&"recheck-as-posted"));
        let retires = |name| switches(name).contains(&"retire");
        assert!(retires("6.1") && retires("6.12") && !retires("6.12.0"));
        assert!(!retires("6.12-retire") && retires("6.12.0+retire"));
        assert!(error("6.12.1").contains("did you mean `6.12"), "{}", error("6.12.1"));
    }

    #[test]
    fn switches_add_up() {
        let both = switches("6.12+recheck-free-worker-retire");
        assert!(both.contains(&"recheck-free-worker") && !both.contains(&"retire"));
    }

    #[test]
    fn the_former_name_of_an_absence_turns_the_commit_off() {
        let before = |name: &str| switches(&name.replace('!', "forced-file-unknown"));
        assert_eq!(before("6.12+!"), switches("6.12-file-looked-up-early"));
        assert_eq!(before("6.12.0-!"), switches("6.12.0+file-looked-up-early"));
        assert_eq!(before("6.12+!-retire"), switches("6.12-file-looked-up-early-retire"));
    }

    #[test]
    fn an_unknown_policy_is_answered_with_the_near_one() {
        assert!(error("6.71").contains("did you mean `6.17`?"), "{}", error("6.71"));
        assert!(error("exit-on-idel").contains("did you mean `exit-on-idle`?"));
        assert!(error("6.12+idle-never-spawn").contains("did you mean `idle-never-spawns`?"));
        assert!(error("6.12+recheck").contains("did you mean `recheck-as-posted`?"));
        assert!(error("").contains("known: 6.1, 6.12.0, 6.12, 6.16"));
    }

    #[test]
    fn a_fixed_pool_has_a_sensible_size() {
        assert!(parse("fixed:8").is_ok());
        for name in ["fixed", "fixed:0", "fixed:257", "fixed:-1", "fixed:x"] {
            assert!(error(name).contains("1 to 256"), "{name}");
        }
    }
}
