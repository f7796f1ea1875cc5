//! Loading modules, in the order that the host found out.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use rustix::io::Errno;
use rustix::system::finit_module;

use crate::io::errno_name;

/// Loads them all. One that is there already is fine.
///
/// # Errors
/// Names the first that cannot be loaded, the errno and what is likely to help.
pub(super) fn load(folder: &Path, names: &[String]) -> anyhow::Result<()> {
    names.iter().try_for_each(|name| load_one(folder, name))
}

/// Loads those that only criu would use, and says on the console which of them the kernel refuses.
pub(super) fn load_for_criu(folder: &Path, names: &[String]) {
    for name in names {
        if let Err(error) = load_one(folder, name) {
            // An error here could not be reported either.
            let _ = writeln!(io::stderr(), "{error}. Only criu would use it, so the boot goes on");
        }
    }
}

fn load_one(folder: &Path, name: &str) -> anyhow::Result<()> {
    let file = File::open(folder.join(name))
        .map_err(|error| anyhow::anyhow!("module {name} is not in the initramfs: {error}"))?;
    match finit_module(&file, c"", 0) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => anyhow::bail!("{}", refused(name, errno)),
    }
}

fn refused(name: &str, errno: Errno) -> String {
    let advice = match errno {
        Errno::NOENT => {
            "a module that it needs was not loaded before it; the console names symbols"
        }
        Errno::NOEXEC => "it is for another kernel, or still compressed; the console says more",
        Errno::NOSYS => "the kernel was built without CONFIG_MODULES",
        Errno::KEYREJECTED => "its signature is not one that this kernel accepts",
        Errno::NODEV => "its device is not in this machine",
        _ => "the console may say more",
    };
    format!("module {name}: {} ({errno}); {advice}", errno_name(errno.raw_os_error()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_that_is_refused_is_named_with_the_errno() {
        let text = refused("virtio_blk.ko", Errno::NOENT);
        assert!(text.starts_with("module virtio_blk.ko: ENOENT"), "{text}");
        assert!(refused("a.ko", Errno::NOSYS).contains("CONFIG_MODULES"));
    }

    #[test]
    fn a_module_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let error = load(folder.path(), &["dm_delay.ko".to_owned()]).expect_err("no such file");
        assert!(error.to_string().contains("dm_delay.ko"), "{error}");
        assert!(load(folder.path(), &[]).is_ok());
    }
}
