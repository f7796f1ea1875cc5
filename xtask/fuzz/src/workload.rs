//! What users write: specs and fio's job files. What is taken is a plan, and its ops can be drawn.

use iowq_workloads::{Plan, SpecError, Stream};

/// Ops that are drawn of a plan.
const OPS: usize = 100;

pub(crate) fn spec(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    draw(Plan::parse("spec", "spec.toml", text));
}

pub(crate) fn job(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    draw(Plan::parse_fio("job", "job.fio", text));
}

fn draw(found: Result<Plan, SpecError>) {
    match found {
        Ok(plan) => {
            for op in Stream::new(&plan, plan.seed).take(OPS) {
                assert!(op.file < plan.files && op.block < plan.file_blocks, "{op:?}");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
