//! Options in which the kernels differ: what differs need not be the patch.

use iowq_contract::{Kernels, kconfig};
use serde::Serialize;

/// An option with unlike values in the base and a test.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Changed {
    /// Label of the test.
    pub test: String,
    /// The option with its `CONFIG_`.
    pub option: String,
    /// Its value in the base, `n` if it is not set.
    pub base: String,
    /// Its value in the test.
    pub value: String,
    /// Why it bears on io-wq; none if it is not known to.
    pub why: Option<&'static str>,
}

/// The options in which each test differs from the base, those that bear on io-wq first. Nothing of
/// a kernel whose configuration is not known.
pub fn changed(kernels: &Kernels) -> Vec<Changed> {
    let [base, tests @ ..] = kernels.kernels.as_slice() else {
        return Vec::new();
    };
    let mut all = Vec::new();
    for test in tests {
        let (Some(ours), Some(theirs)) = (&base.config, &test.config) else { continue };
        let of = |one: kconfig::Difference| Changed {
            test: test.label.clone(),
            option: format!("CONFIG_{}", one.option),
            base: one.a.unwrap_or_else(|| "n".to_owned()),
            value: one.b.unwrap_or_else(|| "n".to_owned()),
            why: one.why,
        };
        let mut found: Vec<Changed> =
            kconfig::differences(ours, theirs).into_iter().map(of).collect();
        found.sort_by_key(|one| one.why.is_none());
        all.extend(found);
    }
    all
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;

    #[test]
    fn options_that_bear_on_io_wq_come_first_and_an_unset_one_is_n() {
        let (mut kernels, ..) = sample::kernels(1);
        assert_eq!(changed(&kernels), []);
        let config = kernels.kernels[1].config.as_mut().expect("it has one");
        config.insert("A_DRIVER".to_owned(), "y".to_owned());
        config.insert("HZ".to_owned(), "1000".to_owned());
        let found = changed(&kernels);
        let options: Vec<&str> = found.iter().map(|one| one.option.as_str()).collect();
        assert_eq!(options, ["CONFIG_HZ", "CONFIG_A_DRIVER"]);
        assert_eq!((found[1].base.as_str(), found[1].why), ("n", None));
    }
}
