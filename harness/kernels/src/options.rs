//! The flags of `iowq-kernels`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgGroup, Parser, ValueEnum};
use iowq_contract::{Disk, KERNELS_MAX};

use crate::accelerator::AcceleratorChoice;
use crate::label::Named;

/// Rounds by default: with fewer boots six metrics cannot show anything.
const BOOTS: u32 = 8;
/// Rounds at most: more would take days.
const BOOTS_MAX: i64 = 1_000;
/// Repetitions of a run in one boot at most; they are averaged, so that boots are worth more.
const REPEATS_MAX: i64 = 100;
/// Virtual processors at most, as kernels for virtual machines are built.
const CPUS_MAX: i64 = 64;
/// Memory of a guest in MiB: below, a stock kernel does not boot with its initramfs.
const MEMORY_MIB: std::ops::RangeInclusive<i64> = 256..=65_536;
/// Memory by default.
const MEMORY_MIB_DEFAULT: u32 = 1024;
/// Size of the disk in MiB: btrfs needs some 110, and the built-in workloads fill 256.
const DISK_MIB: std::ops::RangeInclusive<i64> = 320..=1_048_576;
/// Most delay of a write: above, no run is long enough.
const DELAY_MS_MAX: i64 = 1_000;
/// Of the 2,048 bytes that a kernel reads of its command line, what our own words leave.
const APPEND_BYTES_MAX: usize = 1_900;
/// Memory that the guest takes without its files.
const GUEST_MIB: u32 = 192;
/// From the seed to that of boots that confirm: beyond any round, as a round's seed is that many higher.
const RERUN_SEED_STEP: u64 = 1_000_003;
/// Limits of what `criu` may take.
const CRIU_SECONDS: std::ops::RangeInclusive<i64> = 1..=600;

/// Boot kernels in turn, run the same workloads through io_uring on each, and keep what came back.
///
/// IMAGE is a bzImage, a vmlinux, a Debian kernel package (.deb) or the folder that a kernel was
/// built in; `LABEL=IMAGE` gives it a name.
#[derive(Clone, Debug, Parser)]
#[command(
    group(ArgGroup::new("kernels").required(true).args(["base", "build"]))
)]
pub struct Options {
    /// The kernel that the others are compared with
    #[arg(long, value_name = "IMAGE", requires = "test")]
    pub base: Option<Named>,
    /// A kernel to compare with the base; may be repeated
    #[arg(long, value_name = "IMAGE", conflicts_with = "build")]
    pub test: Vec<Named>,

    /// Build the kernels from this source, a folder or a tarball: one as it is, and one more with
    /// each further patch
    #[arg(long, value_name = "SOURCE", requires = "patch", conflicts_with = "base")]
    pub build: Option<PathBuf>,
    /// A patch of the series, in order; may be repeated
    #[arg(long, value_name = "FILE", requires = "build", conflicts_with = "base")]
    pub patch: Vec<PathBuf>,
    /// A patch that all of them get, the base too; may be repeated
    #[arg(long, value_name = "FILE", requires = "build", conflicts_with = "base")]
    pub aid: Vec<PathBuf>,
    /// Configuration instead of the minimal one
    #[arg(long, value_name = "FILE", requires = "build", conflicts_with = "base")]
    pub config: Option<PathBuf>,

    /// Built-in workload, or path of a spec (.toml) or fio job file (.fio); may be repeated
    #[arg(long, value_name = "NAME|FILE", default_values = ["fsync-mix", "dsync"])]
    pub workload: Vec<OsString>,
    /// Take fio jobs of other engines, such as libaio, to see what io_uring does with them
    #[arg(long)]
    pub as_io_uring: bool,
    /// Length of each run, instead of the workload's own
    #[arg(long, value_name = "S")]
    pub seconds: Option<f64>,
    /// A field of the workloads' specs and values for it, such as workers.bounded=4,64: each boot
    /// runs the workloads with every value, and kernels are compared with each; may be repeated, for
    /// all combinations
    #[arg(long, value_name = "KEY=VALUE,…")]
    pub set: Vec<String>,
    /// Rounds; each boots every kernel once, in an order drawn from the seed. More must not be
    /// added afterwards
    #[arg(long, value_name = "N", default_value_t = BOOTS,
          value_parser = clap::value_parser!(u32).range(1..=BOOTS_MAX))]
    pub boots: u32,
    /// Runs of each workload in one boot, which are averaged
    #[arg(long, value_name = "N", default_value_t = 1,
          value_parser = clap::value_parser!(u32).range(1..=REPEATS_MAX))]
    pub repeats: u32,
    /// Seed of the order of boots and of the streams of ops
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub seed: u64,
    /// Rounds in which the base also runs the pool under every preset, so that the report can say
    /// which preset each kernel is nearest to; 0 for none
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub presets: u32,
    /// Boot the base once more in each round: what differs between the two is noise, and a floor
    /// under what may be called a change
    #[arg(long)]
    pub noise: bool,
    /// Try in each boot but those for noise whether `criu dump` completes within SECONDS: of a
    /// process that never opened a ring, of one that just closed its rings, and of one whose workers
    /// have had their idle timeout since [default without S: 20]
    #[arg(long, value_name = "S", num_args = 0..=1, default_missing_value = "20",
          value_parser = clap::value_parser!(u32).range(CRIU_SECONDS))]
    pub criu: Option<u32>,

    /// Added to every kernel's command line
    #[arg(long, value_name = "TEXT", default_value = "", allow_hyphen_values = true)]
    pub append: String,
    /// What carries the virtual machine; auto takes KVM if a kernel boots under it
    #[arg(long, value_enum, default_value_t = AcceleratorChoice::Auto)]
    pub accel: AcceleratorChoice,
    /// Virtual processors
    #[arg(long, value_name = "N", default_value_t = 2,
          value_parser = clap::value_parser!(u32).range(1..=CPUS_MAX))]
    pub cpus: u32,
    /// Memory of a guest [default: 1024, and with tmpfs as much more as the files may take]
    #[arg(long, value_name = "MIB",
          value_parser = clap::value_parser!(u32).range(MEMORY_MIB))]
    pub memory_mib: Option<u32>,
    /// File system under the files
    #[arg(long, value_enum, default_value_t = Filesystem::Ext4)]
    pub fs: Filesystem,
    /// Size of the disk, which is new in each boot
    #[arg(long, value_name = "MIB", default_value_t = 1024,
          value_parser = clap::value_parser!(u32).range(DISK_MIB))]
    pub disk_mib: u32,
    /// Hold each write and flush back so long, by dm-delay, so that boots have the same disk. The
    /// guest counts in ticks of its clock: with 250 a second, 1 and 2 ms came out the same
    #[arg(long, value_name = "MS", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(0..=DELAY_MS_MAX))]
    pub disk_delay_ms: u32,
    /// Requests per second that the disk takes at most
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub disk_iops: Option<u32>,

    /// Folder for the results. Boots that are recorded there already are not made again [default:
    /// kernels/UTC-TIME, in the folder for results]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Folder for kernels that are built, which later calls use again
    /// [default: kernel-builds in the user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub cache: Option<PathBuf>,
}

/// A file system for the files under test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Filesystem {
    /// On the disk
    Ext4,
    /// On the disk
    Xfs,
    /// On the disk
    Btrfs,
    /// In memory, without a disk
    Tmpfs,
}

impl Filesystem {
    /// The name, as the kernel has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Filesystem::Ext4 => "ext4",
            Filesystem::Xfs => "xfs",
            Filesystem::Btrfs => "btrfs",
            Filesystem::Tmpfs => "tmpfs",
        }
    }
}

impl Options {
    /// Refuses flags that do not go together.
    ///
    /// # Errors
    ///
    /// Which, and what to omit.
    pub fn check(&self) -> anyhow::Result<()> {
        if self.fs == Filesystem::Tmpfs && (self.disk_delay_ms > 0 || self.disk_iops.is_some()) {
            anyhow::bail!(
                "--fs tmpfs has no disk, so --disk-delay-ms and --disk-iops have no effect; omit \
                 them, or take another file system"
            );
        }
        let memory_mib = self.memory_mib();
        if self.fs == Filesystem::Tmpfs && self.disk_mib + GUEST_MIB > memory_mib {
            anyhow::bail!(
                "--fs tmpfs with --disk-mib {} does not fit into --memory-mib {memory_mib}, of \
                 which the guest itself takes {GUEST_MIB}",
                self.disk_mib
            );
        }
        if let Some(seconds) = self.seconds
            && !(seconds.is_finite() && seconds > 0.0)
        {
            anyhow::bail!("--seconds {seconds}: a time above 0 is allowed");
        }
        if self.test.len().max(self.patch.len()) >= KERNELS_MAX {
            anyhow::bail!("more than {KERNELS_MAX} kernels: compare fewer at a time");
        }
        let ours = |word: &&str| {
            *word == "--"
                || ["rdinit=", "init=", "panic="].iter().any(|name| word.starts_with(name))
        };
        if let Some(word) = self.append.split_whitespace().find(ours) {
            anyhow::bail!("--append: {word} is set by this command itself; omit it");
        }
        if self.append.len() > APPEND_BYTES_MAX {
            anyhow::bail!(
                "--append has {} bytes, and a kernel reads {APPEND_BYTES_MAX} beside what this \
                 command adds",
                self.append.len()
            );
        }
        Ok(())
    }

    /// The same, for boots that are to confirm what the first ones showed: other streams, another
    /// order, and no presets.
    #[must_use]
    pub fn rerun(&self) -> Self {
        Self { seed: self.seed.wrapping_add(RERUN_SEED_STEP), presets: 0, ..self.clone() }
    }

    /// Memory of a guest.
    #[must_use]
    pub fn memory_mib(&self) -> u32 {
        let files_mib = if self.fs == Filesystem::Tmpfs { self.disk_mib } else { 0 };
        self.memory_mib.unwrap_or(MEMORY_MIB_DEFAULT.saturating_add(files_mib))
    }

    /// The disk of each boot.
    #[must_use]
    pub fn disk(&self) -> Disk {
        Disk {
            filesystem: self.fs.name().to_owned(),
            size_mib: self.disk_mib,
            delay_us: u64::from(self.disk_delay_ms) * 1_000,
            iops_max: self.disk_iops,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(flags: &[&str]) -> Result<Options, String> {
        let given = ["kernels"];
        Options::try_parse_from([&given, flags].concat()).map_err(|error| error.to_string())
    }

    fn named(flags: &[&str]) -> Options {
        options(&[&["--base", "a", "--test", "b"], flags].concat()).expect("valid flags")
    }

    #[test]
    fn kernels_are_named_or_built_and_not_both() {
        assert!(options(&["--base", "a", "--test", "b", "--test", "c"]).is_ok());
        assert!(options(&["--build", "s", "--patch", "p"]).is_ok());
        for flags in [
            &[][..],
            &["--base", "a"],
            &["--test", "b"],
            &["--build", "s"],
            &["--patch", "p", "--base", "a", "--test", "b"],
            &["--build", "s", "--patch", "p", "--test", "b"],
            &["--build", "s", "--patch", "p", "--base", "a", "--test", "b"],
        ] {
            assert!(options(flags).is_err(), "{flags:?}");
        }
    }

    #[test]
    fn a_disk_in_memory_is_neither_slow_nor_limited() {
        assert!(named(&["--fs", "tmpfs"]).check().is_ok());
        let small = named(&["--fs", "tmpfs", "--memory-mib", "512"]).check();
        assert!(small.is_err_and(|error| error.to_string().contains("does not fit")));
        for flags in [["--disk-delay-ms", "3"], ["--disk-iops", "100"]] {
            let error = named(&[&["--fs", "tmpfs"], &flags[..]].concat()).check();
            assert!(error.is_err_and(|error| error.to_string().contains("no disk")), "{flags:?}");
            assert!(named(&flags).check().is_ok());
        }
    }

    #[test]
    fn kernel_arguments_that_conflict_with_our_own_are_refused() {
        assert!(named(&["--append", "io_wq.idle_ms=250 nokaslr"]).check().is_ok());
        for append in ["rdinit=/x", "quiet -- x", "panic=0", &"x".repeat(2_000)] {
            assert!(named(&["--append", append]).check().is_err(), "{append}");
        }
    }

    #[test]
    fn a_run_has_a_length() {
        assert!(named(&["--seconds", "0.5"]).check().is_ok());
        for seconds in ["0", "nan", "inf"] {
            assert!(named(&["--seconds", seconds]).check().is_err(), "{seconds}");
        }
    }

    #[test]
    fn boots_that_confirm_have_other_streams_and_no_presets() {
        let first = named(&["--seed", "7", "--noise"]);
        let rerun = first.rerun();
        assert_eq!((rerun.seed, rerun.presets, rerun.noise), (1_000_010, 0, true));
    }
}
