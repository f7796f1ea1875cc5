//! The control file of a Debian package, as far as it says what the package is for.

use std::io::{self, Read};

/// Largest control file.
const BYTES_MAX: u64 = 1 << 20;

/// Its fields that are used.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Control {
    architecture: String,
    /// Names of packages, the first of each set of alternatives.
    depends: Vec<String>,
}

impl Control {
    pub(super) fn read(from: impl Read) -> io::Result<Control> {
        let mut bytes = Vec::new();
        from.take(BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(Control::parse(&String::from_utf8_lossy(&bytes)))
    }

    fn parse(text: &str) -> Control {
        let mut control = Control::default();
        // A line that begins with a blank goes on with the field before it.
        let text = text.replace("\n ", " ").replace("\n\t", " ");
        for line in text.lines() {
            match line.split_once(':') {
                Some(("Architecture", value)) => control.architecture = value.trim().to_owned(),
                Some(("Depends", value)) => {
                    control.depends = value.split(',').filter_map(name).collect();
                }
                _ => {}
            }
        }
        control
    }

    /// The architecture, if it is not that of the virtual machine.
    pub(super) fn other_architecture(&self) -> Option<&str> {
        let ours = ["", "all", "amd64"].contains(&self.architecture.as_str());
        (!ours).then_some(&self.architecture)
    }

    /// The package to get if this one holds no kernel.
    pub(super) fn leads_to(&self) -> Option<&str> {
        let starts = ["linux-image-", "linux-binary-", "linux-"];
        let with = |start: &str| self.depends.iter().find(|name| name.starts_with(start));
        let found = starts.into_iter().find_map(with).or(self.depends.first());
        found.map(String::as_str)
    }
}

fn name(relation: &str) -> Option<String> {
    let first = relation.split(['|', '(', ':', '[']).next()?.trim();
    (!first.is_empty()).then(|| first.to_owned())
}

#[cfg(test)]
mod tests {
    use super::Control;

    #[test]
    fn fields_are_read_over_several_lines() {
        let text = "Package: linux-image-amd64\nArchitecture: amd64\nDepends: kmod,\n \
                    linux-image-6.12-amd64 (= 6.12.1-1) | other\nDescription: x\n Depends: none\n";
        let control = Control::parse(text);
        assert_eq!(control.depends, ["kmod", "linux-image-6.12-amd64"]);
        assert_eq!(control.leads_to(), Some("linux-image-6.12-amd64"));
        assert_eq!(control.other_architecture(), None);
    }

    #[test]
    fn another_architecture_is_seen() {
        assert_eq!(Control::parse("Architecture: arm64\n").other_architecture(), Some("arm64"));
        assert_eq!(Control::parse("").other_architecture(), None);
        assert_eq!(Control::parse("nonsense").leads_to(), None);
    }
}
