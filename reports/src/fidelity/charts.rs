//! Presets against the kernel: a mark per cell, on the diagonal where both did the same.

use std::collections::BTreeMap;

use plotters::element::Circle;
use plotters::style::{Color, RGBColor};

use crate::fidelity::analysis::Fidelity;
use crate::fidelity::variants::{ALIKE_FACTOR, Counts};
use crate::format;
use crate::render::axis::Axis;
use crate::render::chart::{ChartSet, Figure};
use crate::render::palette::{AXIS, Colours, Dash, series};
use crate::render::plot::{ChartError, Place, Plot, WIDTH, picture};

/// Where a count of none is drawn on a logarithmic axis: below the least other count, 1.
const NONE_AT: f64 = 0.5;

/// Radius of the mark of one cell, and of the largest, in units of the picture.
const RADIUS: f64 = 7.0;
const RADIUS_MAX: f64 = 26.0;

/// What is counted.
struct Count {
    title: &'static str,
    name: &'static str,
    of: fn(Counts) -> f64,
}

const CREATED: Count = Count {
    title: "Workers created",
    name: "workers created",
    of: |counts| counts.created.max(NONE_AT),
};

const PEAK: Count =
    Count { title: "Peak workers", name: "peak workers", of: |counts| counts.peak.max(NONE_AT) };

/// Cells at the same place are one mark, whose area grows with their number.
type Marks = BTreeMap<(u64, u64), usize>;

/// The marks of one preset, expected or not.
struct Layer {
    place: usize,
    expected: bool,
    marks: Marks,
}

/// The charts of created workers and of peaks.
pub(crate) fn sets(
    fidelity: &Fidelity<'_>,
    colours: &Colours<'_>,
) -> Result<Vec<ChartSet>, ChartError> {
    let mut sets = Vec::new();
    for count in &[CREATED, PEAK] {
        let svg = draw(fidelity, colours, count)?;
        sets.push(ChartSet {
            title: count.title.to_owned(),
            how: format!(
                "Each mark is a cell, larger where several lie at one place: the further right, \
                 the more {} on io_uring, the higher, the more under a preset. Strong marks are \
                 the expected preset, pale ones the others. On the line both are equal, within \
                 the band they are at most a factor of {} apart.",
                count.name,
                format::number(ALIKE_FACTOR)
            ),
            legend: true,
            figures: vec![Figure::plain(svg)],
        });
    }
    Ok(sets)
}

fn layers(fidelity: &Fidelity<'_>, colours: &Colours<'_>, count: &Count) -> Vec<Layer> {
    let mut layers = Vec::new();
    for expected in [false, true] {
        for preset in &fidelity.presets {
            let mut marks = Marks::new();
            for cell in &fidelity.cells {
                let variants =
                    cell.variants.presets.iter().filter(|variant| variant.preset == *preset);
                for variant in variants.filter(|_| (cell.expected.preset == *preset) == expected) {
                    let at = ((count.of)(cell.variants.kernel), (count.of)(variant.counts));
                    *marks.entry((at.0.to_bits(), at.1.to_bits())).or_insert(0) += 1;
                }
            }
            layers.push(Layer { place: colours.place(preset), expected, marks });
        }
    }
    layers
}

fn draw(
    fidelity: &Fidelity<'_>,
    colours: &Colours<'_>,
    count: &Count,
) -> Result<String, ChartError> {
    let layers = layers(fidelity, colours, count);
    let values = layers.iter().flat_map(|layer| layer.marks.keys()).flat_map(|at| [at.0, at.1]);
    let values = values.map(f64::from_bits);
    let mut x = Axis::log(values, format::number, &format!("{} on io_uring", count.name));
    for tick in x.ticks.iter_mut().filter(|tick| tick.0 < 0.0) {
        tick.1 = "none".to_owned();
    }
    // Room for marks at the ends.
    let margin = (x.range.end - x.range.start) * 0.04;
    x.range = x.range.start - margin..x.range.end + margin;
    let y = Axis { label: format!("{} under a preset", count.name), ..x.clone() };
    let place = Place { left: 126, right: WIDTH - 40, top: 56, bottom: 800 };
    let title = format!("{} under presets against io_uring, a mark per cell", count.name);
    picture(&title, 892, |area| {
        let plot = Plot::new(area, place, &x, &y)?;
        band(&plot, &x)?;
        for layer in &layers {
            let colour = series(layer.place, Dash::Whole);
            for ((kernel, preset), cells) in &layer.marks {
                let at = (f64::from_bits(*kernel).log10(), f64::from_bits(*preset).log10());
                mark(&plot, at, *cells, colour, layer.expected)?;
            }
        }
        Ok(())
    })
}

/// The diagonal, and around it where counts are alike by their factor.
fn band(plot: &Plot<'_, '_>, axis: &Axis) -> Result<(), ChartError> {
    let (low, high) = (axis.range.start, axis.range.end);
    let alike = ALIKE_FACTOR.log10();
    let corners = vec![
        (low, low),
        (low, low + alike),
        (high - alike, high),
        (high, high),
        (high, high - alike),
        (low + alike, low),
    ];
    plot.fill(corners, AXIS, 0.22)?;
    plot.line(vec![(low, low), (high, high)], AXIS, 2)
}

fn mark(
    plot: &Plot<'_, '_>,
    (x, y): (f64, f64),
    cells: usize,
    colour: RGBColor,
    expected: bool,
) -> Result<(), ChartError> {
    let radius = (RADIUS * (cells as f64).sqrt()).min(RADIUS_MAX);
    let opacity = if expected { 0.6 } else { 0.22 };
    plot.shape(&Circle::new(plot.pixel(x, y), radius.round() as i32, colour.mix(opacity).filled()))
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::bench::analysis::analyse;
    use crate::load::Loaded;

    #[test]
    fn every_cell_is_in_a_mark_and_the_expected_preset_is_drawn_last() {
        let loaded = Loaded { records: sample::grid(&sample::SMALL, 1), ..Loaded::default() };
        let analysis = analyse(&loaded);
        let fidelity = analysis.fidelity.as_ref().expect("a grid has both engines");
        let colours = Colours::of(&analysis.sections);
        let layers = layers(fidelity, &colours, &CREATED);
        let cells = |expected| -> usize {
            let these = layers.iter().filter(|layer| layer.expected == expected);
            these.flat_map(|layer| layer.marks.values()).sum()
        };
        assert_eq!((cells(true), cells(false)), (16, 48));
        assert!(layers.is_sorted_by_key(|layer| layer.expected));
    }

    #[test]
    fn cells_without_a_worker_and_no_cells_at_all_can_be_drawn() {
        let mut records = sample::grid(&sample::SMALL, 1);
        for record in &mut records {
            record.workers.created.probe = Some(0);
            record.workers.created.engine = None;
        }
        let draw_all = |records| {
            let loaded = Loaded { records, ..Loaded::default() };
            let analysis = analyse(&loaded);
            let fidelity = analysis.fidelity.as_ref().expect("a grid has both engines");
            let sets = sets(fidelity, &Colours::of(&analysis.sections));
            sets.expect("they can be drawn").remove(0).figures.remove(0).svg
        };
        assert!(draw_all(records.clone()).contains("none"));
        records.iter_mut().for_each(|record| record.host.kernel.clear());
        assert!(draw_all(records).contains("<svg"));
    }
}
