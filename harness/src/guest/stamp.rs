//! What a record says of the boot and of the machine that its own process cannot know.

use iowq_contract::guest::Job;
use iowq_contract::{Code, InBoot, Record};

use crate::machine;

/// What goes on each record of a boot.
pub(super) struct Stamp {
    kernel: String,
    number: u32,
    round: u32,
    accelerator: &'static str,
    device: String,
}

impl Stamp {
    /// For a job whose files lie on this device, in words.
    pub(super) fn new(job: &Job, device: String) -> Stamp {
        Stamp {
            kernel: job.kernel.clone(),
            number: job.number,
            round: job.round,
            accelerator: if job.accelerator == "kvm" {
                "KVM guest (QEMU)"
            } else {
                machine::EMULATION
            },
            device,
        }
    }

    /// Puts it on a record, and replaces the caveats on the machine.
    pub(super) fn put(&self, record: &mut Record) {
        record.key.boot = Some(InBoot {
            kernel: self.kernel.clone(),
            number: self.number,
            round: self.round,
            repeat: record.key.round,
        });
        self.accelerator.clone_into(&mut record.host.accelerator);
        self.device.clone_into(&mut record.host.device);
        let mut caveats = machine::caveats(&record.host);
        let old = std::mem::take(&mut record.caveats);
        let is_new = |code: &Code| caveats.iter().all(|caveat| caveat.code != *code);
        let old: Vec<_> = old.into_iter().filter(|caveat| is_new(&caveat.code)).collect();
        caveats.extend(old);
        record.caveats = caveats;
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use iowq_contract::{Caveat, Disk};
    use serde_json::json;

    use super::*;

    fn stamp(accelerator: &str) -> Stamp {
        let disk =
            Disk { filesystem: "ext4".to_owned(), size_mib: 512, delay_us: 0, iops_max: None };
        let job = Job {
            kernel: "A".to_owned(),
            number: 5,
            round: 2,
            accelerator: accelerator.to_owned(),
            disk,
            modules: Vec::new(),
            modules_for_criu: Vec::new(),
            benches: Vec::new(),
            criu: None,
        };
        Stamp::new(&job, "/dev/vda (slow)".to_owned())
    }

    /// A record with the caveats of a run in some virtual machine.
    fn record() -> Record {
        let caveat = |code: Code| Caveat { code, text: "as it was".to_owned() };
        let mut host = machine::describe(Path::new("/"));
        host.filesystem = "ext4".to_owned();
        host.accelerator = "virtual machine".to_owned();
        host.profile = "release".to_owned();
        host.commit = "0123456789ab".to_owned();
        serde_json::from_value(json!({
            "schema": iowq_contract::SCHEMA,
            "started": "2026-01-01T00:00:00Z",
            "duration_ns": 0,
            "key": {
                "workload": "dsync", "engine": "uring", "policy": "kernel", "round": 1,
                "position": 0, "seed": 1,
            },
            "settings": {
                "summary": "", "patches": [], "files": 1, "block_bytes": 4096, "depth": 1,
                "limit_bounded": 1, "limit_unbounded": 1, "idle_timeout_ms": 250, "arrival": "",
            },
            "ops": iowq_contract::Ops::default(),
            "latency": iowq_contract::Latency::default(),
            "workers": iowq_contract::Workers::default(),
            "timeline": [],
            "churn": iowq_contract::Churn::default(),
            "probe": { "tier": "bpf", "reason": "", "events_seen": 0, "events_lost": 0 },
            "blocking": "kernel",
            "host": host,
            "caveats": [caveat(Code::VirtualMachine), caveat(Code::FewOps)],
        }))
        .expect("a record")
    }

    #[test]
    fn a_record_says_which_boot_it_is_of() {
        let mut record = record();
        stamp("kvm").put(&mut record);
        let boot = InBoot { kernel: "A".to_owned(), number: 5, round: 2, repeat: 1 };
        assert_eq!(record.key.boot, Some(boot));
        assert_eq!(record.host.device, "/dev/vda (slow)");
        assert_eq!(record.host.accelerator, "KVM guest (QEMU)");
    }

    #[test]
    fn caveats_on_the_machine_are_replaced_and_others_stay() {
        let codes = |record: &Record| -> Vec<Code> {
            record.caveats.iter().map(|caveat| caveat.code.clone()).collect()
        };
        let mut emulated = record();
        stamp("tcg").put(&mut emulated);
        assert_eq!(codes(&emulated), [Code::VirtualMachine, Code::Emulated, Code::FewOps]);
        assert!(emulated.caveats[0].text.contains("TCG"), "{:?}", emulated.caveats);
        let mut virtualised = record();
        stamp("kvm").put(&mut virtualised);
        assert_eq!(codes(&virtualised), [Code::VirtualMachine, Code::FewOps]);
    }
}
