//! How ops arrive, and what their response times can show for that reason.

use iowq_contract::Record;

use crate::format;
use crate::runs::group::Section;

/// Workloads that are named one by one.
const NAMES_MAX: usize = 6;

/// Who decides when an op starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// The submitter, once a place is free.
    Closed,
    /// A schedule that waits for nothing.
    Open,
}

impl Arrival {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Closed, Self::Open];

    /// Of a section; none if its runs differ or an import does not say.
    pub fn of(section: &Section<'_>) -> Option<Self> {
        let mut all = section.records().map(of_record);
        let first = all.next()?;
        first.filter(|_| all.all(|other| other == first))
    }

    /// What its response times count, and what they cannot show.
    pub fn words(self) -> &'static str {
        match self {
            Self::Closed => {
                "Closed loop: an op counts from when the submitter turns to it. One that is held \
                 back while the submitter makes a worker, or waits, does not count until then \
                 (coordinated omission): these response times are a lower bound on what ops that \
                 arrive by themselves would see."
            }
            Self::Open => {
                "Open loop: an op counts from when it was due, so time that it was held back in, by \
                 the submitter or by slow ops before it, is part of its response time."
            }
        }
    }

    /// Where response time begins.
    pub fn begin(self) -> &'static str {
        match self {
            Self::Closed => "from when the submitter turned to an op",
            Self::Open => "from when an op was due",
        }
    }
}

fn of_record(record: &Record) -> Option<Arrival> {
    let starts = |with: &str| record.settings.arrival.starts_with(with);
    match (starts("closed loop"), starts("open loop")) {
        (true, _) => Some(Arrival::Closed),
        (_, true) => Some(Arrival::Open),
        _ => None,
    }
}

/// The words for all sections, each once, with the workloads that it is about if not all are.
pub fn words(sections: &[Section<'_>]) -> Vec<String> {
    let of = |arrival: Arrival| {
        let are = sections.iter().filter(|section| Arrival::of(section) == Some(arrival));
        let names: Vec<String> = are.map(|section| format::clip(section.workload, 40)).collect();
        let scope = match names.len() {
            0 => return None,
            number if number == sections.len() => String::new(),
            1..=NAMES_MAX => format!("{}. ", format::list(&names)),
            number => format!("{number} workloads. "),
        };
        Some(format!("{scope}{}", arrival.words()))
    };
    Arrival::ALL.into_iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::runs::group;

    fn runs(arrivals: &[&str]) -> Vec<Record> {
        let run = |(at, arrival): (usize, &&str)| {
            let mut run = sample::run(["dsync", "nop"][at % 2], "6.12", 0);
            (*arrival).clone_into(&mut run.settings.arrival);
            run
        };
        arrivals.iter().enumerate().map(run).collect()
    }

    fn said(arrivals: &[&str]) -> Vec<String> {
        words(&group::sections(&runs(arrivals)))
    }

    #[test]
    fn a_closed_loop_says_that_held_back_ops_do_not_count_and_an_open_one_that_they_do() {
        let closed = said(&["closed loop, 2 ms pause per round", "closed loop"]);
        assert_eq!(closed, [Arrival::Closed.words()]);
        let both = said(&["closed loop", "open loop, 500 ops/s evenly"]);
        assert!(both[0].starts_with("dsync. Closed loop") && both[0].contains("lower bound"));
        assert!(both[1].starts_with("nop. Open loop"), "{both:?}");
    }

    #[test]
    fn what_is_not_known_of_all_runs_of_a_workload_is_not_said() {
        assert!(said(&["at the rate that fio was given"]).is_empty());
        assert!(said(&["closed loop", "", "open loop, 5 ops/s evenly"]).is_empty());
    }
}
