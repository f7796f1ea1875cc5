//! Answers: what the runs of a section say, in plain sentences, and no more than they say.

use crate::bench::ranges::Finding;
use crate::bench::topic::{POLICIES_MAX, TOPICS, Topic};
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
    let base_policy = section.groups[base_at].variant.as_ref();
    let Some(base) = section.groups[base_at].figures.of(topic.metric) else {
        return silent("no statement", format!("{base_policy}: {}.", topic.missing));
    };
    let found = ranges::against_base(section, base_at, topic.metric);
    if found.is_empty() {
        let text = format!("{base_policy} alone: {}.", range(topic.metric, &base));
        return silent(&topic.metric.show(base.median), text);
    }
    let with = |finding| -> Vec<(&str, Spread)> {
        let with = found.iter().filter(|one| one.finding == finding);
        with.filter_map(|one| Some((one.policy, one.test?))).collect()
    };
    let [apart, overlap, single] = [Finding::Apart, Finding::Overlap, Finding::Single].map(with);
    let missing = found.iter().filter(|one| one.finding == Finding::Missing);
    let missing: Vec<String> = missing.map(|one| one.policy.to_owned()).collect();
    let writer = Writer { section, topic, base_policy, base };
    let mut sentences = writer.apart(&apart);
    sentences.extend(writer.overlap(&overlap));
    sentences.extend(writer.single(&single));
    if !missing.is_empty() {
        sentences.push(format!("{}: {}.", format::first_of(missing, POLICIES_MAX), topic.missing));
    }
    let text = sentences.join(" ");
    if let Some((widest, test)) = writer.widest(&apart) {
        let short = format!("{} under {widest}", topic.differs_briefly(base.median, test.median));
        return Answer { short, differs: true, ..silent("", text) };
    }
    // However far apart two single runs are, a busy moment can do that.
    let short = match (overlap.is_empty(), single.is_empty()) {
        (false, _) => "no difference shown",
        (true, false) => "one run each, not compared",
        (true, true) => "no statement",
    };
    silent(short, text)
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
    /// The policy to name first: the farthest, or the first in order whose range cannot be told
    /// from that one's.
    fn widest<'p>(&self, apart: &[(&'p str, Spread)]) -> Option<(&'p str, Spread)> {
        let distance = |test: &Spread| {
            let (more, less) =
                (test.median.max(self.base.median), test.median.min(self.base.median));
            if less > 0.0 { more / less } else { f64::INFINITY }
        };
        let all = || apart.iter().copied();
        let farthest = all()
            .reduce(|best, next| if distance(&best.1) < distance(&next.1) { next } else { best })?;
        all().find(|one| one.1.overlaps(&farthest.1))
    }

    /// One full sentence on the widest difference, then the others briefly.
    fn apart(&self, apart: &[(&str, Spread)]) -> Vec<String> {
        let Some((widest, test)) = self.widest(apart) else {
            return Vec::new();
        };
        let comma = if self.section.host.is_some() { "," } else { "" };
        let mut sentences = vec![format!(
            "On {}{comma} {widest} {} {} ({} against {}; {}, ranges do not overlap).",
            self.section.title(),
            self.topic.differs(self.base.median, test.median),
            self.base_policy,
            self.topic.metric.show(test.median),
            self.topic.metric.show(self.base.median),
            self.runs(&test),
        )];
        let other = |(policy, test): &(&str, Spread)| {
            let briefly = self.topic.differs_briefly(self.base.median, test.median);
            format!("{policy} {briefly} ({})", self.topic.metric.show(test.median))
        };
        let others = apart.iter().filter(|(policy, _)| *policy != widest);
        let others: Vec<String> = others.map(other).collect();
        if !others.is_empty() {
            let others = format::first_of(others, POLICIES_MAX);
            sentences.push(format!("Also apart from {}: {others}.", self.base_policy));
        }
        sentences
    }

    fn runs(&self, test: &Spread) -> String {
        if test.runs == self.base.runs {
            format!("{} each", format::count(test.runs as u64, "run", "runs"))
        } else {
            format!("{} and {} runs", test.runs, self.base.runs)
        }
    }

    fn overlap(&self, overlap: &[(&str, Spread)]) -> Option<String> {
        let show = |value| self.topic.metric.show(value);
        let ends = |one: &Spread| format!("({} to {})", show(one.least), show(one.most));
        let same = overlap.iter().map(|(policy, test)| format!("{policy} {}", ends(test)));
        let same: Vec<String> = same.collect();
        let base = format!("{} {}", self.base_policy, ends(&self.base));
        (!same.is_empty()).then(|| {
            let same = format::first_of(same, POLICIES_MAX);
            format!("These runs show no difference between {base} and {same}: ranges overlap.")
        })
    }

    fn single(&self, single: &[(&str, Spread)]) -> Option<String> {
        let base = (self.base_policy, self.base);
        let all = std::iter::once(&base).chain(single);
        let figures: Vec<String> = all
            .map(|(policy, one)| format!("{} under {policy}", self.topic.metric.show(one.median)))
            .collect();
        (!single.is_empty()).then(|| {
            let figures = format::first_of(figures, POLICIES_MAX);
            format!(
                "One run is not a range, so that these are figures without a verdict: {figures}."
            )
        })
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
