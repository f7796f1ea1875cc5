//! The initramfs: the guest, its job and the modules it loads, as one archive.
