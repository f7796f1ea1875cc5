//! Answers: what the runs of a section say, in plain sentences, and no more than they say.

use crate::bench::ranges::{Comparison, Finding};
use crate::bench::topic::{TOPICS, Topic};
use crate::bench::{births, ranges};
use crate::format;
use crate::runs::counts;
use crate::runs::figures::Spread;
use crate::runs::group::Section;
use crate::runs::metric::Metric;

/// The answer to one question about one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// What it is about.
    pub topic: &'static str,
    /// The largest difference in a few words, or that none was seen.
    pub short: String,
    /// The whole answer.
    pub text: String,
    /// Whether there is something to point out, such as a policy that differs from the base.
    pub differs: bool,
}

/// One answer per metric.
pub(crate) fn answers(section: &Section<'_>) -> Vec<Answer> {
    let metrics = TOPICS.iter().map(|topic| {
        let mut answer = answer(section, topic);
        // Per op alone a slower disk would look like more churn.
        if let (Metric::CreatedPer1000, Some(births)) = (topic.metric, births::rates(section)) {
            answer.text.push_str(&format!(" {births}"));
        }
        answer
    });
    metrics.collect()
}

fn answer(section: &Section<'_>, topic: &'static Topic) -> Answer {
    let silent = |short: &str, text: String| Answer {
        topic: topic.title,
        short: short.to_owned(),
        text,
        differs: false,
    };
    if topic.metric == Metric::CreatedPer1000
        && let Some(reason) = counts::churn_blocker(section)
    {
        return silent("no statement", format!("No statement on churn: {reason}."));
    }
    let Some(base_at) = section.base() else {
        return silent("no statement", "No run finished.".to_owned());
    };
    let base_policy = section.groups[base_at].label.as_ref();
    let Some(base) = section.groups[base_at].figures.of(topic.metric) else {
        return silent("no statement", format!("{base_policy}: {}.", topic.missing));
    };
    let found = ranges::against_base(section, base_at, topic.metric);
    if found.is_empty() {
        let text = format!("{base_policy} alone: {}.", range(topic.metric, &base));
        return silent(&topic.metric.show(base.median), text);
    }
    let writer = Writer { section, topic, base_policy, base };
    let sentences = [writer.apart(&found), writer.overlap(&found), writer.open(&found)].concat();
    let text = sentences.join(" ");
    match writer.widest(&found, Finding::Apart) {
        Some(widest) => {
            Answer { short: writer.headline(widest), differs: true, ..silent("", text) }
        }
        None => silent(&writer.nothing_shown(&found), text),
    }
}

/// Median with its range: `0.9 (0.8 to 1.1; 3 runs)`.
fn range(metric: Metric, spread: &Spread) -> String {
    let runs = format::count(spread.runs as u64, "run", "runs");
    let (least, most) = (metric.show(spread.least), metric.show(spread.most));
    format!("{} ({least} to {most}; {runs})", metric.show(spread.median))
}

/// Writes the sentences about one metric of one section.
struct Writer<'a> {
    section: &'a Section<'a>,
    topic: &'static Topic,
    base_policy: &'a str,
    base: Spread,
}

impl Writer<'_> {
    /// The policy to name first: of those with this finding the farthest, or the first in order
    /// whose range cannot be told from that one's.
    fn widest<'c, 'p>(
        &self,
        found: &'c [Comparison<'p>],
        finding: Finding,
    ) -> Option<(&'c Comparison<'p>, Spread)> {
        let distance = |test: &Spread| {
            let (more, less) =
                (test.median.max(self.base.median), test.median.min(self.base.median));
            if less > 0.0 { more / less } else { f64::INFINITY }
        };
        let apart = || {
            let apart = found.iter().filter(|one| one.finding == finding);
            apart.filter_map(|one| Some((one, one.test?)))
        };
        let farthest = apart()
            .reduce(|best, next| if distance(&best.1) < distance(&next.1) { next } else { best })?;
        apart().find(|one| one.1.overlaps(&farthest.1))
    }

    fn headline(&self, (widest, test): (&Comparison<'_>, Spread)) -> String {
        let briefly = self.topic.differs_briefly(self.base.median, test.median);
        format!("{briefly} under {}", widest.policy)
    }

    /// The answer in a few words where no policy lies apart from the base.
    fn nothing_shown(&self, found: &[Comparison<'_>]) -> String {
        if found.iter().any(|one| one.finding == Finding::Overlap) {
            return "no difference shown".to_owned();
        }
        // However far apart two single runs are, a busy moment can do that.
        match self.widest(found, Finding::Single) {
            Some(_) => "one run each, not compared".to_owned(),
            None => "no statement".to_owned(),
        }
    }

    /// One full sentence on the widest difference, then the others briefly.
    fn apart(&self, found: &[Comparison<'_>]) -> Vec<String> {
        let Some((widest, test)) = self.widest(found, Finding::Apart) else {
            return Vec::new();
        };
        let first = format!(
            "On {} {} {} {} ({} against {}; {}, ranges do not overlap).",
            self.section.workload,
            widest.policy,
            self.topic.differs(self.base.median, test.median),
            self.base_policy,
            self.topic.metric.show(test.median),
            self.topic.metric.show(self.base.median),
            self.runs(&test),
        );
        let others: Vec<String> = found
            .iter()
            .filter(|one| one.finding == Finding::Apart && one.policy != widest.policy)
            .filter_map(|one| {
                let median = one.test?.median;
                let briefly = self.topic.differs_briefly(self.base.median, median);
                Some(format!("{} {briefly} ({})", one.policy, self.topic.metric.show(median)))
            })
            .collect();
        if others.is_empty() {
            vec![first]
        } else {
            vec![first, format!("Also apart from {}: {}.", self.base_policy, format::list(&others))]
        }
    }

    fn runs(&self, test: &Spread) -> String {
        if test.runs == self.base.runs {
            format!("{} each", format::count(test.runs as u64, "run", "runs"))
        } else {
            format!("{} and {} runs", test.runs, self.base.runs)
        }
    }

    fn overlap(&self, found: &[Comparison<'_>]) -> Vec<String> {
        let same = self.with_ranges(found, Finding::Overlap);
        if same.is_empty() {
            return Vec::new();
        }
        vec![format!(
            "These runs show no difference between {} ({} to {}) and {}: ranges overlap.",
            self.base_policy,
            self.topic.metric.show(self.base.least),
            self.topic.metric.show(self.base.most),
            format::list(&same),
        )]
    }

    /// Policies of which nothing can be said, and why.
    fn open(&self, found: &[Comparison<'_>]) -> Vec<String> {
        let mut sentences = Vec::new();
        let figure =
            |policy: &str, value| format!("{} under {policy}", self.topic.metric.show(value));
        let mut single: Vec<String> = found
            .iter()
            .filter(|one| one.finding == Finding::Single)
            .filter_map(|one| Some(figure(one.policy, one.test?.median)))
            .collect();
        if !single.is_empty() {
            single.insert(0, figure(self.base_policy, self.base.median));
            sentences.push(format!(
                "One run is not a range, so that these are figures without a verdict: {}.",
                format::list(&single),
            ));
        }
        let missing: Vec<String> = found
            .iter()
            .filter(|one| one.finding == Finding::Missing)
            .map(|one| one.policy.to_owned())
            .collect();
        if !missing.is_empty() {
            sentences.push(format!("{}: {}.", format::list(&missing), self.topic.missing));
        }
        sentences
    }

    fn with_ranges(&self, found: &[Comparison<'_>], finding: Finding) -> Vec<String> {
        let of = found.iter().filter(|one| one.finding == finding);
        of.filter_map(|one| {
            let test = one.test?;
            let (least, most) =
                (self.topic.metric.show(test.least), self.topic.metric.show(test.most));
            Some(format!("{} ({least} to {most})", one.policy))
        })
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::Record;
    use iowq_sample as sample;

    use super::*;
    use crate::runs::group;

    fn churn(rows: &[(&str, &[f64])]) -> Vec<Record> {
        let mut records = Vec::new();
        for (policy, values) in rows {
            for value in *values {
                let mut record = sample::run("fsync-mix", policy, 0);
                record.workers.created_per_1000_ops = Some(*value);
                records.push(record);
            }
        }
        records
    }

    fn say(records: &[Record]) -> Answer {
        answer(&group::sections(records)[0], &TOPICS[0])
    }

    #[test]
    fn ranges_that_lie_apart_give_a_plain_sentence() {
        let records = churn(&[("6.12", &[33.0, 34.1, 40.0]), ("6.17", &[0.8, 0.9, 1.1])]);
        let answer = say(&records);
        assert_eq!(
            answer.text,
            "On fsync-mix 6.17 created 38 times fewer workers per 1000 ops than 6.12 \
             (0.9 against 34.1; 3 runs each, ranges do not overlap)."
        );
        assert_eq!(answer.short, "38 times fewer under 6.17");
    }

    #[test]
    fn ranges_that_overlap_are_no_difference() {
        let records = churn(&[("6.12", &[30.0, 40.0]), ("6.16", &[29.0, 31.0])]);
        let answer = say(&records);
        assert_eq!(
            answer.text,
            "These runs show no difference between 6.12 (30 to 40) and 6.16 (29 to 31): \
             ranges overlap."
        );
        assert!(!answer.differs);
    }

    #[test]
    fn one_run_each_gives_figures_and_no_verdict() {
        let answer = say(&churn(&[("6.12", &[30.0]), ("6.17", &[1.0])]));
        assert!(!answer.differs);
        assert_eq!(answer.short, "one run each, not compared");
        assert_eq!(
            answer.text,
            "One run is not a range, so that these are figures without a verdict: 30 under 6.12 \
             and 1 under 6.17."
        );
    }

    #[test]
    fn none_against_some_is_no_factor() {
        let answer = say(&churn(&[("6.12", &[3.0, 4.0]), ("fixed", &[0.0, 0.0])]));
        assert!(
            answer
                .text
                .starts_with("On fsync-mix fixed created no workers, unlike 6.12 (0 against"),
            "{}",
            answer.text
        );
    }

    #[test]
    fn a_lost_event_or_counts_that_disagree_bar_any_statement_on_churn() {
        let mut records = churn(&[("6.12", &[30.0, 31.0]), ("6.17", &[1.0, 1.1])]);
        records[3].probe.events_lost = 1;
        assert!(say(&records).text.starts_with("No statement on churn"), "events were lost");
        records[3].probe.events_lost = 0;
        records[0].workers.created.proc = Some(0);
        assert!(!say(&records).text.starts_with("No statement"), "/proc only looks now and then");
        records[0].workers.created.engine = Some(0);
        assert!(say(&records).text.starts_with("No statement on churn"), "counts disagree");
    }
}
