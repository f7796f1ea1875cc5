//! The table of tasks: a row per task and policy.

use crate::bench::page::table::cell;
use crate::bench::tasks;
use crate::format;
use crate::render::page::{Cell, Mark};
use crate::render::palette::Colours;
use crate::runs::group::Section;

/// One task under one policy.
pub(crate) struct TaskRow {
    pub(crate) task: String,
    pub(crate) mark: Mark,
    pub(crate) cells: [Cell; 3],
}

/// The first rows of a section.
pub(crate) fn rows(section: &Section<'_>, colours: &Colours<'_>, shown: usize) -> Vec<TaskRow> {
    let row = |one: &tasks::TaskFigures<'_>| TaskRow {
        task: format::clip(&one.task, 40),
        mark: Mark::of_group(one.group, colours),
        cells: [
            cell("ops/s", one.ops_per_s, format::number),
            cell("p50", one.p50_ns, format::duration),
            cell("p99", one.p99_ns, format::duration),
        ],
    };
    tasks::figures(section).iter().take(shown).map(row).collect()
}
