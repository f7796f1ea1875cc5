//! Builds: a kernel and its patched versions out of one source tree.
