//! Boots for tests: a request with small limits, a stand-in for QEMU, and a guest out of busybox.

use std::{
    env,
    fs::{self, File},
    io::{self, Write as _},
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::OnceLock,
    time::{Duration, Instant},
};

use iowq_contract::{Boot, Disk, Machine, Record, Role};
use iowq_kernels::{
    boot::{Limits, Request, boot},
    image::{self, Module, Needs},
    initramfs::host_program,
    machine,
    stop::Stop,
};
use rustix::process::Pid;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Names the folder with kernels to test with.
const KERNELS: &str = "IOWQ_TEST_KERNELS";

/// Names a boot's place to a stand-in for QEMU and to what that starts.
const PLACE: &str = "IOWQ_TEST_PLACE";

/// How long a killed process may take to be gone.
const GONE_MAX: Duration = Duration::from_secs(30);

/// A folder for a boot, gone with the test.
pub(crate) struct Place {
    pub(crate) folder: TempDir,
}

impl Place {
    pub(crate) fn new() -> Place {
        let place = Place { folder: tempfile::tempdir().unwrap() };
        fs::create_dir(place.scratch()).unwrap();
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where disks are made.
    pub(crate) fn scratch(&self) -> PathBuf {
        self.path("scratch")
    }

    /// A request with no disk, for a QEMU and a kernel.
    pub(crate) fn request(&self, qemu: PathBuf, kernel: PathBuf) -> Request {
        let disk =
            Disk { filesystem: "tmpfs".to_owned(), size_mib: 64, delay_us: 0, iops_max: None };
        let machine = Machine {
            accelerator: "tcg".to_owned(),
            accelerator_reason: "a test".to_owned(),
            qemu: String::new(),
            cpus: 2,
            memory_mib: 512,
            disk,
        };
        Request {
            qemu,
            kernel,
            initramfs: self.path("initramfs"),
            append: "console=ttyS0 panic=-1 rdinit=/init".to_owned(),
            machine,
            label: "base".to_owned(),
            role: Role::Measured,
            number: 3,
            round: 1,
            folder: self.folder.path().to_owned(),
            console: "console.log".to_owned(),
            scratch: self.scratch(),
            limits: Limits { off_max: Duration::from_secs(10), ..Limits::EMULATION },
        }
    }

    /// A program that takes the place of QEMU: its standard input is the port, its standard output
    /// the console.
    pub(crate) fn stand_in(&self, script: &str) -> Request {
        let path = self.path("qemu");
        // Whatever it starts carries the name of this place, too.
        let place = self.folder.path().display();
        fs::write(&path, format!("#!/bin/sh\nexport {PLACE}='{place}'\n{script}\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        self.request(path, PathBuf::from("kernel"))
    }

    /// A guest that is a script of busybox.
    pub(crate) fn guest(&self, script: &str) {
        let busybox = fs::read(busybox().unwrap()).unwrap();
        let init = format!("#!/bin/busybox sh\n{script}\n");
        let mut archive = Vec::new();
        for folder in ["dev", "bin", "mnt", "modules"] {
            archive = add(archive, folder, 0o040_755, &[]);
        }
        let modules = real().map_or(&[][..], |real| &real.modules);
        for (number, module) in modules.iter().enumerate() {
            let name = format!("modules/{number:02}-{}", module.file());
            archive = add(archive, &name, 0o100_644, &module.bytes);
        }
        archive = add(archive, "bin/busybox", 0o100_755, &busybox);
        archive = add(archive, "init", 0o100_755, init.as_bytes());
        let archive = cpio::newc::trailer(archive).unwrap();
        File::create(self.path("initramfs")).unwrap().write_all(&archive).unwrap();
    }

    /// No disk is left, and no process that was given this place.
    pub(crate) fn assert_nothing_is_left(&self) {
        let files: Vec<_> = fs::read_dir(self.scratch()).unwrap().collect();
        assert!(files.is_empty(), "{files:?}");
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
        assert!(!mounts.contains(&*self.scratch().join("iowq").to_string_lossy()), "{mounts}");
        let began = Instant::now();
        while !self.processes().is_empty() {
            assert!(began.elapsed() < GONE_MAX, "{:?}", self.processes());
        }
    }

    /// Processes that were given this place.
    pub(crate) fn processes(&self) -> Vec<(Pid, String)> {
        let mine = self.folder.path().to_string_lossy().into_owned();
        let of = |entry: io::Result<fs::DirEntry>| {
            let entry = entry.ok()?;
            let pid = Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?;
            let text = |name| {
                let bytes = fs::read(entry.path().join(name)).ok()?;
                Some(String::from_utf8_lossy(&bytes).replace('\0', " "))
            };
            let (command, environment) = (text("cmdline")?, text("environ")?);
            let told = command.contains(&mine) || environment.contains(&format!("{PLACE}={mine}"));
            told.then_some((pid, command))
        };
        fs::read_dir("/proc").unwrap().filter_map(of).collect()
    }
}

fn add(archive: Vec<u8>, name: &str, mode: u32, bytes: &[u8]) -> Vec<u8> {
    let size = u32::try_from(bytes.len()).unwrap();
    let mut writer = cpio::NewcBuilder::new(name).mode(mode).write(archive, size);
    writer.write_all(bytes).unwrap();
    writer.finish().unwrap()
}

/// Boots, and hands back the records too.
pub(crate) fn boots(request: &Request) -> (Boot, Vec<Record>) {
    let mut records = Vec::new();
    let boot = boots_until(request, &Stop::default(), &mut |record| {
        records.push(record);
        Ok(())
    });
    (boot.unwrap(), records)
}

/// Boots, unless stopped.
pub(crate) fn boots_until(
    request: &Request,
    stop: &Stop,
    keep: &mut dyn FnMut(Record) -> anyhow::Result<()>,
) -> anyhow::Result<Boot> {
    boot(request, stop, keep)
}

/// A kernel to test with, unpacked once for all tests.
#[derive(Debug)]
pub(crate) struct Real {
    pub(crate) qemu: PathBuf,
    pub(crate) kernel: PathBuf,
    /// What the kernel needs for its port and its disk, in order.
    modules: Vec<Module>,
    _unpacked: TempDir,
}

/// A kernel to test with, and QEMU and busybox to test it with, or the reason why not.
pub(crate) fn real() -> Result<&'static Real, String> {
    static REAL: OnceLock<Result<Real, String>> = OnceLock::new();
    REAL.get_or_init(find_real).as_ref().map_err(Clone::clone)
}

fn find_real() -> Result<Real, String> {
    let folder = env::var_os(KERNELS).ok_or(format!("{KERNELS} names no folder of kernels"))?;
    let qemu = machine::find_qemu().map_err(|error| error.to_string())?;
    busybox().ok_or("no /bin/busybox")?;
    let files = fs::read_dir(folder).map_err(|error| format!("{KERNELS}: {error}"))?;
    let mut kernels: Vec<_> = files.filter_map(|file| Some(file.ok()?.path())).collect();
    let is_one = |path: &PathBuf| [".deb", "-base"].iter().any(|end| ends_with(path, end));
    kernels.retain(is_one);
    kernels.sort();
    let kernel = kernels.first().ok_or(format!("no file in {KERNELS} ends in .deb or -base"))?;
    let unpacked = tempfile::tempdir().unwrap();
    let image = image::open(kernel, &unpacked.path().join("image")).unwrap();
    let needs = Needs { filesystem: "ext4".to_owned(), delay: false, criu: false };
    let modules = image.needed(&needs).unwrap();
    Ok(Real { qemu, kernel: image.boot, modules, _unpacked: unpacked })
}

fn ends_with(path: &Path, end: &str) -> bool {
    path.to_string_lossy().ends_with(end)
}

fn busybox() -> Option<&'static Path> {
    Some(Path::new("/bin/busybox")).filter(|path| path.is_file())
}

/// Whether a guest out of busybox runs, or the reason why not: there is nothing else in it.
pub(crate) fn guest_runs() -> Result<(), String> {
    let busybox = busybox().ok_or("no /bin/busybox")?;
    let files =
        host_program(busybox, "/init", &Stop::default()).map_err(|error| format!("{error:#}"))?;
    match files.len() {
        1 => Ok(()),
        _ => Err("busybox is not static; install busybox-static".to_owned()),
    }
}

/// Says that a test is skipped, and why: not with `eprintln`, whose output the test runner hides.
pub(crate) fn skip(test: &str, reason: &str) {
    let line = format!("\nskipped: {test}: {reason}\n");
    let _ = io::stderr().write_all(line.as_bytes());
}

/// A message of the guest that brings a record.
pub(crate) fn run_message() -> Value {
    let quantiles = json!({
        "count": 3, "p50_ns": 2, "p90_ns": 3, "p99_ns": 3, "p999_ns": 3, "max_ns": 3, "hdr_v2": ""
    });
    let record = json!({
        "schema": iowq_contract::SCHEMA,
        "started": "2026-11-21T02:00:00Z",
        "duration_ns": 3_000_000_000_u64,
        "key": {
            "workload": "dsync", "engine": "uring", "policy": "kernel",
            "round": 0, "position": 0, "seed": 1
        },
        "settings": {
            "summary": "", "patches": [], "files": 4, "block_bytes": 4096, "depth": 16,
            "limit_bounded": 64, "limit_unbounded": 64, "idle_timeout_ms": 250, "arrival": ""
        },
        "ops": { "done": 3, "failed": 0, "per_s": 1.0 },
        "latency": { "response": { "all": quantiles }, "service": { "all": quantiles } },
        "workers": {
            "created": { "probe": 2, "engine": null, "proc": null },
            "exited": { "probe": 1, "engine": null, "proc": null },
            "peak": 2, "created_per_1000_ops": 666.7, "linger_ms": null, "creations_failed": 0
        },
        "timeline": [], "churn": { "slice_ns": 1_000, "births": [2], "deaths": [1] },
        "probe": { "tier": "bpf", "reason": "", "events_seen": 3, "events_lost": 0 },
        "blocking": "kernel",
        "host": {
            "kernel": "6.12.0", "cpu": "", "cpus": 2, "memory_bytes": 1, "filesystem": "ext4",
            "mount_options": "rw", "device": "vda", "governor": "", "accelerator": "tcg",
            "commit": "", "rustc": "", "profile": "release"
        },
        "caveats": []
    });
    json!({ "message": "run", "record": record })
}

/// A small file system in memory, until this is dropped; none if that is not allowed.
pub(crate) fn mounted(folder: &Path, size_mib: u32) -> Option<Mount> {
    let options = std::ffi::CString::new(format!("size={size_mib}m")).unwrap();
    let flags = rustix::mount::MountFlags::empty();
    rustix::mount::mount("iowq-test", folder, "tmpfs", flags, options.as_c_str()).ok()?;
    Some(Mount(folder.to_owned()))
}

/// Something that is mounted.
pub(crate) struct Mount(PathBuf);

impl Drop for Mount {
    fn drop(&mut self) {
        rustix::mount::unmount(&self.0, rustix::mount::UnmountFlags::DETACH).unwrap();
    }
}
