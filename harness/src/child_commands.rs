//! The commands of the measured child, and what ties it to the process that starts it.

/// Makes the run that standard input asks for as JSON, a [`iowq_contract::RunRequest`].
pub const RUN: &str = "run";
/// Uses a ring, closes it and stays.
pub const CLOSED_RING: &str = "closed-ring";
/// Finds out whether probes work, as its only argument asks for in JSON: [`iowq_contract::WantProbes`], unless only the
/// kernel's io-wq runs [`iowq_contract::WantBlocking`], and the process that must outlive it.
pub const CHECK_PROBES: &str = "check-probes";
/// What the child can be asked for, as its first argument. A guest is asked for by the kernel.
pub const COMMANDS: [&str; 3] = [RUN, CLOSED_RING, CHECK_PROBES];

/// Makes this process end when the one that started it does, however that happens.
///
/// # Errors
/// If that process has ended already.
pub fn end_with_parent(parent: Option<u32>) -> anyhow::Result<()> {
    // If it is refused the bench still ends its runs itself, unless it is killed.
    let _ = crate::io::die_with_parent();
    // It may have ended before that was set.
    if parent.is_some() && parent != crate::io::parent_id() {
        anyhow::bail!("the process that started this one has ended");
    }
    Ok(())
}
