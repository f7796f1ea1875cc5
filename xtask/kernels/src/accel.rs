//! Accelerators: which of KVM and emulation boots a kernel here, found out by booting one.
