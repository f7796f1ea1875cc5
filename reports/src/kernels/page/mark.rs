//! Kernels as the page names them: with a colour and a sign.

use crate::format;
use crate::kernels::outcome::KernelsOutcome;
use crate::render::page::Mark;
use crate::render::palette::place;

/// Colour and sign of a kernel.
pub(crate) fn mark(outcome: &KernelsOutcome<'_>, label: &str) -> Mark {
    let at = outcome.kernels.kernels.iter().position(|one| one.label == label).unwrap_or(0);
    Mark::at(place(at), name(label))
}

pub(crate) fn name(text: &str) -> String {
    format::clip(text, 60)
}
