//! The request that a run was made for, so that it can be made again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The flags of a run that its key and its settings do not show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// The workload as it was named: a built-in one, or the path of a spec or of a job file, which
    /// counts from the folder that the bench was started in.
    pub workload: String,
    /// Length of the run in seconds, if it was not to be the workload's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<f64>,
}
