//! Colours: of the terminal's own sixteen, so that they suit its background, and none without colour.

use ratatui::style::{Color, Modifier, Style as Look};

/// Whether there are colours.
#[derive(Clone, Copy, Debug)]
pub(super) struct Style {
    pub(super) colour: bool,
}

impl Style {
    pub(super) fn bold(self) -> Look {
        Look::new().add_modifier(Modifier::BOLD)
    }

    pub(super) fn dim(self) -> Look {
        Look::new().add_modifier(Modifier::DIM)
    }

    pub(super) fn marked(self) -> Look {
        Look::new().add_modifier(Modifier::REVERSED)
    }

    /// What the reader must not miss.
    pub(super) fn alarm(self) -> Look {
        self.of(Color::Red).add_modifier(Modifier::BOLD)
    }

    pub(super) fn bar(self) -> Look {
        self.of(Color::Blue)
    }

    fn of(self, colour: Color) -> Look {
        if self.colour { Look::new().fg(colour) } else { Look::new() }
    }
}
