//! Markers: a shape per policy, so that colour is never the only difference.

use plotters::element::{Circle, PathElement, Polygon};
use plotters::style::{Color, RGBColor, ShapeStyle};

use crate::render::palette::{COLOURS, KERNEL};
use crate::render::plot::{ChartError, Plot};

/// The same shapes as characters, for legends in text.
const SIGNS: [&str; COLOURS] = ["●", "■", "▲", "◆", "○", "✕", "✚", "□", "★"];

/// Corners of a star with five points.
const STAR: [(i32, i32); 10] = [
    (0, -17),
    (4, -6),
    (16, -5),
    (7, 2),
    (10, 14),
    (0, 7),
    (-10, 14),
    (-7, 2),
    (-16, -5),
    (-4, -6),
];

/// The character for the shape of the policy at this place.
pub(crate) fn sign(place: usize) -> &'static str {
    SIGNS.get(place % SIGNS.len()).copied().unwrap_or("●")
}

/// Draws the shape of the policy at this place.
pub(crate) fn draw(
    plot: &Plot<'_, '_>,
    (x, y): (i32, i32),
    place: usize,
    colour: RGBColor,
) -> Result<(), ChartError> {
    let whole = colour.mix(0.85).filled();
    let thick = ShapeStyle::from(colour).stroke_width(4);
    let square = [(-9, -9), (9, -9), (9, 9), (-9, 9), (-9, -9)];
    let moved = |points: &[(i32, i32)]| -> Vec<(i32, i32)> {
        points.iter().map(|point| (x + point.0, y + point.1)).collect()
    };
    let stroke = |points: &[(i32, i32)]| plot.shape(&PathElement::new(moved(points), thick));
    match place % SIGNS.len() {
        0 => plot.shape(&Circle::new((x, y), 11, whole)),
        1 => plot.shape(&Polygon::new(moved(&square), whole)),
        2 => plot.shape(&Polygon::new(moved(&[(0, -13), (12, 9), (-12, 9)]), whole)),
        3 => plot.shape(&Polygon::new(moved(&[(0, -14), (14, 0), (0, 14), (-14, 0)]), whole)),
        4 => plot.shape(&Circle::new((x, y), 10, thick)),
        5 => {
            stroke(&[(-10, -10), (10, 10)])?;
            stroke(&[(-10, 10), (10, -10)])
        }
        6 => {
            stroke(&[(0, -13), (0, 13)])?;
            stroke(&[(-13, 0), (13, 0)])
        }
        KERNEL => plot.shape(&Polygon::new(moved(&STAR), whole)),
        _ => stroke(&square),
    }
}
