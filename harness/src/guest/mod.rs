//! The guest: what `iowq` does as the first process of a virtual machine.

pub mod criu;
