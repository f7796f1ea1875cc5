//! The built object of the programs, as `cargo xtask probes` committed it beside its source.

/// Keeps the bytes aligned, as parsers of ELF files want them.
#[repr(C, align(8))]
struct Aligned<T: ?Sized>(T);

static OBJECT: &Aligned<[u8]> = &Aligned(*include_bytes!("../probes.bpf.o"));

/// The ELF file with the programs, aligned to 8 bytes.
#[must_use]
pub fn object() -> &'static [u8] {
    &OBJECT.0
}
