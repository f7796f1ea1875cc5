//! The bytes of a block: a pure function of seed, file, block and op, so that whatever is read back
//! can be checked byte for byte against nothing but those four numbers.
//!
//! A block is a header of 32 bytes that names the four, a body of pseudo-random words that follows
//! from them, and a seal of 8 bytes at the end, behind which only zeros less than a word may follow. A write torn in two leaves a header and a seal
//! that do not belong together, and any other damage differs from the body as it is made anew.

use crate::op::Op;
use crate::rng::mix;

/// "iowq" in ASCII: the first four bytes of every block.
const MAGIC: u32 = u32::from_le_bytes(*b"iowq");

/// Words of the header.
const HEADER_WORDS: usize = 4;

/// The smallest block that has room for header, body and seal, in bytes.
pub const BLOCK_BYTES_MIN: usize = 8 * (HEADER_WORDS + 2);

/// Steps from one word of a body to the next; odd, so that all words of a body differ.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// What is wrong with a block that was read back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Damage {
    /// Shorter than a header and a seal.
    #[error("has {0} bytes, and a block is at least {BLOCK_BYTES_MIN} bytes")]
    Length(usize),
    /// Does not begin like a block.
    #[error("begins with {0:#010x} in place of {MAGIC:#010x}: never written, or overwritten")]
    Magic(u32),
    /// Another run's data.
    #[error("was written under seed {0}")]
    Seed(u64),
    /// Data meant for another file.
    #[error("holds data of file {0}")]
    File(u32),
    /// Data meant for another block of the file.
    #[error("holds data of block {0}")]
    Block(u64),
    /// Header and end belong to different writes, or one of them is damaged.
    #[error("begins as op {0} wrote it but does not end so: torn, or damaged")]
    Seal(u64),
    /// Bytes in between that differ.
    #[error("differs at byte {offset} from what op {number} wrote")]
    Body {
        /// The op that the header names.
        number: u64,
        /// The first byte that differs.
        offset: usize,
    },
}

/// The first words of a block.
fn header(seed: u64, file: u32, block: u64, number: u64) -> [u64; HEADER_WORDS] {
    [u64::from(file) << 32 | u64::from(MAGIC), seed, block, number]
}

/// One number for all of a header; the start of the body, and mixed once more the seal.
fn digest(header: [u64; HEADER_WORDS]) -> u64 {
    header.iter().fold(0, |digest, word| mix(digest ^ word))
}

/// The word of a body at a place. One multiplication instead of the two of a full mix: what is
/// asked of it is that words differ, and it runs once per word on the thread that submits.
fn body_word(digest: u64, place: usize) -> u64 {
    let word = digest.wrapping_add((place as u64).wrapping_mul(STEP));
    let word = (word ^ (word >> 32)).wrapping_mul(0xD6E8_FEB8_6659_FD93);
    word ^ (word >> 29)
}

/// Fills a buffer with what op `number` writes to that block.
///
/// A buffer shorter than [`BLOCK_BYTES_MIN`] is zeroed, as are bytes after the last whole word.
pub fn fill(bytes: &mut [u8], seed: u64, file: u32, block: u64, number: u64) {
    let (words, rest) = bytes.as_chunks_mut::<8>();
    rest.fill(0);
    let header = header(seed, file, block, number);
    let digest = digest(header);
    let [first @ .., seal] = words else { return };
    let Some((head, body)) = first.split_at_mut_checked(HEADER_WORDS) else {
        words.as_flattened_mut().fill(0);
        return;
    };
    for (bytes, word) in head.iter_mut().zip(header) {
        *bytes = word.to_le_bytes();
    }
    for (place, bytes) in body.iter_mut().enumerate() {
        *bytes = body_word(digest, place).to_le_bytes();
    }
    *seal = mix(digest).to_le_bytes();
}

/// Fills a buffer with all that an op writes: each of its blocks as [`fill`] does.
pub fn fill_op(bytes: &mut [u8], block_bytes: u32, seed: u64, op: &Op) {
    // No block at all would be an endless number of them.
    let blocks = bytes.chunks_exact_mut(block_bytes.max(1) as usize);
    for (block, bytes) in (op.block..).zip(blocks) {
        fill(bytes, seed, op.file, block, op.number);
    }
}

/// The op that wrote a block, once every byte of it was found to be as that op wrote it.
///
/// # Errors
///
/// The first damage found: an unknown beginning, data of another seed, file or block, an end that
/// does not belong to the beginning, or a byte in between.
pub fn read_number(bytes: &[u8], seed: u64, file: u32, block: u64) -> Result<u64, Damage> {
    let (words, rest) = bytes.as_chunks::<8>();
    if bytes.len() < BLOCK_BYTES_MIN {
        return Err(Damage::Length(bytes.len()));
    }
    let word = |place: usize| words.get(place).map_or(0, |word| u64::from_le_bytes(*word));
    let (found_magic, found_file) = (word(0) as u32, (word(0) >> 32) as u32);
    let number = word(3);
    if found_magic != MAGIC {
        return Err(Damage::Magic(found_magic));
    }
    if word(1) != seed {
        return Err(Damage::Seed(word(1)));
    }
    if found_file != file {
        return Err(Damage::File(found_file));
    }
    if word(2) != block {
        return Err(Damage::Block(word(2)));
    }
    let digest = digest(header(seed, file, block, number));
    let body_end = words.len() - 1;
    if word(body_end) != mix(digest) {
        return Err(Damage::Seal(number));
    }
    for (place, found) in words[HEADER_WORDS..body_end].iter().enumerate() {
        let expected = body_word(digest, place).to_le_bytes();
        if *found != expected {
            let within = found.iter().zip(expected).take_while(|(f, e)| **f == *e).count();
            return Err(Damage::Body { number, offset: 8 * (HEADER_WORDS + place) + within });
        }
    }
    match rest.iter().position(|byte| *byte != 0) {
        Some(within) => Err(Damage::Body { number, offset: 8 * words.len() + within }),
        None => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zeroed_block_was_never_written() {
        assert_eq!(read_number(&[0; 512], 1, 2, 3), Err(Damage::Magic(0)));
    }

    #[test]
    fn data_of_another_seed_file_or_block_is_distinguished() {
        let mut bytes = [0; 512];
        fill(&mut bytes, 1, 2, 3, 4);
        assert_eq!(read_number(&bytes, 1, 2, 3), Ok(4));
        assert_eq!(read_number(&bytes, 9, 2, 3), Err(Damage::Seed(1)));
        assert_eq!(read_number(&bytes, 1, 9, 3), Err(Damage::File(2)));
        assert_eq!(read_number(&bytes, 1, 2, 9), Err(Damage::Block(3)));
    }

    #[test]
    fn a_torn_write_shows_in_the_seal() {
        let (mut new, mut old) = ([0; 1024], [0; 1024]);
        fill(&mut new, 1, 2, 3, 40);
        fill(&mut old, 1, 2, 3, 4);
        new[512..].copy_from_slice(&old[512..]);
        assert_eq!(read_number(&new, 1, 2, 3), Err(Damage::Seal(40)));
    }

    #[test]
    fn a_buffer_without_room_is_zeroed_and_refused() {
        let mut bytes = [7; 41];
        fill(&mut bytes[..39], 1, 2, 3, 4);
        assert_eq!(bytes[..39], [0; 39]);
        assert_eq!(read_number(&bytes, 1, 2, 3), Err(Damage::Length(41)));
    }
}
