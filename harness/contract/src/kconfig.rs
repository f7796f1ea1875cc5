//! Configurations of kernels: read from a `.config`, compared, and which options
//! bear on io-wq.

use std::{collections::BTreeMap, fmt};

/// Options by name without the `CONFIG_`, such as `IO_URING: y`. A string is kept without its
/// quotes; an option that is not set is not listed.
pub type Config = BTreeMap<String, String>;

/// An invalid line of a `.config`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Its number, from 1.
    pub line: usize,
    /// What stands there, cut short.
    pub found: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, found } = self;
        write!(f, "line {line} is {found:?}; CONFIG_NAME=VALUE, a comment or nothing is allowed")
    }
}

impl std::error::Error for ConfigError {}

/// Characters of a wrong line that are shown.
const SHOWN_MAX: usize = 60;

/// Reads the text of a `.config`.
///
/// # Errors
///
/// A line that is no option, no comment and not empty.
pub fn parse(text: &str) -> Result<Config, ConfigError> {
    let mut config = Config::new();
    for (line, number) in text.lines().zip(1..) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let option = line.strip_prefix("CONFIG_").and_then(|option| option.split_once('='));
        let Some((name, value)) = option.filter(|(name, _)| is_name(name)) else {
            let found = line.chars().take(SHOWN_MAX).collect();
            return Err(ConfigError { line: number, found });
        };
        if value == "n" {
            config.remove(name);
        } else {
            config.insert(name.to_owned(), unquoted(value));
        }
    }
    Ok(config)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn unquoted(value: &str) -> String {
    let inside = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let Some(inside) = inside else { return value.to_owned() };
    let mut text = String::new();
    let mut chars = inside.chars();
    while let Some(c) = chars.next() {
        // A backslash stands before a quote or another backslash.
        text.extend(if c == '\\' { chars.next() } else { Some(c) });
    }
    text
}

/// An option that two kernels have set differently.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Its name without the `CONFIG_`.
    pub option: String,
    /// Its value in the first; none if it is not set.
    pub a: Option<String>,
    /// Its value in the second.
    pub b: Option<String>,
    /// Why it bears on io-wq or its measurement; none if it is not known to.
    pub why: Option<&'static str>,
}

/// Every option that differs, by name.
#[must_use]
pub fn differences(a: &Config, b: &Config) -> Vec<Difference> {
    let mut options: Vec<_> = a.keys().chain(b.keys()).collect();
    options.sort_unstable();
    options.dedup();
    let differ = options.into_iter().filter(|option| a.get(*option) != b.get(*option));
    let difference = |option: &String| Difference {
        option: option.clone(),
        a: a.get(option).cloned(),
        b: b.get(option).cloned(),
        why: why(option),
    };
    differ.map(difference).collect()
}

/// Why an option bears on io-wq or its measurement; none if it is not in the list.
#[must_use]
pub fn why(option: &str) -> Option<&'static str> {
    let is = |name: &str| match name.strip_suffix('*') {
        Some(prefix) => option.starts_with(prefix),
        None => option == name,
    };
    let found = MATTERS.iter().find(|(names, _)| names.split_whitespace().any(is));
    found.map(|(_, why)| *why)
}

/// Names, where a star at the end stands for any rest, and the reason they share.
const MATTERS: [(&str, &str); 24] = [
    ("IO_URING IO_URING_*", "io_uring itself"),
    ("PREEMPT PREEMPT_* PREEMPTION", "when a worker in the kernel gives up its processor"),
    ("HZ HZ_*", "how fine the timers of idle workers and of the scheduler are"),
    ("NO_HZ* HIGH_RES_TIMERS TICK_CPU_ACCOUNTING VIRT_CPU_ACCOUNTING*", "what the tick costs"),
    ("SMP NR_CPUS X86_X2APIC", "how many processors there are for workers"),
    ("NUMA NUMA_* SCHED_MC SCHED_SMT SCHED_CLUSTER", "where workers are placed"),
    (
        "SCHED_AUTOGROUP FAIR_GROUP_SCHED RT_GROUP_SCHED CFS_BANDWIDTH SCHED_CORE SCHED_CLASS_EXT \
         UCLAMP_*",
        "how the scheduler shares processors among workers",
    ),
    ("CGROUPS CGROUP_* MEMCG MEMCG_* BLK_CGROUP*", "what creating a worker and a write account"),
    (
        "MITIGATION_* CPU_MITIGATIONS SPECULATION_MITIGATIONS RETPOLINE RETHUNK SLS \
         PAGE_TABLE_ISOLATION CPU_*_ENTRY CPU_SRSO CALL_DEPTH_TRACKING X86_KERNEL_IBT \
         GDS_FORCE_MITIGATION",
        "mitigations make every entry into the kernel and every switch dearer",
    ),
    ("KASAN* KMSAN* KCSAN* KFENCE* UBSAN* KCOV* GCOV_*", "sanitisers slow everything down"),
    (
        "LOCKDEP LOCK_STAT PROVE_* DEBUG_LOCK* DEBUG_MUTEXES DEBUG_SPINLOCK DEBUG_RWSEMS \
         DEBUG_RT_MUTEXES DEBUG_WW_* DEBUG_ATOMIC_SLEEP",
        "checked locks are slower, most of all contended ones",
    ),
    ("SLUB_DEBUG* SLUB_TINY SLUB_CPU_PARTIAL INIT_ON_* SLAB_FREELIST_*", "what memory costs"),
    (
        "DEBUG_LIST DEBUG_PLIST DEBUG_SG DEBUG_NOTIFIERS DEBUG_OBJECTS* DEBUG_PAGEALLOC* DEBUG_VM* \
         DEBUG_KMEMLEAK* DEBUG_PREEMPT DEBUG_STACK_USAGE DEBUG_TIMEKEEPING DEBUG_VIRTUAL \
         DEBUG_ENTRY DEBUG_PER_CPU_MAPS SCHEDSTATS SCHED_STACK_END_CHECK TASK_DELAY_ACCT \
         LATENCYTOP PAGE_OWNER PAGE_POISONING",
        "checks and counts that are paid on each switch, call or allocation",
    ),
    ("EXT4_* XFS_* BTRFS_* JBD2* TMPFS TMPFS_* FS_* QUOTA*", "the file system under test"),
    ("BLK_DEV_* BLK_* MQ_IOSCHED_* IOSCHED_* DM_* VIRTIO VIRTIO_*", "the block layer and its disk"),
    (
        "FTRACE FTRACE_* FUNCTION_TRACER FUNCTION_GRAPH_TRACER DYNAMIC_FTRACE* TRACEPOINTS \
         EVENT_TRACING",
        "tracepoints are what workers are counted by",
    ),
    ("BPF BPF_* DEBUG_INFO_BTF*", "the probes are BPF programs"),
    ("KPROBES KPROBE_* FPROBE* RETHOOK* UPROBE*", "probes on functions and their cost"),
    ("CC_OPTIMIZE_* CC_VERSION_TEXT CC_IS_* GCC_VERSION CLANG_VERSION", "another compiler's code"),
    ("LTO LTO_* CFI CFI_* FINEIBT* AUTOFDO* PROPELLER*", "how calls and code are laid out"),
    ("STACKPROTECTOR* STACK_VALIDATION VMAP_STACK RANDOMIZE_KSTACK_* GCC_PLUGIN*", "stacks"),
    ("RANDOMIZE_* SECURITY SECURITY_* LSM AUDIT* SECCOMP*", "hooks on each call and each file"),
    ("TRANSPARENT_HUGEPAGE* HUGETLB* READ_ONLY_THP_* LRU_GEN* ZSWAP*", "the page cache"),
    ("HYPERVISOR_GUEST PARAVIRT* KVM_GUEST X86_NATIVE_CPU", "what it does in a virtual machine"),
];

#[cfg(test)]
mod tests {
    use super::{Difference, differences, parse, why};

    const TEXT: &str = "#\n# Linux/x86 6.12.117 Kernel Configuration\n#\nCONFIG_IO_URING=y\n\
                        CONFIG_HZ=250\n# CONFIG_KASAN is not set\nCONFIG_XFS_FS=m\n\
                        CONFIG_NAME=\"say \\\"x\\\"\"\nCONFIG_OFF=n\n\n";

    #[test]
    fn options_are_read_and_those_not_set_are_absent() {
        let config = parse(TEXT).unwrap();
        let shown: Vec<_> = config.iter().map(|(name, value)| format!("{name}={value}")).collect();
        assert_eq!(shown, ["HZ=250", "IO_URING=y", "NAME=say \"x\"", "XFS_FS=m"]);
    }

    #[test]
    fn a_line_that_is_no_option_is_named() {
        let error = parse("CONFIG_A=y\n<html>\n").unwrap_err();
        assert_eq!((error.line, error.found.as_str()), (2, "<html>"));
        assert!(parse("CONFIG_A").is_err());
        assert!(parse("CONFIG_=y").is_err());
        assert!(parse("CONFIG_A B=y").is_err());
    }

    #[test]
    fn a_later_line_wins() {
        assert!(parse("CONFIG_A=y\nCONFIG_A=n\n").unwrap().is_empty());
    }

    #[test]
    fn differences_have_both_values_and_the_reason() {
        let a = parse("CONFIG_HZ=250\nCONFIG_SAME=y\nCONFIG_SOUND=m\n").unwrap();
        let b = parse("CONFIG_HZ=1000\nCONFIG_SAME=y\nCONFIG_KASAN=y\n").unwrap();
        let found = differences(&a, &b);
        let options: Vec<_> = found.iter().map(|one| one.option.as_str()).collect();
        assert_eq!(options, ["HZ", "KASAN", "SOUND"]);
        let Difference { a, b, why, .. } = &found[0];
        assert_eq!((a.as_deref(), b.as_deref()), (Some("250"), Some("1000")));
        assert!(why.is_some_and(|why| why.contains("timers")));
        assert_eq!(found[1].a, None);
        assert_eq!(found[2].why, None);
        assert!(differences(&Default::default(), &Default::default()).is_empty());
    }

    #[test]
    fn names_match_whole_or_by_their_beginning() {
        for option in ["PREEMPT_VOLUNTARY", "HZ", "HZ_1000", "MEMCG", "MITIGATION_RETPOLINE"] {
            assert!(why(option).is_some(), "{option}");
        }
        for option in ["HZZ", "SMPX", "SND_HDA", "LOCALVERSION", ""] {
            assert_eq!(why(option), None, "{option}");
        }
    }
}
