//! The order of boots: rounds, each with every kernel once, shuffled by the seed.

use iowq_contract::{Role, order::rounds};

/// One boot's place in the order of all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScheduledBoot {
    /// Position in the order of all boots, from 0.
    pub number: u32,
    /// Its round.
    pub round: u32,
    /// Index of the kernel.
    pub kernel: usize,
    /// What it is for.
    pub role: Role,
}

/// All boots, in the order that [`rounds`] describes: each round has every kernel once, and with
/// `noise` the base, which is the first kernel, once more.
#[must_use]
pub fn boots(kernels: usize, noise: bool, count: u32, seed: u64) -> Vec<ScheduledBoot> {
    let runs = rounds(kernels + usize::from(noise), 1, count, seed).into_iter();
    runs.map(|run| {
        let is_noise = run.group == kernels;
        ScheduledBoot {
            number: run.number,
            round: run.round,
            kernel: if is_noise { 0 } else { run.group },
            role: if is_noise { Role::Noise } else { Role::Measured },
        }
    })
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn with_noise_each_round_has_the_base_once_more_and_neither_of_the_two_is_always_first() {
        let boots = boots(2, true, 32, 1);
        assert_eq!(boots.len(), 96);
        let mut base_first = 0;
        for round in boots.chunks(3) {
            let mut kernels: Vec<_> = round.iter().map(|boot| (boot.kernel, boot.role)).collect();
            let at = |role| kernels.iter().position(|one| *one == (0, role));
            base_first += usize::from(at(Role::Measured) < at(Role::Noise));
            kernels.sort_unstable();
            assert_eq!(kernels, [(0, Role::Measured), (0, Role::Noise), (1, Role::Measured)]);
        }
        assert_eq!(base_first, 16);
    }

    #[test]
    fn without_noise_each_round_has_every_kernel_once() {
        for round in boots(3, false, 8, 1).chunks(3) {
            let mut kernels: Vec<_> = round.iter().map(|boot| boot.kernel).collect();
            kernels.sort_unstable();
            assert_eq!(kernels, [0, 1, 2]);
            assert!(round.iter().all(|boot| boot.role == Role::Measured));
        }
    }
}
