//! Dispatch: which ops were done by the submitter and which were queued how, kernel against preset.

use iowq_contract::DispatchCounts;

use crate::runs::dispatch;
use crate::runs::group::Group;

/// The ways, in the order of shares.
pub const WAYS: [&str; 4] = ["inline", "hashed", "unhashed", "linked"];

/// Shares agree up to so many percentage points apart.
pub const GAP_MAX: f64 = 1.0;

/// Shares in percent, in the order of [`WAYS`].
pub type Shares = [f64; WAYS.len()];

/// How ops of one kind were dispatched.
#[derive(Clone, Debug, PartialEq)]
pub struct Dispatch {
    /// Kind of op.
    pub kind: String,
    /// By the kernel.
    pub kernel: Shares,
    /// By the expected preset.
    pub preset: Shares,
}

impl Dispatch {
    /// The greatest difference of a way, in percentage points.
    pub fn gap(&self) -> f64 {
        self.kernel.iter().zip(self.preset).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    /// Whether no way differs by more than [`GAP_MAX`].
    pub fn agrees(&self) -> bool {
        // What rounding of floats adds is no difference.
        self.gap() <= GAP_MAX + 1e-9
    }
}

/// The kinds of op that both saw, in order of their names.
pub(crate) fn of(kernel: &Group<'_>, preset: &Group<'_>) -> Vec<Dispatch> {
    let mut kinds: Vec<&String> = kernel.runs.iter().flat_map(|run| run.dispatch.keys()).collect();
    kinds.sort();
    kinds.dedup();
    let both = |kind: &String| {
        let shares = |group: &Group<'_>| shares(dispatch::dispatch(kind, &group.runs)?);
        let (kernel, preset) = (shares(kernel)?, shares(preset)?);
        Some(Dispatch { kind: kind.clone(), kernel, preset })
    };
    kinds.into_iter().filter_map(both).collect()
}

fn shares(dispatch: DispatchCounts) -> Option<Shares> {
    let DispatchCounts { inline, hashed, unhashed, linked } = dispatch;
    let counts = [inline, hashed, unhashed, linked].map(|count| count as f64);
    let all: f64 = counts.iter().sum();
    (all > 0.0).then(|| counts.map(|count| count * 100.0 / all))
}

#[cfg(test)]
mod tests {
    use iowq_sample as sample;

    use super::*;
    use crate::runs::group;

    fn dispatch(kernel: Shares, preset: Shares) -> Dispatch {
        Dispatch { kind: "write".to_owned(), kernel, preset }
    }

    #[test]
    fn shares_agree_up_to_one_percentage_point() {
        let rows = [(99.0, true), (98.9, false), (100.0, true), (0.0, false)];
        for (hashed, agrees) in rows {
            let ours = [0.0, hashed, 100.0 - hashed, 0.0];
            assert_eq!(dispatch([0.0, 100.0, 0.0, 0.0], ours).agrees(), agrees, "{hashed}");
        }
    }

    #[test]
    fn shares_are_of_all_runs_and_kinds_that_one_arm_did_not_see_are_left_out() {
        let with = |mut record: iowq_contract::Record, kind: &str, inline, hashed| {
            let dispatch = DispatchCounts { inline, hashed, ..DispatchCounts::default() };
            record.dispatch.insert(kind.to_owned(), dispatch);
            record
        };
        let records = [
            with(sample::kernel_run("nop", 0), "write", 30, 10),
            with(with(sample::kernel_run("nop", 1), "write", 0, 0), "read", 5, 0),
            with(with(sample::run("nop", "6.17", 0), "write", 50, 50), "read", 0, 0),
        ];
        let sections = group::sections(&records);
        let [ours, kernel] = sections[0].groups.as_slice() else { panic!("there are two") };
        let kernels = [75.0, 25.0, 0.0, 0.0];
        assert_eq!(of(kernel, ours), [dispatch(kernels, [50.0, 50.0, 0.0, 0.0])]);
    }
}
