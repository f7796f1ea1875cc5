//! A caveat with the runs that it is about.

use iowq_contract::Code;

/// Something that a reader must know before believing a figure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopedCaveat {
    /// What kind it is.
    pub code: Code,
    /// What it means.
    pub text: String,
    /// Which runs it is about.
    pub scope: String,
    /// Whether a figure may be wrong because of it, and not only less general.
    pub severe: bool,
}

/// Codes of caveats that can make a figure wrong.
const SEVERE: [Code; 13] = [
    Code::RunFailed,
    Code::EventsLost,
    Code::CountsDisagree,
    Code::SwitchesMissedOften,
    Code::OpsFailed,
    Code::RateNotKept,
    Code::LengthDiffers,
    Code::LengthsDiffer,
    Code::Stopped,
    Code::Suspended,
    Code::TimeNamespace,
    Code::RecordCutOff,
    Code::DebugBuild,
];

impl ScopedCaveat {
    /// Of a code, with whether it is severe.
    pub fn new(code: Code, text: String, scope: String) -> Self {
        let severe = SEVERE.contains(&code);
        Self { code, text, scope, severe }
    }

    /// Of a code, about all that is shown.
    pub fn of_all(code: Code, text: impl Into<String>) -> Self {
        Self::new(code, text.into(), String::new())
    }
}
