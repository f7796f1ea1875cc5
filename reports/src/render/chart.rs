//! Charts that belong together, as a page shows them.

/// Charts that belong together.
#[derive(Debug)]
pub struct ChartSet {
    /// What they show.
    pub title: String,
    /// How to read them, in one sentence.
    pub how: String,
    /// Whether a legend is needed: not where each chart names its policy.
    pub legend: bool,
    /// The charts.
    pub figures: Vec<Figure>,
}

/// One chart.
#[derive(Debug)]
pub struct Figure {
    /// What is special about this one; may be empty.
    pub caption: String,
    /// Colour and sign of the policy, if the chart is about one.
    pub mark: Option<(usize, &'static str)>,
    /// The picture, ready to stand in a page.
    pub svg: String,
}

/// What a chart draws of one policy.
#[derive(Clone, Debug)]
pub(crate) struct Series<T> {
    pub(crate) label: String,
    pub(crate) place: usize,
    pub(crate) data: T,
}

impl Figure {
    /// A chart about which its set says all.
    pub(crate) fn plain(svg: String) -> Self {
        Self { caption: String::new(), mark: None, svg }
    }
}

/// Charts with a legend, if there are any.
pub(crate) fn set(title: &str, how: &str, figures: Vec<Figure>) -> Option<ChartSet> {
    let (title, how) = (title.to_owned(), how.to_owned());
    (!figures.is_empty()).then_some(ChartSet { title, how, legend: true, figures })
}

/// Charts that name what they show themselves, if there are any.
pub(crate) fn set_without_legend(title: &str, how: &str, figures: Vec<Figure>) -> Option<ChartSet> {
    set(title, how, figures).map(|set| ChartSet { legend: false, ..set })
}

/// Characters of a policy's name inside a chart.
pub(crate) const LABEL_CHARS_MAX: usize = 16;
