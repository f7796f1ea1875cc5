//! The table of dumps: each kernel's control, the dump just after the close, and that after the idle
//! timeout.

use crate::kernels::dumps::Dumps;
use crate::kernels::dumps::case::Case;
use crate::kernels::page::mark::name;

/// What the kernels' dumps say, and a row per kernel and process.
pub(crate) struct Checkpoint {
    pub(crate) sentences: Vec<String>,
    pub(crate) rows: Vec<Row>,
}

pub(crate) struct Row {
    pub(crate) kernel: String,
    pub(crate) when: &'static str,
    pub(crate) workers: String,
    pub(crate) completed: String,
    pub(crate) failed: String,
    pub(crate) hung: String,
    pub(crate) said: String,
}

/// The table; none if no dump was tried.
pub(crate) fn checkpoint(dumps: &[Dumps]) -> Option<Checkpoint> {
    let rows = |one: &'_ Dumps| one.cases.iter().map(|case| row(one, case)).collect::<Vec<_>>();
    (!dumps.is_empty()).then(|| Checkpoint {
        sentences: dumps.iter().map(Dumps::sentence).collect(),
        rows: dumps.iter().flat_map(rows).collect(),
    })
}

fn row(of: &Dumps, case: &Case) -> Row {
    let boots = |boots: u32| format!("{boots}\u{a0}of\u{a0}{}", case.tried);
    Row {
        kernel: name(&of.kernel),
        when: case.when.words(),
        workers: case.workers_text(),
        completed: boots(case.dumped),
        // A dump that had no process to take failed too.
        failed: boots(case.failed + case.not_begun),
        hung: boots(case.hung),
        said: case.said.clone(),
    }
}

#[cfg(test)]
mod tests {
    use iowq_contract::guest::{Control, Dump};
    use iowq_sample as sample;

    use super::*;
    use crate::kernels::dumps::dumps;

    #[test]
    fn each_kernel_has_a_row_for_its_control_and_for_each_dump_that_was_tried() {
        let (kernels, mut boots, _) = sample::kernels(2);
        assert!(checkpoint(&dumps(&kernels, &boots)).is_none());
        boots[0].dump = Some(Dump {
            dumped: false,
            took_ms: 900.0,
            workers: 20,
            reason: "no signals".to_owned(),
            control: Some(Control { dumped: true, took_ms: 1.0, reason: String::new() }),
            after_timeout: None,
            criu: None,
        });
        let found = checkpoint(&dumps(&kernels, &boots)).expect("a dump was tried");
        let rows: Vec<_> =
            found.rows.iter().map(|row| (row.when, &row.workers[..], &row.failed[..])).collect();
        let control = ("control, without a ring", "", "0\u{a0}of\u{a0}1");
        assert_eq!(rows, [control, ("just after the close", "20", "1\u{a0}of\u{a0}1")]);
        assert_eq!(found.sentences.len(), 1);
    }
}
