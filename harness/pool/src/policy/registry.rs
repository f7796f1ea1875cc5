//! The registry: every policy by name, and what a name such as `6.12+retry-delay` means.
//!
//! A name is `PRESET`, followed by any number of `+PATCH` and `-PATCH`, or `KIND`, followed by
//! `:key=value,key=value`. Lists, errors and tests take their names from here.

use super::fixed::FIXED;
use super::patch::{ABSENCES, Patch, Patches};
use super::preset::{PRESETS, Preset};
use super::spec::{Meaning, NameError, Parameter, Parameters, PolicyKind, PolicySpec};

/// All policies: presets, and kinds with parameters.
#[derive(Clone, Debug)]
pub struct Registry {
    kinds: Vec<PolicyKind>,
}

impl Registry {
    /// The presets and `fixed`.
    #[must_use]
    pub fn builtin() -> Registry {
        Registry { kinds: vec![FIXED] }
    }

    /// Adds a policy.
    ///
    /// # Errors
    /// If its name is taken or invalid.
    pub fn register(&mut self, kind: PolicyKind) -> Result<(), NameError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let name = kind.name;
        if name.is_empty() || !name.chars().all(allowed) {
            let allowed = "allowed are letters, digits, `.`, `_` and `-`";
            return Err(NameError(format!("policy name `{name}`: {allowed}")));
        }
        if self.names().any(|known| known == name) {
            return Err(NameError(format!("policy `{name}` is registered already")));
        }
        self.kinds.push(kind);
        Ok(())
    }

    /// The presets, oldest rules first.
    #[must_use]
    pub fn presets(&self) -> &'static [Preset] {
        &PRESETS
    }

    /// Policies with parameters, in the order in which they were registered.
    #[must_use]
    pub fn kinds(&self) -> &[PolicyKind] {
        &self.kinds
    }

    /// The names of all presets and kinds.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        let presets = PRESETS.iter().map(|preset| preset.name);
        presets.chain(self.kinds.iter().map(|kind| kind.name))
    }

    /// The policy of that name.
    ///
    /// # Errors
    /// If there is none; the error names similar ones.
    pub fn parse(&self, name: &str) -> Result<PolicySpec, NameError> {
        let (head, values) = match name.split_once(':') {
            Some((head, values)) => (head, Some(values)),
            None => (name, None),
        };
        let meaning = if let Some(kind) = self.kinds.iter().find(|kind| kind.name == head) {
            Meaning::Kind(*kind, parameters(kind, values, name)?)
        } else if let Some(preset) = preset(name) {
            Meaning::Kernel(preset, apply(preset.patches, &name[preset.name.len()..], name)?)
        } else {
            let presets = PRESETS.iter().map(|preset| preset.name.to_owned());
            let known: Vec<_> = presets.chain(self.kinds.iter().map(PolicyKind::usage)).collect();
            return Err(NameError(format!(
                "unknown policy `{name}`{}; known: {}; presets take +PATCH and -PATCH (`bench \
                 --list` names them)",
                hint(head, self.names()),
                known.join(", ")
            )));
        };
        Ok(PolicySpec { name: name.to_owned(), meaning })
    }
}

/// Whether `text` begins with this name: it may end there, or be followed by a patch.
fn begins_with(text: &str, name: &str) -> bool {
    text.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with(['+', '-']))
}

/// The preset that a name begins with: the longest, as their names have dashes too.
fn preset(name: &str) -> Option<&'static Preset> {
    let presets = PRESETS.iter().filter(|preset| begins_with(name, preset.name));
    presets.max_by_key(|preset| preset.name.len())
}

/// Adds and removes patches as the rest of a name says. Their names have dashes of their own, so
/// the longest one that fits is taken.
fn apply(mut patches: Patches, mut rest: &str, policy: &str) -> Result<Patches, NameError> {
    while let Some(sign) = rest.chars().next() {
        let tail = &rest[sign.len_utf8()..];
        let presences = Patch::ALL.iter().map(|&patch| (patch.name(), patch, true));
        let absences = ABSENCES.iter().map(|&(name, patch)| (name, patch, false));
        let named = presences.chain(absences).filter(|(name, ..)| begins_with(tail, name));
        let Some((name, patch, present)) = named.max_by_key(|(name, ..)| name.len()) else {
            let found = tail.split('+').next().unwrap_or(tail);
            let names = Patch::ALL.map(Patch::name);
            let (hint, known) = (hint(found, names.into_iter()), names.join(", "));
            return Err(NameError(format!(
                "unknown patch `{found}` in policy `{policy}`{hint}; known: {known}"
            )));
        };
        let on = (sign == '+') == present;
        if patches.has(patch) == on {
            let (has, patch) = (if on { "has" } else { "lacks" }, patch.name());
            let advice = format!("omit `{sign}{name}`");
            return Err(NameError(format!("policy `{policy}` {has} {patch} already; {advice}")));
        }
        patches = if on { patches.with(patch) } else { patches.without(patch) };
        rest = &tail[name.len()..];
    }
    Ok(patches)
}

/// The values of a kind's parameters, as given or by default.
fn parameters(
    kind: &PolicyKind,
    values: Option<&str>,
    policy: &str,
) -> Result<Parameters, NameError> {
    let error = |problem: String| NameError(format!("policy `{policy}`: {problem}"));
    let mut given = vec![None; kind.parameters.len()];
    for (place, text) in values.into_iter().flat_map(|values| values.split(',')).enumerate() {
        let first = kind.parameters.first().filter(|_| place == 0).map(|first| first.name);
        let (key, value) = match (text.split_once('='), first) {
            (Some(pair), _) => pair,
            (None, Some(first)) => (first, text),
            (None, None) => return Err(error(format!("found `{text}`, expected `key=value`"))),
        };
        let Some(at) = kind.parameters.iter().position(|one| one.name == key) else {
            let names = kind.parameters.iter().map(|one| one.name);
            let known = names.clone().collect::<Vec<_>>().join(", ");
            let hint = hint(key, names);
            return Err(error(format!("unknown parameter `{key}`{hint}; known: {known}")));
        };
        let Parameter { name, min, max, .. } = kind.parameters[at];
        let number = value.parse().ok().filter(|number| (min..=max).contains(number));
        let Some(number) = number else {
            return Err(error(format!("{name} takes {min} to {max}, found `{value}`")));
        };
        if given[at].replace(number).is_some() {
            return Err(error(format!("{name} is given twice")));
        }
    }
    let all = kind.parameters.iter().zip(given).map(|(one, given)| {
        let missing =
            || error(format!("{} is missing; it takes {} to {}", one.name, one.min, one.max));
        given.or(one.default).map(|value| (one.name, value)).ok_or_else(missing)
    });
    Ok(Parameters(all.collect::<Result<_, _>>()?))
}

/// Bytes of a name for which similar ones are looked for: no policy, patch or parameter has as many,
/// and the time that it takes grows with each.
const NAME_BYTES_MAX: usize = 64;

/// The most similar name, or one of which `found` is the beginning, as half a sentence; empty if
/// there is none.
fn hint(found: &str, names: impl Iterator<Item = &'static str>) -> String {
    if found.len() > NAME_BYTES_MAX {
        return String::new();
    }
    let distance = |name| strsim::damerau_levenshtein(found, name);
    names
        .map(|name| (distance(name), found.len().abs_diff(name.len()), name))
        .filter(|(distance, _, name)| {
            *distance <= name.len() / 2 || (!found.is_empty() && name.starts_with(found))
        })
        .min()
        .map_or_else(String::new, |(_, _, name)| format!(" (did you mean `{name}`?)"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(name: &str) -> Result<PolicySpec, NameError> {
        Registry::builtin().parse(name)
    }

    fn patches(name: &str) -> Vec<&'static str> {
        parse(name).expect(name).patches()
    }

    fn error(name: &str) -> String {
        parse(name).expect_err(name).to_string()
    }

    #[test]
    fn each_patch_alone_may_be_added_to_or_removed_from_each_preset() {
        for preset in PRESETS {
            for patch in Patch::ALL {
                let has = preset.patches.has(patch);
                let sign = if has { '-' } else { '+' };
                let other = patches(&format!("{}{sign}{}", preset.name, patch.name()));
                assert_eq!(other.contains(&patch.name()), !has, "{}", patch.name());
            }
        }
    }

    #[test]
    fn a_preset_whose_name_is_a_prefix_of_another_is_distinguished() {
        assert!(patches("6.17-as-posted").contains(&"recheck-as-posted"));
        assert!(!patches("6.17").contains(&"recheck-as-posted"));
        let retires = |name| patches(name).contains(&"retire");
        assert!(retires("6.1") && retires("6.12") && !retires("6.12.0"));
        assert!(!retires("6.12-retire") && retires("6.12.0+retire"));
        assert!(error("6.12.1").contains("did you mean `6.12"), "{}", error("6.12.1"));
    }

    #[test]
    fn a_patch_that_changes_nothing_is_refused_as_its_runs_would_be_those_of_the_preset() {
        assert_eq!(
            error("6.12+fsync-concurrent"),
            "policy `6.12+fsync-concurrent` has fsync-concurrent already; omit `+fsync-concurrent`"
        );
        let twice = error("6.12.0-exit-on-idle");
        assert!(twice.contains("lacks exit-on-idle already; omit `-exit-on-idle`"), "{twice}");
        assert!(error("6.12.0+forced-file-unknown").contains("lacks file-looked-up-early already"));
    }

    #[test]
    fn patches_add_up() {
        let both = patches("6.12+recheck-free-worker-retire");
        assert!(both.contains(&"recheck-free-worker") && !both.contains(&"retire"));
    }

    #[test]
    fn the_former_name_of_an_absence_turns_the_commit_off() {
        let before = |name: &str| patches(&name.replace('!', "forced-file-unknown"));
        assert_eq!(before("6.12+!"), patches("6.12-file-looked-up-early"));
        assert_eq!(before("6.12.0-!"), patches("6.12.0+file-looked-up-early"));
        assert_eq!(before("6.12+!-retire"), patches("6.12-file-looked-up-early-retire"));
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
    fn a_name_of_a_megabyte_is_refused_at_once() {
        let long = "a".repeat(1 << 20);
        assert!(error(&format!("6.12+{long}")).starts_with("unknown patch"));
        assert!(error(&long).starts_with("unknown policy"));
    }

    #[test]
    fn a_fixed_pool_has_a_sensible_size() {
        assert!(parse("fixed:8").is_ok());
        for name in ["fixed", "fixed:0", "fixed:257", "fixed:-1", "fixed:x"] {
            assert!(error(name).contains("1 to 256"), "{name}");
        }
    }
    /// A policy with two parameters, of which one has a default.
    const TWO: PolicyKind = PolicyKind {
        name: "two",
        summary: "",
        parameters: &[
            Parameter { name: "workers", summary: "", min: 1, max: 9, default: None },
            Parameter { name: "age_us", summary: "", min: 0, max: 1000, default: Some(50) },
        ],
        build: |_| unreachable!("no pool runs it"),
    };

    #[test]
    fn parameters_are_given_by_name_or_have_a_default() {
        let mut registry = Registry::builtin();
        registry.register(TWO).expect("a new name");
        let values = |name: &str| match registry.parse(name).expect(name).meaning {
            Meaning::Kind(_, parameters) => (parameters.get("workers"), parameters.get("age_us")),
            Meaning::Kernel(..) => panic!("{name} is no preset"),
        };
        assert_eq!(values("two:3"), (3, 50));
        assert_eq!(values("two:workers=3"), (3, 50));
        assert_eq!(values("two:age_us=7,workers=3"), (3, 7));
        assert_eq!(values("two:3,age_us=0"), (3, 0));
        let error = |name: &str| registry.parse(name).expect_err(name).to_string();
        assert_eq!(error("two"), "policy `two`: workers is missing; it takes 1 to 9");
        assert_eq!(error("two:3,4"), "policy `two:3,4`: found `4`, expected `key=value`");
        assert_eq!(error("two:3,workers=4"), "policy `two:3,workers=4`: workers is given twice");
        assert!(
            error("two:wrokers=3").contains("did you mean `workers`?); known: workers, age_us")
        );
        assert!(error("two:3,age_us=1001").contains("age_us takes 0 to 1000, found `1001`"));
        assert!(error("tow").contains("did you mean `two`?"));
        assert!(error("x").contains("exit-on-idle, fixed:N, two:N;"));
    }

    #[test]
    fn a_name_is_registered_once_and_can_be_parsed() {
        let mut registry = Registry::builtin();
        for name in ["6.17", "fixed"] {
            let taken = registry.register(PolicyKind { name, ..TWO }).expect_err(name);
            assert_eq!(taken.to_string(), format!("policy `{name}` is registered already"));
        }
        for name in ["", "a:b", "6.17+x", "a b"] {
            let invalid = registry.register(PolicyKind { name, ..TWO }).expect_err(name);
            assert!(invalid.to_string().contains("allowed are letters"), "{invalid}");
        }
    }
}
