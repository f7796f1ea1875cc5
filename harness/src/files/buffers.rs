//! Buffers for blocks, each at the start of a page, as `O_DIRECT` wants them.

/// Bytes in a page; a multiple of every alignment that `O_DIRECT` requires.
const PAGE_BYTES: usize = 4096;

/// Buffers of one block each, in one allocation.
#[derive(Debug)]
pub struct BlockBuffers {
    /// All buffers and a page more. Never grows, so that the buffers stay where they are.
    bytes: Vec<u8>,
    /// Where the first page of the allocation starts.
    start: usize,
    /// From one buffer to the next: a block, rounded up to whole pages.
    stride: usize,
    block_bytes: usize,
    count: usize,
}

impl BlockBuffers {
    /// Makes `count` zeroed buffers of `block_bytes`.
    #[must_use]
    pub fn new(count: u32, block_bytes: u32) -> BlockBuffers {
        let (count, block_bytes) = (count as usize, block_bytes as usize);
        let stride = block_bytes.next_multiple_of(PAGE_BYTES);
        let bytes = vec![0u8; count * stride + PAGE_BYTES];
        let start = bytes.as_ptr().align_offset(PAGE_BYTES);
        BlockBuffers { bytes, start, stride, block_bytes, count }
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.count
    }

    /// A buffer; `None` if the index is out of range.
    #[must_use]
    pub fn get_mut(&mut self, index: usize) -> Option<&mut [u8]> {
        if index >= self.count {
            return None;
        }
        let start = self.start + index * self.stride;
        self.bytes.get_mut(start..start + self.block_bytes)
    }

    /// All buffers at once, so that each can have another borrower.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut [u8]> {
        let (block_bytes, count) = (self.block_bytes, self.count);
        let buffers = self.bytes[self.start..].chunks_exact_mut(self.stride.max(1));
        buffers.take(count).map(move |buffer| &mut buffer[..block_bytes])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_start_at_pages_and_do_not_overlap() {
        for block_bytes in [512, 4096, 8192] {
            let mut buffers = BlockBuffers::new(3, block_bytes);
            for index in 0..3 {
                let buffer = buffers.get_mut(index).expect("a buffer");
                assert_eq!(buffer.as_ptr().align_offset(PAGE_BYTES), 0);
                assert_eq!(buffer, vec![0; block_bytes as usize]);
                buffer.fill(1);
            }
            assert!(buffers.get_mut(3).is_none());
            assert_eq!(buffers.iter_mut().count(), 3);
            assert!(buffers.iter_mut().all(|buffer| buffer == vec![1; block_bytes as usize]));
        }
    }
}
