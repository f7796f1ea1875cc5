//! Detaching: all programs at once and beside other work, because the kernel has each caller wait.

use aya::Ebpf;
use aya::programs::Program;

use crate::sync::{spawn_scoped, thread};

/// Detaches all programs on a thread of its own. A process that ends meanwhile waits for that.
pub(super) fn begin_to_detach(programs: Ebpf) {
    // Without a thread they are dropped here, which detaches them.
    let _ = thread::Builder::new().name("iowq-detach".into()).spawn(move || detach(programs));
}

/// For a program on an event or a kprobe the kernel waits until no processor can be in it any more,
/// some 40 ms (`synchronize_rcu_tasks_trace` of perf_event_detach_bpf_prog), which all can wait
/// together. One on a bare trace point is taken off at once.
fn detach(mut programs: Ebpf) {
    thread::scope(|scope| {
        for (_, program) in programs.programs_mut() {
            // One without a thread is detached when all are dropped.
            let _ = match program {
                Program::TracePoint(program) if program.fd().is_ok() => {
                    spawn_scoped(scope, || program.unload())
                }
                Program::KProbe(program) if program.fd().is_ok() => {
                    spawn_scoped(scope, || program.unload())
                }
                _ => continue,
            };
        }
    });
}
