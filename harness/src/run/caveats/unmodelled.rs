//! What of this machine the pool does not model, said on the record of a run that it touches.
//! `pool/README.md` has the whole list.

use iowq_contract::{Caveat, Code};

use crate::machine;
use iowq_pool::policy::PolicySpec;

/// What of the machine the kernel's io-wq depends on and the pool does not.
#[derive(Clone, Copy, Debug)]
struct Machine {
    /// NUMA nodes.
    nodes: u32,
    /// Processors that are online.
    cpus_online: u32,
    /// Those of them that this process may use; 0 if unknown.
    cpus: u32,
}

/// The caveat of a run in which something was touched that is not modelled.
pub(in crate::run) fn caveat(policy: Option<&PolicySpec>) -> Option<Caveat> {
    let machine = Machine {
        nodes: machine::numa_nodes(),
        cpus_online: machine::cpus_online(),
        cpus: machine::cpus(),
    };
    // On io_uring, which has no policy, the kernel itself does all that there is.
    let text = touched(policy?, machine);
    if text.is_empty() {
        return None;
    }
    Some(Caveat { code: Code::NotModelled, text: text.join(" ") })
}

/// A sentence on each. All that a run can touch today is how 6.1 binds its workers: since 6.4 a task
/// has one pool (da64d6db3bd3), and since 6.2 workers stay on the processors that their submitter
/// was bound to (8f9ea86fdf99; seen on 6.18.44), as the pool's threads do.
fn touched(policy: &PolicySpec, machine: Machine) -> Vec<String> {
    let Machine { nodes, cpus_online, cpus } = machine;
    let mut touched = Vec::new();
    if policy.preset().is_none_or(|preset| preset.name != "6.1") {
        return touched;
    }
    if nodes > 1 {
        touched.push(format!(
            "This machine has {nodes} NUMA nodes, and Linux 6.1 has workers, limits and a last \
             worker that stays for each node: the pool has one of each."
        ));
    }
    if 0 < cpus && cpus < cpus_online {
        touched.push(format!(
            "The run is bound to {cpus} of the {cpus_online} processors online, and so are the \
             pool's workers: those of Linux 6.1 run on all of their node."
        ));
    }
    touched
}

#[cfg(test)]
mod tests {
    use super::*;
    use iowq_pool::policy::Registry;

    const PLAIN: Machine = Machine { nodes: 1, cpus_online: 2, cpus: 2 };

    fn assert_touches(policy: &str, machine: Machine, expected: &[&str]) {
        let spec = Registry::builtin().parse(policy).expect(policy);
        let touched = touched(&spec, machine);
        assert_eq!(touched.len(), expected.len(), "{policy} {machine:?}: {touched:?}");
        for (text, part) in touched.iter().zip(expected) {
            assert!(text.contains(part), "{text}");
        }
    }

    #[test]
    fn a_plain_machine_touches_nothing() {
        for policy in ["6.1", "6.17", "fixed:8"] {
            assert_touches(policy, PLAIN, &[]);
            assert_touches(policy, Machine { cpus: 0, ..PLAIN }, &[]);
        }
    }

    #[test]
    fn nodes_and_a_process_that_is_bound_matter_under_6_1_alone() {
        let machine = Machine { nodes: 4, cpus_online: 8, cpus: 2 };
        for policy in ["6.1", "6.1+retry-delay"] {
            assert_touches(policy, machine, &["4 NUMA nodes", "2 of the 8 processors"]);
            assert_touches(policy, Machine { nodes: 1, ..machine }, &["2 of the 8 processors"]);
        }
        for policy in ["6.12.0", "6.12", "6.17", "fixed:8"] {
            assert_touches(policy, machine, &[]);
        }
    }
}
