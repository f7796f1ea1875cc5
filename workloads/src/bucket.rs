//! Hash buckets: which of the 64 a file belongs to. Writes to files of one bucket never overlap.

/// Buckets of a pool; `IO_WQ_NR_HASH_BUCKETS` in the kernel's io_uring/io-wq.c.
pub const BUCKETS: u32 = 64;

/// 2^64 divided by the golden ratio, the multiplier of `hash_64` in the kernel's
/// include/linux/hash.h; odd, so that no two identities become one.
const GOLDEN_RATIO: u64 = 0x61C8_8646_80B5_83EB;

/// Where the made-up addresses begin: a kernel's direct map on x86-64.
const FIRST_ADDRESS: u64 = 0xffff_8880_0010_0000;

/// From one made-up inode to the next, in bytes; about the size of an ext4 inode in memory.
const INODE_BYTES: u64 = 1024;

/// The bucket of an identity, 0 to 63: the kernel multiplies and keeps the top six bits.
#[must_use]
pub fn bucket(id: u64) -> u32 {
    (id.wrapping_mul(GOLDEN_RATIO) >> 58) as u32
}

/// Identities for `files` files, made up and the same in every run.
///
/// The kernel hashes the address of a file's inode, so that files meet in a bucket by chance. Here
/// they do so on request: with `collide` all files share one bucket; without, each has its own as
/// long as there are no more than 64, and each further 64 files fill every bucket once more.
///
/// Only the pool uses these; under a real ring the kernel uses its own addresses.
#[must_use]
pub fn hash_ids(files: u32, collide: bool) -> Vec<u64> {
    let mut ids = Vec::with_capacity(files as usize);
    let mut taken = 0u64;
    let mut address = FIRST_ADDRESS;
    while ids.len() < files as usize {
        let bit = 1 << bucket(address);
        let fits = if collide { taken == 0 || taken == bit } else { taken & bit == 0 };
        if fits {
            ids.push(address);
            taken |= bit;
            if taken == u64::MAX {
                taken = 0;
            }
        }
        address = address.wrapping_add(INODE_BYTES);
    }
    ids
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_bucket_is_the_top_six_bits_of_the_product() {
        assert_eq!(bucket(0), 0);
        assert_eq!(bucket(1), 0x61C8_8646_80B5_83EBu64.wrapping_shr(58) as u32);
        assert_eq!(bucket(u64::MAX), 39);
    }

    #[test]
    fn up_to_64_files_have_a_bucket_each_and_the_next_64_again() {
        let buckets: Vec<u32> = hash_ids(128, false).iter().map(|id| bucket(*id)).collect();
        assert_eq!(buckets[..64].iter().collect::<HashSet<_>>().len(), 64);
        assert_eq!(buckets[64..].iter().collect::<HashSet<_>>().len(), 64);
    }

    #[test]
    fn colliding_files_share_a_bucket_under_different_identities() {
        let ids = hash_ids(512, true);
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), 512);
        assert!(ids.iter().all(|id| bucket(*id) == bucket(ids[0])));
    }

    #[test]
    fn identities_are_the_same_for_a_longer_list() {
        assert_eq!(hash_ids(3, false), hash_ids(40, false)[..3]);
    }
}
