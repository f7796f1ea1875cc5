//! Colours: plotters draws with stand-ins, the page puts its own in, light or dark.

use std::collections::BTreeMap;

use plotters::style::RGBColor;

use crate::runs::group::Section;

/// Colours that the page's style defines, as `--c0` and so on. The last is the kernel's own.
pub(crate) const COLOURS: usize = 9;

/// Place of the running kernel: no policy ever has its colour or its sign.
pub(crate) const KERNEL: usize = COLOURS - 1;

/// Stand-in for text.
pub(crate) const INK: RGBColor = RGBColor(0xA1, 0x00, 0x01);
/// Stand-in for lines of the grid.
pub(crate) const GRID: RGBColor = RGBColor(0xA1, 0x00, 0x02);
/// Stand-in for axes.
pub(crate) const AXIS: RGBColor = RGBColor(0xA1, 0x00, 0x03);

/// First byte of the stand-in for a policy; the second is its dash, the third its colour.
const SERIES: u8 = 0xC1;

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dash {
    /// Whole, or dashed where the colours are used a second time.
    Whole,
    /// Dotted: not much lies behind it.
    Dotted,
}

/// Stand-in for the policy at this place.
pub(crate) fn series(place: usize, dash: Dash) -> RGBColor {
    let again = place / COLOURS % 2 == 1;
    let style = match dash {
        Dash::Whole => u8::from(again),
        Dash::Dotted => 2,
    };
    RGBColor(SERIES, style, u8::try_from(place % COLOURS).unwrap_or(0))
}

/// Puts the page's colours in the place of the stand-ins.
pub(crate) fn put_in(svg: &str) -> String {
    let mut themed = svg.to_owned();
    for (colour, name) in [(INK, "ink"), (GRID, "grid"), (AXIS, "axis")] {
        themed = themed.replace(&hex(colour), &format!("\"var(--{name})\""));
    }
    for place in 0..COLOURS {
        for (style, dash) in
            [(0, ""), (1, " stroke-dasharray=\"14 8\""), (2, " stroke-dasharray=\"3 7\"")]
        {
            let colour = RGBColor(SERIES, style, u8::try_from(place).unwrap_or(0));
            themed = themed.replace(&hex(colour), &format!("\"var(--c{place})\"{dash}"));
        }
    }
    themed
}

/// A colour as it stands in an attribute, quotes and all.
fn hex(RGBColor(red, green, blue): RGBColor) -> String {
    format!("\"#{red:02X}{green:02X}{blue:02X}\"")
}

/// The place of the policy or kernel with this number: the colour of io_uring is left to it.
pub(crate) fn place(at: usize) -> usize {
    at / KERNEL * COLOURS + at % KERNEL
}

/// The colour of each variant, the same in every section of a page, whatever its host.
#[derive(Debug)]
pub(crate) struct Colours<'a> {
    places: BTreeMap<&'a str, usize>,
}

impl<'a> Colours<'a> {
    /// In the order in which sections first name them.
    pub(crate) fn of(sections: &'a [Section<'_>]) -> Self {
        let groups = || sections.iter().flat_map(|section| &section.groups);
        let kernel = groups().find(|group| group.is_kernel()).map(|group| group.variant.as_ref());
        let mut places = BTreeMap::new();
        for group in groups().filter(|group| Some(group.variant.as_ref()) != kernel) {
            let next = place(places.len());
            places.entry(group.variant.as_ref()).or_insert(next);
        }
        places.extend(kernel.map(|kernel| (kernel, KERNEL)));
        Self { places }
    }

    /// The place of a group among the colours, by its variant.
    pub(crate) fn place(&self, variant: &str) -> usize {
        self.places.get(variant).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::bench::analysis::analyse;
    use crate::load::Loaded;

    #[test]
    fn the_kernel_has_a_place_of_its_own_among_any_number_of_policies() {
        let names: Vec<String> = (0..20).map(|at| format!("6.12+{at}")).collect();
        let mut records: Vec<_> = names.iter().map(|name| sample::run("nop", name, 0)).collect();
        records.push(sample::kernel_run("nop", 0));
        let loaded = Loaded { records, ..Loaded::default() };
        let analysis = analyse(&loaded);
        let colours = Colours::of(&analysis.sections);
        let places: Vec<usize> = names.iter().map(|name| colours.place(name)).collect();
        assert_eq!(places[6..10], [6, 7, 9, 10]);
        assert!(places.iter().all(|place| place % COLOURS != KERNEL));
        assert_eq!(colours.place("io_uring"), KERNEL);
    }

    #[test]
    fn several_values_that_were_set_for_the_kernel_have_a_place_each() {
        let mut records = vec![sample::kernel_run("nop", 0), sample::kernel_run("nop", 1)];
        for (record, limit) in records.iter_mut().zip(["4", "64"]) {
            record.key.set.0.insert("workers.bounded".to_owned(), limit.to_owned());
        }
        let loaded = Loaded { records, ..Loaded::default() };
        let analysis = analyse(&loaded);
        let colours = Colours::of(&analysis.sections);
        let places = ["io_uring bounded=4", "io_uring bounded=64"].map(|it| colours.place(it));
        assert_eq!(places, [KERNEL, 0]);
    }

    #[test]
    fn stand_ins_become_names_of_the_page() {
        let line = |colour| format!("<line stroke={}/>", hex(colour));
        assert_eq!(put_in(&line(INK)), "<line stroke=\"var(--ink)\"/>");
        assert_eq!(put_in(&line(series(3, Dash::Whole))), "<line stroke=\"var(--c3)\"/>");
        assert_eq!(
            put_in(&line(series(COLOURS + 3, Dash::Whole))),
            "<line stroke=\"var(--c3)\" stroke-dasharray=\"14 8\"/>"
        );
        assert!(put_in(&line(series(3, Dash::Dotted))).contains("\"3 7\""));
    }
}
