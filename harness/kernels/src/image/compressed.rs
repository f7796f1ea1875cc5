//! Compressed data: xz, Zstandard and gzip by their first bytes, read as one stream.

use std::io::{self, BufRead, Read};

use liblzma::{bufread::XzDecoder, stream::Stream};
use ruzstd::decoding::StreamingDecoder;

/// Memory that unpacking xz may take; a kernel's image has a dictionary of 128 MiB.
const XZ_MEMORY_MAX: u64 = 256 << 20;

/// How something is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Xz,
    Zstd,
    Gzip,
}

impl Format {
    /// The format by the first bytes.
    pub(super) fn of(bytes: &[u8]) -> Option<Format> {
        if bytes.starts_with(b"\xfd7zXZ\0") {
            Some(Format::Xz)
        } else if bytes.starts_with(b"\x28\xb5\x2f\xfd") {
            Some(Format::Zstd)
        } else if bytes.starts_with(b"\x1f\x8b\x08") {
            Some(Format::Gzip)
        } else {
            None
        }
    }
}

/// What a stream holds, unpacked; as it is if no format is known.
pub(super) fn unpack<'a>(mut from: impl BufRead + 'a) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match Format::of(from.fill_buf()?) {
        Some(Format::Xz) => {
            let stream = Stream::new_stream_decoder(XZ_MEMORY_MAX, 0)?;
            Box::new(XzDecoder::new_stream(from, stream))
        }
        Some(Format::Zstd) => Box::new(
            StreamingDecoder::new(from).map_err(|error| io::Error::other(error.to_string()))?,
        ),
        Some(Format::Gzip) => Box::new(flate2::bufread::GzDecoder::new(from)),
        None => Box::new(from),
    })
}

/// All of it, if it is not more than `bytes_max`.
pub(super) fn unpack_all(from: impl BufRead, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    unpack(from)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        let mib = bytes_max >> 20;
        return Err(io::Error::other(format!("it is more than {mib} MiB, unpacked")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::unpack_all;

    fn xz(bytes: &[u8]) -> Vec<u8> {
        let mut to = liblzma::write::XzEncoder::new(Vec::new(), 1);
        to.write_all(bytes).unwrap();
        to.finish().unwrap()
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        to.write_all(bytes).unwrap();
        to.finish().unwrap()
    }

    fn zstd(bytes: &[u8]) -> Vec<u8> {
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        ruzstd::encoding::compress_to_vec(bytes, level)
    }

    #[test]
    fn each_format_and_none_is_unpacked() {
        let bytes = b"some text, some text".repeat(50);
        for packed in [xz(&bytes), gzip(&bytes), zstd(&bytes), bytes.clone()] {
            assert_eq!(unpack_all(packed.as_slice(), 1 << 20).unwrap(), bytes);
        }
    }

    #[test]
    fn what_unpacks_to_too_much_is_refused() {
        let error = unpack_all(xz(&vec![0; 3 << 20]).as_slice(), 2 << 20).unwrap_err();
        assert!(error.to_string().contains("more than 2 MiB"), "{error}");
        assert!(unpack_all(xz(&vec![0; 2 << 20]).as_slice(), 2 << 20).is_ok());
    }

    proptest! {
        #[test]
        fn damaged_data_is_an_error_or_other_data(at in 0_usize..100, byte: u8, cut in 0_usize..100) {
            for mut packed in [xz(b"abcabcabc"), gzip(b"abcabcabc"), zstd(b"abcabcabc")] {
                let length = packed.len();
                packed[at % length] = byte;
                packed.truncate(length - cut % length);
                if let Ok(bytes) = unpack_all(packed.as_slice(), 1 << 20) {
                    prop_assert!(bytes.len() <= 1 << 20);
                }
            }
        }
    }
}
