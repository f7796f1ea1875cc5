//! Make: from a source with patches in it to a kernel.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::config::Config;
use anyhow::Context as _;
use rustix::process::Signal;

use super::files;
use super::run::Runner;
use super::source::Source;
use crate::child;

/// The image, in the folder of a kernel.
pub(super) const IMAGE: &str = "bzImage";
/// Its configuration, there.
pub(super) const CONFIG: &str = "config";
/// The release that it gives itself, there.
pub(super) const RELEASE: &str = "release";

/// Variables by which the user's shell would change what is built.
const NOT_OURS: [&str; 14] = [
    "MAKEFLAGS",
    "MAKEFILES",
    "MAKELEVEL",
    "MFLAGS",
    "KBUILD_OUTPUT",
    "KBUILD_EXTMOD",
    "KCONFIG_CONFIG",
    "ARCH",
    "CROSS_COMPILE",
    "LLVM",
    "KCFLAGS",
    "KCPPFLAGS",
    "KAFLAGS",
    "LOCALVERSION",
];

/// One kernel to make.
pub(super) struct Make<'a> {
    pub(super) source: &'a Source,
    /// Its name in the cache.
    pub(super) digest: &'a str,
    pub(super) jobs: usize,
}

/// Where a kernel lies that was made.
pub(super) struct Made {
    objects: PathBuf,
}

impl Make<'_> {
    /// Makes what is in the source now.
    pub(super) fn kernel(
        &self,
        label: &str,
        config: &Config,
        run: &mut Runner<'_>,
    ) -> anyhow::Result<Made> {
        let objects = files::make_folder(&self.source.objects())?;
        let configured = objects.join(".config");
        let mut configure = if config.is_ours() {
            let wanted = self.source.file("wanted.config");
            files::write(&wanted, config.text().as_bytes())?;
            let mut make = self.make(&objects, "allnoconfig");
            make.env("KCONFIG_ALLCONFIG", wanted);
            make
        } else {
            files::write(&configured, config.text().as_bytes())?;
            self.make(&objects, "olddefconfig")
        };
        // For each kernel: a patch may add an option, and make would prompt for it.
        let log = format!("{label}-{}.config.log", self.digest);
        run.run(&format!("configuring {label}"), &log, &mut configure)?;
        let result = files::read(&configured)?;
        if let Some(lost) = config.check(label, &String::from_utf8_lossy(&result))? {
            run.say(&lost);
        }
        let mut build = self.make(&objects, IMAGE);
        build.arg(format!("-j{}", self.jobs.max(1)));
        let log = format!("{label}-{}.log", self.digest);
        run.run(&format!("building {label}"), &log, &mut build)?;
        Ok(Made { objects })
    }

    fn make(&self, objects: &Path, target: &str) -> Command {
        let mut output = std::ffi::OsString::from("O=");
        output.push(objects);
        // It passes the signal on to what it has started.
        let mut make = child::command("make", Signal::TERM);
        make.arg("-C").arg(self.source.tree()).arg(output).arg(target).env("LC_ALL", "C");
        for variable in NOT_OURS {
            make.env_remove(variable);
        }
        // The same source gives the same image, on any machine and at any time. The name of the host
        // tells on the console which kernel of the cache it is.
        make.env("KBUILD_BUILD_TIMESTAMP", "Thu Jan  1 00:00:00 UTC 1970")
            .env("KBUILD_BUILD_VERSION", "1")
            .env("KBUILD_BUILD_USER", "iowq")
            .env("KBUILD_BUILD_HOST", self.digest);
        make
    }
}

impl Made {
    /// Puts it into the cache, whole or not at all.
    pub(super) fn keep(&self, folder: &Path) -> anyhow::Result<()> {
        let part = folder.with_extension("part");
        files::remove(&part)?;
        files::make_folder(&part)?;
        let kept = [
            ("arch/x86/boot/bzImage", IMAGE),
            (".config", CONFIG),
            ("include/config/kernel.release", RELEASE),
        ];
        for (from, to) in kept {
            let from = self.objects.join(from);
            fs::copy(&from, part.join(to))
                .with_context(|| format!("cannot copy {}", from.display()))?;
        }
        fs::rename(&part, folder).with_context(|| format!("cannot create {}", folder.display()))
    }
}
