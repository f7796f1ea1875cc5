//! Whether an engine can carry out a plan, found before anything runs.

use iowq_contract::EngineName;
use iowq_workloads::Plan;

use super::uring;

/// Whether this engine has all that the plan and its tasks need.
///
/// # Errors
/// What it lacks, and what to do.
pub fn check(engine: EngineName, plan: &Plan) -> anyhow::Result<()> {
    if engine == EngineName::Uring {
        return Ok(plan.streams().try_for_each(uring::check)?);
    }
    for stream in plan.streams() {
        if let Some(field) = stream.only.fields().next() {
            anyhow::bail!(
                "--engine {}: workload {} sets {field}, which is io_uring's alone; use --engine \
                 uring, or remove it from the spec",
                engine.name(),
                stream.name
            );
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_io_uring_has_is_refused_by_name_with_the_engine_that_has_it() {
        let text = "[[task]]\nname = \"log\"\nring = { sqpoll = true }";
        let plan = Plan::parse("own", "own.toml", text).expect("it is valid");
        for engine in [EngineName::Pool, EngineName::Sync] {
            let error = check(engine, &plan).expect_err("it has no such ring").to_string();
            let parts = ["workload log", "ring.sqpoll", "--engine uring"];
            assert!(parts.iter().all(|part| error.contains(part)), "{error}");
        }
    }
}
