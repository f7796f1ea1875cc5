//! Configurations: ours or the user's, and whether a kernel was configured as requested.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};

use super::files;
use crate::sha256;

/// The default configuration, with a reason for each option.
const MINIMAL: &str = include_str!("minimal.config");
/// Options after this line of the default are optional.
const PREFERENCES: &str = "\n# Preferences\n";
/// Options of the user's configuration that are named at most.
const NAMED_MAX: usize = 8;

/// The configuration of kernels.
pub(super) struct Config {
    text: String,
    digest: String,
    /// Its file, if it is not the default.
    path: Option<PathBuf>,
}

impl Config {
    /// Ours, or the one at a path.
    pub(super) fn read(path: Option<&Path>) -> anyhow::Result<Config> {
        let text = match path {
            Some(path) => String::from_utf8_lossy(&files::read(path)?).into_owned(),
            None => MINIMAL.to_owned(),
        };
        let config = Config::of(text, path);
        if let (Some(path), true) = (path, options(&config.text).is_empty()) {
            bail!(
                "{}: is no kernel configuration: no line of it is like CONFIG_SMP=y",
                path.display()
            );
        }
        Ok(config)
    }

    pub(super) fn of(text: String, path: Option<&Path>) -> Config {
        // The same text makes another kernel if Kconfig adds to it.
        let whole = format!("{}\n{text}", if path.is_some() { "given" } else { "ours" });
        Config { digest: sha256::of_bytes(whole.as_bytes()), text, path: path.map(Path::to_owned) }
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    /// Whether it names all that is to be on, as ours does, and not what Kconfig would add.
    pub(super) fn is_ours(&self) -> bool {
        self.path.is_none()
    }

    /// Whether an option is built in by it.
    pub(super) fn has(&self, option: &str) -> bool {
        options(&self.text).get(option) == Some(&"y")
    }

    /// Holds the configuration that came out against what was wanted. What the user's
    /// configuration lost is reported and no error: other releases and compilers have other options.
    pub(super) fn check(&self, label: &str, result: &str) -> anyhow::Result<Option<String>> {
        let wanted = match self.path {
            Some(_) => &self.text[..],
            None => self.text.split(PREFERENCES).next().unwrap_or_default(),
        };
        let missing = lost(wanted, result);
        let Some(path) = &self.path else {
            ensure!(
                missing.is_empty(),
                "{label}: this source does not take {} of the options wanted: {}. It may be too old \
                 or have other names for them; give it a configuration of its own with --config FILE",
                missing.len(),
                missing.join(", ")
            );
            return Ok(None);
        };
        let modules = options(result).values().filter(|value| **value == "m").count();
        let mut lost = Vec::new();
        if !missing.is_empty() {
            let named = missing[..missing.len().min(NAMED_MAX)].join(", ");
            let more = if missing.len() > NAMED_MAX { ", …" } else { "" };
            lost.push(format!("{} of its options do not hold: {named}{more}", missing.len()));
        }
        if modules > 0 {
            lost.push(format!("{modules} are modules, and no module is built"));
        }
        Ok((!lost.is_empty()).then(|| format!("{}: {}", path.display(), lost.join("; "))))
    }
}

/// The options of a configuration; one that is not set counts as `n`.
fn options(text: &str) -> BTreeMap<&str, &str> {
    text.lines().filter_map(option).collect()
}

fn option(line: &str) -> Option<(&str, &str)> {
    let line = line.trim();
    let unset = line.strip_prefix("# ").and_then(|line| line.strip_suffix(" is not set"));
    let (name, value) = unset.map_or_else(|| line.split_once('='), |name| Some((name, "n")))?;
    Some((name.strip_prefix("CONFIG_")?, value))
}

/// Options that differ from the wanted value.
fn lost(wanted: &str, result: &str) -> Vec<String> {
    let result = options(result);
    let is = |name: &str| result.get(name).copied().unwrap_or("n");
    let wanted = options(wanted).into_iter();
    let lost = wanted.filter(|(name, value)| is(name) != *value);
    lost.map(|(name, value)| format!("CONFIG_{name} ({value} wanted, {} got)", is(name))).collect()
}

#[cfg(test)]
mod tests {
    use iowq_contract::guest::CRIU_OPTIONS;

    use super::*;

    #[test]
    fn an_option_that_was_dropped_is_named() {
        let config = Config::of("CONFIG_A=y\nCONFIG_N=64\n# CONFIG_C is not set\n".into(), None);
        let check = |result: &str| config.check("base", result).map_err(|error| error.to_string());
        assert_eq!(check("CONFIG_A=y\nCONFIG_N=64\nCONFIG_D=y\n"), Ok(None));
        let error = check("# CONFIG_A is not set\nCONFIG_C=y\nCONFIG_N=8\n").expect_err("three");
        let named =
            "CONFIG_A (y wanted, n got), CONFIG_C (n wanted, y got), CONFIG_N (64 wanted, 8 got)";
        assert!(error.contains(named), "{error}");
    }

    #[test]
    fn preferences_may_be_given_up() {
        let text = format!("CONFIG_A=y\n{PREFERENCES}CONFIG_B=y\n");
        let config = Config::of(text, None);
        assert!(matches!(config.check("base", "CONFIG_A=y\n"), Ok(None)));
        assert!(config.check("base", "CONFIG_B=y\n").is_err());
    }

    #[test]
    fn options_lost_from_a_users_configuration_are_reported() {
        let path = Path::new("config-6.1");
        let config = Config::of("CONFIG_A=y\nCONFIG_B=m\n".into(), Some(path));
        let lost = config.check("base", "CONFIG_B=m\n").expect("no error").expect("lost");
        let expected = "config-6.1: 1 of its options do not hold: CONFIG_A (y wanted, n got); \
                        1 are modules, and no module is built";
        assert_eq!(lost, expected);
    }

    #[test]
    fn our_configuration_names_nothing_twice_and_has_preferences() {
        let named: Vec<_> = MINIMAL.lines().filter(|line| line.contains("CONFIG_")).collect();
        assert_eq!(options(MINIMAL).len(), named.len());
        let (needed, preferred) = MINIMAL.split_once(PREFERENCES).expect("the line is there");
        assert!(options(needed).values().all(|value| *value != "n" && *value != "m"));
        assert!(!options(preferred).is_empty());
    }

    #[test]
    fn our_configuration_has_all_that_criu_needs() {
        let config = Config::of(MINIMAL.into(), None);
        let lacks = |option: &&str| !config.has(option);
        let lacking: Vec<_> =
            CRIU_OPTIONS.iter().map(|(option, _)| *option).filter(lacks).collect();
        assert!(lacking.is_empty(), "{lacking:?}");
    }

    #[test]
    fn a_source_without_options_that_only_criu_needs_is_accepted() {
        let (needed, _) = MINIMAL.split_once(PREFERENCES).expect("the line is there");
        let config = Config::of(MINIMAL.into(), None);
        assert!(matches!(config.check("base", needed), Ok(None)));
        // Workloads and their watchers call these two.
        let measured = ["EPOLL", "EVENTFD"];
        let only_criu = CRIU_OPTIONS.iter().map(|(option, _)| *option);
        let refused: Vec<_> = only_criu.filter(|one| options(needed).contains_key(one)).collect();
        assert_eq!(refused, measured);
    }
}
