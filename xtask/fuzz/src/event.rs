//! What the running kernel says of its trace events and of its types.

// Their two files alone: with the rest of their crate, a build would take half as long again.
#[path = "../../../harness/src/probes/btf.rs"]
#[expect(dead_code, reason = "the kernel's own is not fuzzed")]
mod btf;
#[path = "../../../harness/src/probes/format.rs"]
mod format;

pub(crate) fn layout(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for name in ["pid", "comm", "clone_flags", "prev_state", ""] {
        let _ = format::field(text, name);
    }
}

pub(crate) fn types(bytes: &[u8]) {
    let Some(btf) = btf::Btf::parse(bytes) else { return };
    for (structure, member) in [("task_struct", "pid"), ("io_wq_work", "flags"), ("a", "z")] {
        let _ = btf.offset(structure, member);
    }
}
