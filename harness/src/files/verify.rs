//! The final check: every block whose contents are known is read back and compared.

use std::path::PathBuf;

use iowq_workloads::block::{Damage, read_number};
use iowq_workloads::{Expect, Ledger, Plan};
use rustix::io::Errno;

use crate::io::{self, Failure};

/// The first block that is not as it must be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VerifyError {
    /// A file could not be opened again.
    #[error("verify: {}: cannot open it: {}", path.display(), Failure::Errno(*errno))]
    Open {
        /// The file.
        path: PathBuf,
        /// Why.
        errno: Errno,
    },
    /// A block could not be read.
    #[error("verify: {}: cannot read block {block}: {failure}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Which block.
        block: u64,
        /// Why.
        failure: Failure,
    },
    /// A block holds something that no op wrote there.
    #[error("verify: {}: block {block} {damage}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Which block.
        block: u64,
        /// What is wrong with it.
        damage: Damage,
    },
    /// A block holds what another op wrote than the one that was last.
    #[error(
        "verify: {}: block {block} holds what op {found} wrote, and the last was op {first}{}",
        path.display(),
        or_up_to(*first, *last)
    )]
    WrongOp {
        /// The file.
        path: PathBuf,
        /// Which block.
        block: u64,
        /// The op whose data is there.
        found: u64,
        /// The first op that could have been the last to write it.
        first: u64,
        /// The last of those.
        last: u64,
    },
}

fn or_up_to(first: u64, last: u64) -> String {
    if first == last { String::new() } else { format!(" or one after it up to op {last}") }
}

/// Checks the files at those paths, in the plan's order; returns how many blocks were compared.
pub(super) fn verify(
    paths: &[PathBuf],
    plan: &Plan,
    seed: u64,
    ledger: &Ledger,
) -> Result<u64, VerifyError> {
    let mut bytes = vec![0; plan.block_bytes as usize];
    let mut compared = 0;
    for (file, path) in (0..plan.files).zip(paths) {
        let open = io::open_to_read(path)
            .map_err(|errno| VerifyError::Open { path: path.clone(), errno })?;
        for block in 0..plan.file_blocks {
            let (first, last) = match ledger.expect(file, block) {
                Expect::Untouched | Expect::Unknown => continue,
                Expect::Exactly(number) => (number, number),
                Expect::OneOf(first, last) => (first, last),
            };
            io::pread(&open, &mut bytes, block * u64::from(plan.block_bytes))
                .map_err(|failure| VerifyError::Read { path: path.clone(), block, failure })?;
            let found = read_number(&bytes, seed, file, block)
                .map_err(|damage| VerifyError::Damaged { path: path.clone(), block, damage })?;
            if found < first || found > last {
                let path = path.clone();
                return Err(VerifyError::WrongOp { path, block, found, first, last });
            }
            compared += 1;
        }
    }
    Ok(compared)
}
