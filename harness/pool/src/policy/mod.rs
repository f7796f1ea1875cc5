//! Policies: what io-wq decides at each point, from what it can see there.
//!
//! A policy decides and does nothing: it has no thread, lock or clock. The pool shows it a [`View`]
//! at each decision and carries out the answer. [`Registry`] turns a name into a [`PolicySpec`],
//! once, and that builds the policy of each pool.
//!
//! # A policy of your own
//!
//! Implement [`Policy`], of which three methods have no default, and register a constructor:
//!
//! ```
//! use iowq_pool::policy::{Parameter, Policy, PolicyKind, Registry, View};
//!
//! /// Workers come only while fewer than `target` are there, and leave after a timeout.
//! struct Target {
//!     workers: u32,
//! }
//!
//! impl Policy for Target {
//!     fn spawn_on_enqueue(&mut self, view: &View) -> bool {
//!         view.workers < self.workers
//!     }
//!     fn spawn_on_block(&mut self, view: &View) -> bool {
//!         view.workers < self.workers
//!     }
//!     fn exit_when_idle(&mut self, view: &View) -> bool {
//!         view.timed_out && view.workers > 1
//!     }
//! }
//!
//! let mut registry = Registry::builtin();
//! registry.register(PolicyKind {
//!     name: "target",
//!     summary: "workers up to a number of their own",
//!     parameters: &[Parameter {
//!         name: "workers",
//!         summary: "workers of an account at most",
//!         min: 1,
//!         max: 256,
//!         default: Some(4),
//!     }],
//!     build: |parameters| Box::new(Target { workers: parameters.get("workers") as u32 }),
//! })?;
//!
//! let spec = registry.parse("target:workers=2")?;
//! assert_eq!(spec.name(), "target:workers=2");
//! let mut policy = spec.build();
//! assert!(policy.spawn_on_enqueue(&View { workers: 1, ..View::default() }));
//! assert!(!policy.spawn_on_enqueue(&View { workers: 2, ..View::default() }));
//! let error = registry.parse("target:workers=0").unwrap_err().to_string();
//! assert_eq!(error, "policy `target:workers=0`: workers takes 1 to 256, found `0`");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod fixed;
mod flags;
mod kernel;
mod patch;
mod preset;
mod registry;
mod rules;
mod spec;
mod view;

pub use patch::{ABSENCES, Patch, Patches};
pub use preset::{PRESETS, Preset};
pub use registry::Registry;
pub use rules::{Creation, Policy, ProbeRule};
pub use spec::{NameError, Parameter, Parameters, PolicyKind, PolicySpec};
pub use view::{Completed, PuntedOp, View};
