//! Labels: what each kernel is called in a comparison.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use iowq_contract::LABEL_BYTES_MAX;

/// A kernel as it was named: `IMAGE` or `LABEL=IMAGE`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    /// The label, if one was given.
    pub label: Option<String>,
    /// The image.
    pub image: PathBuf,
}

impl From<OsString> for Named {
    /// What exists as it is, is a path, whatever signs are in it.
    fn from(text: OsString) -> Self {
        let bytes = text.as_bytes();
        let sign = bytes.iter().position(|byte| *byte == b'=');
        let label = sign.and_then(|at| std::str::from_utf8(&bytes[..at]).ok());
        match (sign, label) {
            (Some(at), Some(label))
                if is_label(label) && at + 1 < bytes.len() && !Path::new(&text).exists() =>
            {
                let image = OsStr::from_bytes(&bytes[at + 1..]).into();
                Named { label: Some(label.to_owned()), image }
            }
            _ => Named { label: None, image: text.into() },
        }
    }
}

/// Labels stand in file names and behind an `@`, so they are plain.
fn is_label(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.+".contains(c);
    let begins = |c: char| c.is_ascii_alphanumeric();
    (1..=LABEL_BYTES_MAX).contains(&text.len())
        && text.chars().all(plain)
        && text.starts_with(begins)
}

/// The label of each kernel, the base first: what was given, else `base`, `test`, `test2` and so on.
///
/// # Errors
///
/// Two kernels with one label, in words.
pub fn labels(base: &Named, tests: &[Named]) -> anyhow::Result<Vec<String>> {
    let given = |named: &Named, other: String| named.label.clone().unwrap_or(other);
    let mut labels = vec![given(base, "base".to_owned())];
    for (number, test) in (1..).zip(tests) {
        let other = if number == 1 { "test".to_owned() } else { format!("test{number}") };
        let label = given(test, other);
        if labels.contains(&label) {
            anyhow::bail!(
                "two kernels are called {label:?}; name them, as in --test {label}-2={}",
                test.image.display()
            );
        }
        labels.push(label);
    }
    Ok(labels)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(text: &str) -> Named {
        OsString::from(text).into()
    }

    #[test]
    fn a_label_stands_before_the_image() {
        let expected = Named { label: Some("A".to_owned()), image: "images/a".into() };
        assert_eq!(named("A=images/a"), expected);
        for path in ["images/a", "dir/x=y", "=x", "A=", "a b=c", "..=x", "-=x"] {
            assert_eq!(named(path), Named { label: None, image: path.into() }, "{path}");
        }
    }

    #[test]
    fn a_path_that_exists_is_a_path() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("a=b");
        std::fs::write(&path, "").expect("it is written");
        assert_eq!(named(&path.display().to_string()).label, None);
    }

    #[test]
    fn kernels_without_a_label_are_called_base_and_test() {
        let labels = |base: &str, tests: &[&str]| {
            let tests: Vec<_> = tests.iter().map(|text| named(text)).collect();
            labels(&named(base), &tests)
        };
        assert_eq!(labels("x", &["y"]).expect("they differ"), ["base", "test"]);
        assert_eq!(labels("x", &["y", "B=z", "q"]).expect("ok"), ["base", "test", "B", "test3"]);
        let error = labels("x", &["base=y"]).expect_err("one name for two");
        assert!(error.to_string().contains("\"base\""), "{error}");
    }
}
