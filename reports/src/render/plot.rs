//! A plot: axes with a light grid inside a picture, drawn by plotters into SVG.

use std::io;

use plotters::coord::Shift;
use plotters::coord::types::RangedCoordf64;
use plotters::drawing::{DrawingArea, DrawingAreaErrorKind, IntoDrawingArea};
use plotters::element::{Drawable, PathElement, PointCollection, Polygon, Text};
use plotters::prelude::{Cartesian2d, IntoFont, SVGBackend};
use plotters::style::text_anchor::{HPos, Pos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle, TextStyle};

use crate::render::axis::Axis;
use crate::render::palette::{self, AXIS, GRID, INK};

/// Width of every picture, in half pixels of a wide page: plotters rounds to whole units.
pub(crate) const WIDTH: i32 = 1120;

/// Height of text, in the same units, as SVG has it.
const TEXT: f64 = 25.0;

/// plotters' SVG backend divides font sizes by this.
const TEXT_SCALE: f64 = 1.24;

/// Room that one character takes, at most and about.
pub(crate) const CHAR_WIDTH: i32 = 14;

type Error = DrawingAreaErrorKind<io::Error>;

/// A chart could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a chart could not be drawn: {0}")]
pub struct ChartError(String);

impl From<io::Error> for ChartError {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<Error> for ChartError {
    fn from(error: Error) -> Self {
        Self(error.to_string())
    }
}

/// An empty picture.
pub(crate) type Picture<'a> = DrawingArea<SVGBackend<'a>, Shift>;

/// Draws a picture `height` units high and returns it as SVG for use inside a page.
pub(crate) fn picture(
    label: &str,
    height: i32,
    paint: impl FnOnce(&Picture<'_>) -> Result<(), ChartError>,
) -> Result<String, ChartError> {
    let size = (WIDTH.unsigned_abs(), height.unsigned_abs());
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, size).into_drawing_area();
        paint(&area)?;
        area.present()?;
    }
    let body = svg.split_once('>').map_or("", |parts| parts.1);
    let label = attribute(label);
    Ok(format!(
        "<svg viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{label}\">{}",
        palette::put_in(body)
    ))
}

/// Text that can stand between the quotes of an attribute.
fn attribute(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('"', "&quot;");
    text.replace('<', "&lt;").replace('>', "&gt;")
}

/// Where the axes stand inside a picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) left: i32,
    pub(crate) right: i32,
    pub(crate) top: i32,
    pub(crate) bottom: i32,
}

/// Axes on a picture.
pub(crate) struct Plot<'a, 'b> {
    picture: &'a Picture<'b>,
    area: DrawingArea<SVGBackend<'b>, Cartesian2d<RangedCoordf64, RangedCoordf64>>,
    place: Place,
}

impl<'a, 'b> Plot<'a, 'b> {
    /// Draws grid, ticks and labels.
    pub(crate) fn new(
        picture: &'a Picture<'b>,
        place: Place,
        x: &Axis,
        y: &Axis,
    ) -> Result<Self, ChartError> {
        // Values grow upwards, units of the picture downwards.
        let pixels = (place.left..place.right, place.bottom..place.top);
        let spec = Cartesian2d::<RangedCoordf64, RangedCoordf64>::new(
            x.range.clone(),
            y.range.clone(),
            pixels,
        );
        let plot = Self { picture, area: picture.clone().apply_coord_spec(spec), place };
        plot.grid(x, y)?;
        Ok(plot)
    }

    fn grid(&self, x: &Axis, y: &Axis) -> Result<(), ChartError> {
        let Place { left, right, top, bottom } = self.place;
        for (value, label) in &y.ticks {
            let at = self.pixel(x.range.start, *value).1;
            self.rule(vec![(left, at), (right, at)], GRID)?;
            self.text(label, (left - 12, at), HPos::Right, VPos::Center, INK)?;
        }
        for (value, label) in &x.ticks {
            let at = self.pixel(*value, y.range.start).0;
            self.rule(vec![(at, top), (at, bottom)], GRID)?;
            self.text(label, (at, bottom + 12), HPos::Center, VPos::Top, INK)?;
        }
        self.rule(vec![(left, bottom), (right, bottom)], AXIS)?;
        self.text(&y.label, (4, top - 20), HPos::Left, VPos::Bottom, INK)?;
        self.text(&x.label, (right, bottom + 50), HPos::Right, VPos::Top, INK)
    }

    fn rule(&self, line: Vec<(i32, i32)>, colour: RGBColor) -> Result<(), ChartError> {
        let style = ShapeStyle::from(colour).stroke_width(2);
        Ok(self.picture.draw(&PathElement::new(line, style))?)
    }

    /// Where a value is drawn.
    pub(crate) fn pixel(&self, x: f64, y: f64) -> (i32, i32) {
        self.area.map_coordinate(&(x, y))
    }

    /// Draws a line through points.
    pub(crate) fn line(
        &self,
        points: Vec<(f64, f64)>,
        colour: RGBColor,
        width: u32,
    ) -> Result<(), ChartError> {
        let style = ShapeStyle::from(colour).stroke_width(width);
        Ok(self.area.draw(&PathElement::new(points, style))?)
    }

    /// Fills what points enclose.
    pub(crate) fn fill(
        &self,
        points: Vec<(f64, f64)>,
        colour: RGBColor,
        opacity: f64,
    ) -> Result<(), ChartError> {
        Ok(self.area.draw(&Polygon::new(points, colour.mix(opacity).filled()))?)
    }

    /// Draws a shape in units of the picture.
    pub(crate) fn shape<E>(&self, element: &E) -> Result<(), ChartError>
    where
        for<'e> &'e E: PointCollection<'e, (i32, i32)>,
        E: Drawable<SVGBackend<'b>>,
    {
        Ok(self.picture.draw(element)?)
    }

    /// Writes text at a place in units of the picture.
    pub(crate) fn text(
        &self,
        text: &str,
        at: (i32, i32),
        across: HPos,
        down: VPos,
        colour: RGBColor,
    ) -> Result<(), ChartError> {
        if text.is_empty() {
            return Ok(());
        }
        let font = ("sans-serif", TEXT * TEXT_SCALE).into_font();
        let style = TextStyle::from(font).color(&colour).pos(Pos::new(across, down));
        Ok(self.picture.draw(&Text::new(text.to_owned(), at, style))?)
    }
}

/// Moves labels apart, as little as needed: `wanted` heights in, heights `gap` apart out.
pub(crate) fn spread(wanted: &[i32], gap: i32, top: i32, bottom: i32) -> Vec<i32> {
    let mut order: Vec<usize> = (0..wanted.len()).collect();
    order.sort_by_key(|at| wanted[*at]);
    let mut placed = wanted.to_vec();
    let mut lowest = top;
    for at in &order {
        placed[*at] = placed[*at].max(lowest);
        lowest = placed[*at] + gap;
    }
    let mut highest = bottom;
    for at in order.iter().rev() {
        placed[*at] = placed[*at].min(highest);
        highest = placed[*at] - gap;
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_that_would_collide_move_apart_and_stay_inside() {
        assert_eq!(spread(&[100, 102, 300], 20, 0, 310), [100, 120, 300]);
        assert_eq!(spread(&[300, 301], 20, 0, 310), [290, 310]);
    }

    #[test]
    fn larger_values_are_drawn_higher_and_further_right() {
        let place = Place { left: 100, right: 300, top: 50, bottom: 250 };
        let axis = Axis { range: 0.0..10.0, ticks: Vec::new(), label: String::new() };
        let mut ends = Vec::new();
        let drawn = picture("", 300, |area| {
            let plot = Plot::new(area, place, &axis, &axis)?;
            ends = vec![plot.pixel(0.0, 0.0), plot.pixel(10.0, 10.0)];
            Ok(())
        });
        assert!(drawn.is_ok());
        let near = |at: (i32, i32), to: (i32, i32)| at.0.abs_diff(to.0) + at.1.abs_diff(to.1) <= 2;
        assert!(near(ends[0], (100, 250)) && near(ends[1], (300, 50)), "{ends:?}");
    }

    #[test]
    fn a_hostile_label_stays_text() {
        let svg = picture("<script>", 100, |_| Ok(())).expect("an empty picture can be drawn");
        assert!(svg.contains("aria-label=\"&lt;script&gt;\""), "{svg}");
        assert!(svg.trim_end().ends_with("</svg>"), "{svg}");
    }
}
