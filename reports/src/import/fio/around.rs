//! The report in a text of fio, and what is around it: messages, errors, and its other formats.

use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::format::{clip, count};
use crate::import::fio::json::Output;

/// How to get a report.
const HINT: &str = "write it with fio --output-format=json+ --output=FILE";

/// Lines around a report that are quoted, and characters of each.
const LINES_MAX: usize = 3;
const LINE_CHARS_MAX: usize = 120;

/// What fio says of itself begins so.
const MESSAGE: &str = "fio: ";

/// What it says when a signal ends it; the number follows.
const TERMINATING: &str = "fio: terminating on signal ";

/// A report and what else the text has.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) output: Output,
    /// That something was skipped, and what.
    pub(super) note: Option<String>,
    /// The signal that ended fio, if it says so.
    pub(super) signal: Option<u32>,
}

/// Whether an object is a report.
#[derive(Deserialize)]
struct Version {
    #[serde(default, rename = "fio version")]
    version: Option<IgnoredAny>,
}

/// The only report in a text.
///
/// # Errors
///
/// None, several, or one that is cut off or has other fields than fio writes.
pub(super) fn find(text: &[u8]) -> Result<Found, String> {
    let (mut reports, mut problem, mut from) = (Vec::new(), None, 0);
    while let Some(at) = next_object(text, from) {
        let mut objects = serde_json::Deserializer::from_slice(&text[at..]).into_iter::<Version>();
        from = at + 1;
        match objects.next() {
            Some(Ok(object)) => {
                from = at + objects.byte_offset();
                if object.version.is_some() {
                    reports.push(at..from);
                } else {
                    let missing = "not of fio: missing field `fio version`";
                    problem.get_or_insert_with(|| format!("{missing}: {HINT}"));
                }
            }
            Some(Err(error)) => _ = problem.get_or_insert_with(|| not_json(&error)),
            None => {}
        }
    }
    match reports.as_slice() {
        [] => Err(problem.unwrap_or_else(|| format!("not JSON: no object in it: {HINT}"))),
        [report] => {
            let mut around = lines(&text[..report.start]);
            around.extend(lines(&text[report.end..]));
            let signal = around.iter().find_map(|line| signal(line));
            Ok(Found { output: parse(&text[report.clone()])?, note: note(&around), signal })
        }
        _ => Err(format!(
            "it holds {} reports, and import takes one from each file: run fio without \
             --status-interval, or write each run into a file of its own",
            reports.len()
        )),
    }
}

/// Where the next line begins with an object, as all that fio writes do.
fn next_object(text: &[u8], from: usize) -> Option<usize> {
    let is_first = |at: usize| at == 0 || text.get(at - 1) == Some(&b'\n');
    let bytes = text.iter().enumerate().skip(from);
    bytes.filter(|(_, byte)| **byte == b'{').map(|(at, _)| at).find(|at| is_first(*at))
}

fn parse(report: &[u8]) -> Result<Output, String> {
    let mut input = serde_json::Deserializer::from_slice(report);
    serde_path_to_error::deserialize(&mut input).map_err(|error| {
        let (path, inner) = (error.path().to_string(), error.inner());
        match path.as_str() {
            "." => format!("not of fio: {inner}: {HINT}"),
            _ => format!("{path}: {inner}"),
        }
    })
}

fn not_json(error: &serde_json::Error) -> String {
    let cut_off = if error.is_eof() { ", so that the report is cut off" } else { "" };
    format!("not JSON: {error}{cut_off}: {HINT}")
}

fn lines(text: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| clip(line, LINE_CHARS_MAX)).collect()
}

/// Messages first: they say more than a report of another format.
fn note(around: &[String]) -> Option<String> {
    let said = |line: &&String| line.starts_with(MESSAGE);
    let messages = around.iter().filter(said);
    let shown = messages.chain(around.iter().filter(|line| !said(line))).take(LINES_MAX);
    let shown: Vec<String> = shown.map(|line| format!("{line:?}")).collect();
    let more = if around.len() > LINES_MAX { ", …" } else { "" };
    let lines = count(around.len() as u64, "line", "lines");
    (!around.is_empty())
        .then(|| format!("skipped {lines} around the report of fio: {}{more}", shown.join(", ")))
}

fn signal(line: &str) -> Option<u32> {
    line.strip_prefix(TERMINATING)?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "{\n  \"fio version\" : \"fio-3.33\",\n  \"jobs\" : []\n}\n";

    #[test]
    fn messages_around_a_report_are_skipped_and_said() {
        let text =
            format!("a {{brace}}\n{{\nfio: terminating on signal 2\n\n{REPORT}\nRun status\n");
        let found = find(text.as_bytes()).expect("there is a report");
        assert_eq!((found.output.version.as_str(), found.signal), ("fio-3.33", Some(2)));
        let note = found.note.expect("something was skipped");
        let expected = "skipped 4 lines around the report of fio: \"fio: terminating on signal 2\", \
                        \"a {brace}\", \"{\", …";
        assert_eq!(note, expected);
        assert!(find(REPORT.as_bytes()).expect("there is a report").note.is_none());
    }

    #[test]
    fn what_holds_no_report_or_several_is_refused_with_a_way_out() {
        let rows = [
            (String::new(), "no object in it"),
            ("fio: job startup failed\n".to_owned(), "no object in it"),
            ("{}\n".to_owned(), "missing field `fio version`"),
            (REPORT[..40].to_owned(), "so that the report is cut off"),
            (REPORT.repeat(2), "it holds 2 reports"),
            (REPORT.replace("[]", "7"), "jobs: invalid type"),
        ];
        for (text, words) in rows {
            let problem = find(text.as_bytes()).expect_err("it was taken");
            assert!(problem.contains(words), "{problem}");
        }
    }
}
