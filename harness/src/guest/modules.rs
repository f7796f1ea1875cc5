//! Loading modules, in the order that the host found out.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::Path;

use iowq_record::guest::needed;
use rustix::io::Errno;
use rustix::system::finit_module;

use crate::io::errno_name;

/// Loads them all. One that is there already is fine. What the kernel refuses of those that are
/// only there for criu is said on the console.
///
/// # Errors
/// Names the first that is needed and cannot be loaded, the errno and what is likely to help.
pub(super) fn load(folder: &Path, names: &[String]) -> anyhow::Result<()> {
    let (needed, liked) = names.split_at(needed(names));
    needed.iter().try_for_each(|name| load_one(folder, name))?;
    for name in liked {
        if let Err(error) = load_one(folder, name) {
            // Where that fails there is nobody to tell.
            let _ = writeln!(io::stderr(), "{error}. Only criu would use it, so the boot goes on");
        }
    }
    Ok(())
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

    #[test]
    fn a_refused_module_that_only_criu_likes_does_not_end_the_boot() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let names = ["nfnetlink.ko", "tun.ko", "ext4.ko"].map(str::to_owned);
        for name in &names {
            // No kernel takes this for a module.
            std::fs::write(folder.path().join(name), "no module").expect("a file");
        }
        assert!(load(folder.path(), &names[..2]).is_ok());
        let error = load(folder.path(), &names).expect_err("ext4 needs what is before it");
        assert!(error.to_string().starts_with("module nfnetlink.ko: "), "{error}");
    }
}
