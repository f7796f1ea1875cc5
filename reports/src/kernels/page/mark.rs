//! Kernels as the page names them: with a colour and a sign.

use crate::format;
use crate::kernels::charts::kernel::place;
use crate::kernels::outcome::KernelsOutcome;
use crate::render::marker;
use crate::render::page::Mark;
use crate::render::palette::COLOURS;

/// Colour and sign of a kernel.
pub(crate) fn mark(outcome: &KernelsOutcome<'_>, label: &str) -> Mark {
    let at = outcome.kernels.kernels.iter().position(|one| one.label == label).unwrap_or(0);
    let place = place(at);
    Mark { colour: place % COLOURS, sign: marker::sign(place), policy: name(label) }
}

pub(crate) fn name(text: &str) -> String {
    format::clip(text, 60)
}
