//! Made-up boots of six kernels, near what such kernels did: for the page of `kernels` and its tests.

use std::collections::BTreeMap;

use iowq_contract::{
    BOOT_SCHEMA, Blocking, Boot, Disk, Ended, InBoot, KERNELS_SCHEMA, Kernel, Kernels, Latency,
    Machine, Record, Role,
};

use crate::latency;
use crate::noise::Noise;
use crate::run::run_of;
use crate::workers::Shape;

/// The kernels, and the preset that each stands for.
const LABELS: [(&str, &str); 6] = [
    ("base", "6.12"),
    ("A", "6.16"),
    ("AB", "6.17"),
    ("X", "exit-on-idle"),
    ("S", "6.17-as-posted"),
    ("B", "ablation"),
];

/// Workloads: name, ops done, limit, and for each kernel workers created per 1000 ops and peak.
type Row = (&'static str, u64, u32, [(f64, u32); 6]);

const WORKLOADS: [Row; 5] = [
    ("paced", 6_000, 64, [(92.9, 64), (82.6, 64), (1.81, 9), (1.66, 9), (1.57, 9), (2.1, 10)]),
    ("dsync-1", 9_000, 64, [(38.7, 23), (1.05, 2), (1.34, 2), (1.42, 2), (1.36, 2), (1.3, 2)]),
    ("dsync-4", 5_000, 64, [(147.0, 64), (123.0, 64), (1.64, 5), (1.41, 5), (1.42, 5), (1.7, 5)]),
    ("limit-8", 60_000, 8, [(0.26, 8), (0.23, 8), (0.27, 8), (0.24, 8), (2.12, 61), (0.25, 8)]),
    ("cycle", 480, 64, [(6.3, 2), (6.3, 2), (6.3, 2), (250.0, 2), (6.3, 2), (6.3, 2)]),
];

/// How long workers are watched after the last ring was closed.
const WATCHED_MS: u64 = 6_000;

/// Boots of six kernels in `rounds` rounds, all of which finished, and in the first one the pool
/// under the presets that they stand for.
#[must_use]
pub fn kernels(rounds: u32) -> (Kernels, Vec<Boot>, Vec<Record>) {
    made(rounds, false)
}

/// The same, with the base once more in each round.
#[must_use]
pub fn kernels_with_noise(rounds: u32) -> (Kernels, Vec<Boot>, Vec<Record>) {
    made(rounds, true)
}

fn made(rounds: u32, noise: bool) -> (Kernels, Vec<Boot>, Vec<Record>) {
    let (mut boots, mut records) = (Vec::new(), Vec::new());
    let latency = WORKLOADS.each_ref().map(latency_of);
    let arms = LABELS.len() + usize::from(noise);
    for round in 0..rounds {
        for at in 0..arms {
            // Another arm begins each round.
            let arm = (at + round as usize * 5) % arms;
            let (kernel, role) =
                if arm < LABELS.len() { (arm, Role::Measured) } else { (0, Role::Noise) };
            let number = u32::try_from(boots.len()).unwrap_or(u32::MAX);
            let of_boot = runs((kernel, role), number, round, &latency);
            boots.push(Boot { role, ..boot(kernel, number, round, of_boot.len()) });
            records.extend(of_boot);
        }
    }
    let kernels = Kernels {
        schema: KERNELS_SCHEMA.to_owned(),
        machine: machine(),
        kernels: LABELS.iter().map(|(label, _)| kernel(label)).collect(),
        boots: rounds,
        noise,
        repeats: 1,
        seed: 1,
        workloads: WORKLOADS.iter().map(|row| row.0.to_owned()).collect(),
        benches: vec!["--engine uring --workload paced --pairs 1 --seed 1".to_owned()],
        inputs: Default::default(),
        command: "cargo xtask kernels --base base=bzImage --test A=bzImage-A --boots 8".to_owned(),
    };
    (kernels, boots, records)
}

/// The runs of one boot.
fn runs(
    (kernel, role): (usize, Role),
    number: u32,
    round: u32,
    latency: &[Latency],
) -> Vec<Record> {
    let in_boot = InBoot { kernel: LABELS[kernel].0.to_owned(), number, round, repeat: 0 };
    let rows = || WORKLOADS.iter().zip(latency);
    let mut records: Vec<Record> =
        rows().map(|(row, latency)| run(row, (kernel, role), &in_boot, latency)).collect();
    if kernel == 0 && round == 0 && role == Role::Measured {
        for (row, latency) in rows() {
            for (preset, (_, name)) in LABELS.iter().enumerate().take(5) {
                let mut record = run(row, (preset, role), &in_boot, latency);
                "pool".clone_into(&mut record.key.engine);
                (*name).clone_into(&mut record.key.policy);
                record.blocking = Blocking::Sched;
                records.push(record);
            }
        }
    }
    for (position, record) in (0..).zip(&mut records) {
        record.key.position = position;
        record.started = format!("2026-11-21T02:{:02}:{position:02}Z", number % 60);
    }
    records
}

/// Of all runs of a workload: under emulation it decides nothing, and to make it takes its time.
fn latency_of((workload, done, ..): &Row) -> Latency {
    let mut latency = latency::of(workload, "6.12", *done, &mut Noise::new(workload, "6.12", 0));
    latency.drop_histograms();
    latency
}

fn run(row: &Row, (kernel, role): (usize, Role), boot: &InBoot, latency: &Latency) -> Record {
    let (workload, done, limit, shapes) = row;
    let (label, (created, peak)) = (LABELS[kernel].0, shapes[kernel]);
    // The base again is as the base, and no run is as another.
    let again = if role == Role::Noise { " again" } else { "" };
    let mut noise = Noise::new(workload, &format!("{label}{again}"), boot.number);
    let shape = Shape::new(created * noise.around_one(0.1), peak);
    let mut record = run_of(workload, label, boot.round, *done, &shape, |_| latency.clone());
    "uring".clone_into(&mut record.key.engine);
    "kernel".clone_into(&mut record.key.policy);
    record.key.round = 0;
    record.key.role = role;
    record.key.seed = 1 + u64::from(boot.round);
    record.key.boot = Some(boot.clone());
    record.blocking = Blocking::Kernel;
    record.workers.created.engine = None;
    record.workers.exited.engine = None;
    record.workers.sleeps = None;
    let over = if peak > *limit { (noise.uniform() * 5.0) as u32 } else { 0 };
    let created = record.workers.created.probe.unwrap_or(0);
    record.workers.peak = Some((peak + over).min(created as u32));
    record.settings.limit_bounded = *limit;
    record.settings.watched_ms = Some(WATCHED_MS);
    let leaves = label == "X";
    let outlived = (0..peak).map(|at| match (leaves, at) {
        (false, 0) => None,
        (false, _) => Some(250.0 * noise.around_one(0.1)),
        (true, _) => Some(14.0 * noise.around_one(0.6)),
    });
    let mut outlived: Vec<Option<f64>> = outlived.collect();
    outlived.sort_by(|a, b| b.unwrap_or(f64::MAX).total_cmp(&a.unwrap_or(f64::MAX)));
    record.workers.linger_ms = outlived.first().copied().flatten();
    record.workers.outlived_ms = outlived;
    record.host.kernel = format!("6.12.117-{label} #1 SMP PREEMPT_DYNAMIC");
    "QEMU emulation (TCG)".clone_into(&mut record.host.accelerator);
    "QEMU TCG CPU version 2.5+".clone_into(&mut record.host.cpu);
    record.host.memory_bytes = 1 << 30;
    record
}

fn boot(kernel: usize, number: u32, round: u32, runs: usize) -> Boot {
    let label = LABELS[kernel].0;
    Boot {
        schema: BOOT_SCHEMA.to_owned(),
        kernel: label.to_owned(),
        role: Role::Measured,
        number,
        round,
        started: format!("2026-11-21T02:{:02}:00Z", number % 60),
        wall_ms: 31_000 + u64::from(number % 7) * 400,
        release: Some(format!("6.12.117-{label}")),
        ended: Ended::Finished,
        reason: String::new(),
        complaints: Vec::new(),
        runs: u32::try_from(runs).unwrap_or(u32::MAX),
        dump: None,
        console: format!("console/{number:03}-{label}.log"),
        console_tail: Vec::new(),
    }
}

fn machine() -> Machine {
    Machine {
        accelerator: "tcg".to_owned(),
        accelerator_reason: "/dev/kvm cannot be opened".to_owned(),
        qemu: "QEMU emulator version 7.2.0".to_owned(),
        cpus: 2,
        memory_mib: 1_024,
        disk: Disk { filesystem: "ext4".to_owned(), size_mib: 1_024, delay_us: 0, iops_max: None },
    }
}

fn kernel(label: &str) -> Kernel {
    let config = [("IO_URING", "y"), ("HZ", "250"), ("PREEMPT_DYNAMIC", "y")];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    let patches = label.chars().filter(char::is_ascii_uppercase);
    let digits = label.bytes().fold(0_u64, |sum, byte| sum * 31 + u64::from(byte));
    Kernel {
        label: label.to_owned(),
        image: format!("bzImage-6.12.117-{label}"),
        sha256: format!("{digits:064x}"),
        release: Some(format!("6.12.117-{label}")),
        command_line: String::new(),
        config: Some(config.into_iter().map(owned).collect::<BTreeMap<_, _>>()),
        modules: Vec::new(),
        patches: patches.map(|patch| format!("{patch}.patch")).collect(),
    }
}
