//! Names and options: policies with their parameters, releases, configurations of kernels.

use iowq_contract::{advice_on, kconfig, presets_of};
use iowq_pool::policy::Registry;

pub(crate) fn policy(bytes: &[u8]) {
    let Ok(name) = std::str::from_utf8(bytes) else { return };
    match Registry::builtin().parse(name) {
        Ok(policy) => assert_eq!(policy.name(), name),
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

pub(crate) fn release(bytes: &[u8]) {
    let Ok(name) = std::str::from_utf8(bytes) else { return };
    for closes_rings in [false, true] {
        let presets = presets_of(name, closes_rings);
        assert!(presets.is_none_or(|presets| !presets.is_empty()));
    }
    let _ = advice_on(name);
}

/// A configuration, and how it differs from one without options.
pub(crate) fn kconfig(bytes: &[u8]) {
    match kconfig::parse(&String::from_utf8_lossy(bytes)) {
        Ok(config) => {
            let differences = kconfig::differences(&config, &kconfig::Config::new());
            assert_eq!(differences.len(), config.len());
        }
        Err(error) => assert!(error.line > 0),
    }
}
