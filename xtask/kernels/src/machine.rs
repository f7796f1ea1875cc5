//! The virtual machine: QEMU with a console, a port for messages and a disk, gone when dropped.
