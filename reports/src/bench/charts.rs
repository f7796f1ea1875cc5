//! Charts: one file each, drawn from the same groups that the tables are made of.

mod histograms;
mod run_order;
mod tradeoff;

use std::io;

use iowq_contract::Record;

use crate::bench::charts::histograms::Bins;
use crate::format;
use crate::load::Loaded;
use crate::render::chart::{ChartSet, Figure, LABEL_CHARS_MAX, Series, set};
use crate::render::palette::Colours;
use crate::render::percentiles::{self, Line};
use crate::render::plot::ChartError;
use crate::render::workers::{self, Life};
use crate::runs::arrival::Arrival;
use crate::runs::group::{self, Group, Section};
use crate::runs::histogram::{Clock, Merged};

/// Policies that are drawn: more would hide each other.
const POLICIES_MAX: usize = 12;

/// Draws all charts of a section; `points_max` bounds each timeline.
pub(crate) fn sets(
    loaded: &Loaded,
    section: &Section<'_>,
    colours: &Colours<'_>,
    points_max: usize,
) -> Result<Vec<ChartSet>, ChartError> {
    let of = |group| Drawn::of(loaded, group, section.host.as_deref(), points_max);
    let groups = drawn(section).map(of).collect::<io::Result<_>>()?;
    let artist = Artist { section, colours, groups };
    let sets = [
        artist.workers()?,
        artist.tradeoff()?,
        artist.percentiles()?,
        artist.histograms()?,
        artist.order()?,
    ];
    Ok(sets.into_iter().flatten().collect())
}

/// How many policies of a section the charts leave out.
pub(crate) fn left_out(section: &Section<'_>) -> usize {
    section.groups.len() - drawn(section).count()
}

/// The groups that are drawn: the first policies, and always the kernel that they are held against.
fn drawn<'a>(section: &'a Section<'a>) -> impl Iterator<Item = &'a Group<'a>> {
    let groups = section.groups.iter().enumerate();
    groups.filter(|(at, group)| *at < POLICIES_MAX || group.is_kernel()).map(|(_, group)| group)
}

/// What is drawn of a group and not in its runs.
struct Drawn<'a> {
    group: &'a Group<'a>,
    /// The run with the median churn, with the name that stands above it.
    life: Option<(String, Life)>,
    times: Vec<(Clock, String, Line, Bins)>,
}

impl<'a> Drawn<'a> {
    /// Of a group, whose runs are read again one at a time.
    fn of(
        loaded: &Loaded,
        group: &'a Group<'a>,
        host: Option<&str>,
        points_max: usize,
    ) -> io::Result<Self> {
        let mut merged = Merged::default();
        for run in &group.runs {
            merged.add(&*loaded.whole(run)?);
        }
        let drawn = |(clock, kind, sum): (Clock, &str, &_)| {
            (clock, kind.to_owned(), percentiles::line(sum), histograms::bins(sum))
        };
        let life = |run: &Record| {
            let label = on_host(group, host);
            let caption = match group.runs.len() {
                1 => label,
                runs => format!("{label}, round {} of {runs} runs", run.key.round + 1),
            };
            Ok::<_, io::Error>((caption, workers::life(&*loaded.whole(run)?, points_max)))
        };
        let times = merged.all().map(drawn).collect();
        Ok(Self { group, life: typical(group).map(life).transpose()?, times })
    }

    fn times(&self, clock: Clock, kind: &str) -> Option<(&Line, &Bins)> {
        let found = self.times.iter().find(|one| one.0 == clock && one.1 == kind)?;
        Some((&found.2, &found.3))
    }
}

/// Draws the charts of one section.
struct Artist<'a> {
    section: &'a Section<'a>,
    colours: &'a Colours<'a>,
    groups: Vec<Drawn<'a>>,
}

impl Artist<'_> {
    /// What `data` makes of each policy, if it makes something.
    fn series<T>(&self, data: impl Fn(&Drawn<'_>) -> Option<T>) -> Vec<Series<T>> {
        let of = |one: &Drawn<'_>| {
            let label = format::clip(&one.group.variant, LABEL_CHARS_MAX);
            Some(Series { label, place: self.colours.place(&one.group.variant), data: data(one)? })
        };
        self.groups.iter().filter_map(of).collect()
    }

    fn workers(&self) -> Result<Option<ChartSet>, ChartError> {
        let lives = self.series(|one| one.life.clone());
        workers::set(&lives, "policies; of several runs the one with the median churn")
    }

    fn tradeoff(&self) -> Result<Option<ChartSet>, ChartError> {
        let place = |policy: &str| self.colours.place(policy);
        let Some(points) = tradeoff::points(self.section, place) else {
            return Ok(None);
        };
        let how = format!(
            "Each mark is one run: the further left, the fewer workers it created, the lower, the \
             shorter its {} response time. Both axes are logarithmic.",
            points.quantile
        );
        let figure = Figure::plain(tradeoff::draw(&points)?);
        Ok(set("Churn against latency", &how, vec![figure]))
    }

    fn percentiles(&self) -> Result<Option<ChartSet>, ChartError> {
        let lines = |clock| self.series(|one| one.times(clock, "all").map(|times| times.0.clone()));
        let arrival = Arrival::of(self.section);
        let both = Clock::ALL.map(|clock| (clock, lines(clock)));
        let axis = percentiles::time_axis(both.iter().flat_map(|one| &one.1).map(|one| &one.data));
        let mut figures = Vec::new();
        for (clock, lines) in &both {
            if !lines.is_empty() {
                let begin = arrival.map_or("from when an op was meant to start", Arrival::begin);
                let caption = match clock {
                    Clock::Response => format!("Response time: {begin}"),
                    Clock::Service => "Service time: from when it was handed over".to_owned(),
                };
                let svg = percentiles::draw(lines, &axis, clock.name())?;
                figures.push(Figure { caption, mark: None, svg });
            }
        }
        let how = "Read upwards from a percentile: that share of all operations was at least this \
                   fast; each step to the right is ten times rarer. Runs are merged, and a line is \
                   dotted where fewer than 100 operations lie beyond it.";
        let how = format!("{how} {}", arrival.map_or("", Arrival::words));
        Ok(set("Latency by percentile", how.trim_end(), figures))
    }

    fn histograms(&self) -> Result<Option<ChartSet>, ChartError> {
        let mut kinds = self.section.kinds();
        if kinds.is_empty() {
            kinds.push("all".to_owned());
        }
        // A single kind leaves room to show what waiting adds to it.
        let clocks: &[Clock] = if kinds.len() == 1 { &Clock::ALL } else { &[Clock::Response] };
        let mut all = Vec::new();
        for kind in &kinds {
            for clock in clocks {
                let series = self.series(|one| Some(one.times(*clock, kind)?.1.clone()));
                let name = format!("{}, {}", format::clip(kind, LABEL_CHARS_MAX), clock.name());
                all.push((name, series));
            }
        }
        all.retain(|(_, series)| !series.is_empty());
        let axis = histograms::time_axis(all.iter().flat_map(|one| &one.1).map(|one| &one.data));
        let mut figures = Vec::new();
        for (caption, series) in all {
            let svg = histograms::draw(&series, &axis, &caption)?;
            figures.push(Figure { caption, mark: None, svg });
        }
        let how = "The higher an outline, the more operations took about that long; several humps \
                   are several ways an operation can go. Runs are merged; the axis of time is \
                   logarithmic and the same in each chart.";
        Ok(set("Latency histograms", how, figures))
    }

    fn order(&self) -> Result<Option<ChartSet>, ChartError> {
        let dots = run_order::dots(self.section, |policy| self.colours.place(policy));
        if dots.len() < 2 {
            return Ok(None);
        }
        let how = "Marks in the order in which the runs were made: a slope that all policies share is that of the machine.";
        Ok(set("Run order", how, vec![Figure::plain(run_order::draw(&dots)?)]))
    }
}

/// The name of a group above a picture of its own, with its host if there are several.
fn on_host(group: &Group<'_>, host: Option<&str>) -> String {
    group::on(format::clip(&group.variant, LABEL_CHARS_MAX).into(), host).into_owned()
}

/// The run to draw for a group: the one with the median churn.
fn typical<'a>(group: &Group<'a>) -> Option<&'a Record> {
    let mut runs = group.runs.clone();
    let churn = |record: &Record| record.workers.created_per_1000_ops.unwrap_or(0.0);
    runs.sort_by(|a, b| churn(a).total_cmp(&churn(b)));
    runs.get(runs.len().saturating_sub(1) / 2).copied()
}
