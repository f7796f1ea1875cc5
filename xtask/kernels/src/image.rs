//! Images: what a person calls a kernel, opened as something that QEMU can boot.
