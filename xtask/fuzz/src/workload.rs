//! What users write: specs, fio's job files and settings. What is taken is a plan, and its ops can
//! be drawn.

use iowq_workloads::{Engines, Plan, Setting, Source, SpecError, Stream};

/// Ops that are drawn of a plan.
const OPS: usize = 100;

pub(crate) fn spec(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    draw(Plan::parse("spec", "spec.toml", text));
}

pub(crate) fn job(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Plan::parse_fio("job", "job.fio", text, Engines::AsIoUring) {
        Ok(plans) => plans.into_iter().for_each(|plan| draw(Ok(plan))),
        Err(error) => draw(Err(error)),
    }
}

/// A setting, in the first of the built-in workloads.
pub(crate) fn setting(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match Setting::parse(text) {
        Ok(Setting { key, values }) => {
            let source = Source::builtin("fsync-mix").expect("it is built in");
            for value in values {
                draw(source.with(&[(key.clone(), value)].into_iter().collect()));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}

fn draw(found: Result<Plan, SpecError>) {
    match found {
        Ok(plan) => {
            for op in Stream::new(&plan, plan.seed).take(OPS) {
                let inside = op.block + u64::from(op.blocks) <= plan.file_blocks;
                assert!(op.file < plan.files && inside, "{op:?}");
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
