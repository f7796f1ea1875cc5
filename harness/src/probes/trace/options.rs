//! What a trace is to see.

/// What to trace, and how much room there is for what is seen.
#[derive(Clone, Debug)]
pub struct TraceOptions {
    /// Whether only processes are traced that [`TraceSource::trace`] names, and their children.
    ///
    /// [`TraceSource::trace`]: crate::probes::TraceSource::trace
    pub some: bool,
    /// Whether to use the programs on events alone, as on a kernel without BTF.
    pub on_events: bool,
    /// Size of the ring for births and exits, in bytes: a power of two, a page at least. An event
    /// takes 72.
    pub lives_ring_bytes: u32,
    /// Size of the ring for requests that are done, likewise; 0 if they are not to be recorded one by
    /// one. A request takes 88.
    pub requests_ring_bytes: u32,
}
