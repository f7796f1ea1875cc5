//! Tools: what building a kernel takes, found before anything is built.

use std::env;
use std::path::Path;

use super::config::Config;
use super::error::Tool;
use crate::child;
use crate::stop::Stop;

/// Programs that every build takes, with their Debian packages.
const PROGRAMS: [(&str, &str); 11] = [
    ("gcc", "gcc"),
    ("ld", "binutils"),
    ("make", "make"),
    ("flex", "flex"),
    ("bison", "bison"),
    ("bc", "bc"),
    ("perl", "perl"),
    ("awk", "mawk"),
    ("find", "findutils"),
    ("git", "git"),
    // The configuration that the image carries is packed by it.
    ("gzip", "gzip"),
];
/// Headers that every build takes: programs of the build itself are compiled with them.
const HEADERS: [(&str, &str); 2] = [("stdlib.h", "libc6-dev"), ("gelf.h", "libelf-dev")];
/// Programs for tarballs, by the end of their names.
const UNPACKERS: [(&str, &str, &str); 5] = [
    (".xz", "xz", "xz-utils"),
    (".gz", "gzip", "gzip"),
    (".tgz", "gzip", "gzip"),
    (".bz2", "bzip2", "bzip2"),
    (".zst", "zstd", "zstd"),
];
/// Programs that options take.
const OPTION_PROGRAMS: [(&str, &str, &str); 7] = [
    ("DEBUG_INFO_BTF", "pahole", "dwarves"),
    ("KERNEL_XZ", "xz", "xz-utils"),
    ("KERNEL_ZSTD", "zstd", "zstd"),
    ("KERNEL_LZ4", "lz4", "lz4"),
    ("KERNEL_BZIP2", "bzip2", "bzip2"),
    ("KERNEL_LZO", "lzop", "lzop"),
    ("IKHEADERS", "cpio", "cpio"),
];
/// Options that take OpenSSL's headers.
const SIGNING: [&str; 2] = ["SYSTEM_TRUSTED_KEYRING", "MODULE_SIG_FORMAT"];

/// The tools that are searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Need {
    Program(&'static str),
    Header(&'static str),
}

/// All that building a source takes and that is missing here.
pub(super) fn missing(source: &Path, config: &Config, stop: &Stop) -> anyhow::Result<Vec<Tool>> {
    missing_of(&needs(source, config), |need| is_here(need, stop))
}

/// The compiler, in a line: another one makes another kernel.
pub(super) fn compiler(stop: &Stop) -> anyhow::Result<String> {
    let output = child::output(child::tool("gcc").arg("--version").env("LC_ALL", "C"), stop)?;
    let text = String::from_utf8_lossy(&output.stdout);
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

fn needs(source: &Path, config: &Config) -> Vec<(Need, &'static str)> {
    let program = |(name, package)| (Need::Program(name), package);
    let mut needs: Vec<_> = PROGRAMS.into_iter().map(program).collect();
    needs.extend(HEADERS.map(|(name, package)| (Need::Header(name), package)));
    if !source.is_dir() {
        let name = source.to_string_lossy();
        let unpackers = UNPACKERS.iter().filter(|(end, ..)| name.ends_with(end));
        needs.extend(unpackers.map(|(_, name, package)| (Need::Program(name), *package)));
        needs.push((Need::Program("tar"), "tar"));
    }
    let options = OPTION_PROGRAMS.iter().filter(|(option, ..)| config.has(option));
    needs.extend(options.map(|(_, name, package)| (Need::Program(name), *package)));
    if SIGNING.iter().any(|option| config.has(option)) {
        needs.push((Need::Header("openssl/ssl.h"), "libssl-dev"));
    }
    needs
}

fn missing_of(
    needs: &[(Need, &'static str)],
    is_here: impl Fn(Need) -> anyhow::Result<bool>,
) -> anyhow::Result<Vec<Tool>> {
    let mut missing: Vec<Tool> = Vec::new();
    for (need, package) in needs {
        let (Need::Program(name) | Need::Header(name)) = need;
        let tool = Tool { name: (*name).to_owned(), package: (*package).to_owned() };
        if !is_here(*need)? && !missing.contains(&tool) {
            missing.push(tool);
        }
    }
    Ok(missing)
}

fn is_here(need: Need, stop: &Stop) -> anyhow::Result<bool> {
    match need {
        Need::Program(name) => {
            let path = env::var_os("PATH").unwrap_or_default();
            Ok(env::split_paths(&path).any(|folder| folder.join(name).is_file()))
        }
        // Without a compiler no header is found, and the compiler is named.
        Need::Header(_) if !is_here(Need::Program("gcc"), stop)? => Ok(false),
        Need::Header(name) => {
            let mut gcc = child::tool("gcc");
            gcc.args(["-E", "-x", "c", "-include", name, "/dev/null"]);
            Ok(child::output(&mut gcc, stop)?.status.success())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(source: &str, config: &str, here: &[&str]) -> Vec<String> {
        let config = Config::of(config.to_owned(), None);
        let missing = missing_of(&needs(Path::new(source), &config), |need| {
            let (Need::Program(name) | Need::Header(name)) = need;
            Ok(here.contains(&name))
        });
        let missing = missing.expect("no tool is run");
        missing.into_iter().map(|tool| format!("{} of {}", tool.name, tool.package)).collect()
    }

    #[test]
    fn all_that_is_missing_is_named_at_once() {
        let here = ["gcc", "ld", "make", "bc", "perl", "awk", "find", "git", "gzip", "stdlib.h"];
        let expected = ["flex of flex", "bison of bison", "gelf.h of libelf-dev", "xz of xz-utils"];
        assert_eq!(names("linux.tar.xz", "", &[&here[..], &["tar"]].concat()), expected);
    }

    #[test]
    fn options_take_tools_of_their_own() {
        let missing = |config| names("linux.tar", config, &[]);
        let has = |config, name: &str| missing(config).iter().any(|tool| tool.starts_with(name));
        assert!(has("CONFIG_DEBUG_INFO_BTF=y\n", "pahole"));
        assert!(!has("# CONFIG_DEBUG_INFO_BTF is not set\n", "pahole"));
        assert!(has("CONFIG_MODULE_SIG_FORMAT=y\n", "openssl/ssl.h"));
        assert!(!has("CONFIG_MODULE_SIG_FORMAT=n\n", "openssl/ssl.h"));
    }
}
