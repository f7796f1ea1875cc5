//! What the running kernel says of its trace events and of its types.

use iowq_harness::probes::btf::Btf;
use iowq_harness::probes::format;

pub(crate) fn format(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for name in ["pid", "comm", "clone_flags", "prev_state", ""] {
        let _ = format::field(text, name);
    }
}

pub(crate) fn btf(bytes: &[u8]) {
    let Some(btf) = Btf::parse(bytes) else { return };
    for (structure, member) in [("task_struct", "pid"), ("io_wq_work", "flags"), ("a", "z")] {
        let _ = btf.offset(structure, member);
    }
}
