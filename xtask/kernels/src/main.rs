//! The command line of `iowq-kernels`.

fn main() {}
