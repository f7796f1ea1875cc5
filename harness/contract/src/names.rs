//! Names: how long those in records may be, so that what one program writes every other one takes.

/// Most bytes in the name of a workload, an engine or a policy: longer ones would swamp every table.
pub const NAME_BYTES_MAX: usize = 200;

/// Most kernels that are compared with each other: more would not fit a page.
pub const KERNELS_MAX: usize = 32;

/// Most bytes in the label of a kernel: it is in tables, file names and legends.
pub const LABEL_BYTES_MAX: usize = 32;

/// Whether a name may be in a record.
///
/// # Errors
/// What was found and what is allowed, as a clause.
pub fn check_name(name: &str) -> Result<(), String> {
    if (1..=NAME_BYTES_MAX).contains(&name.len()) {
        return Ok(());
    }
    Err(format!("a name of {} bytes; allowed are 1 to {NAME_BYTES_MAX}", name.len()))
}
