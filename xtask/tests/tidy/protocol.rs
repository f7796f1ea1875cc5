//! The protocol: the pool's README names every state of a worker and every field of the pool's
//! state, so that the text cannot fall behind the code.

use super::{
    none,
    source::has_word,
    tree::{File, file, files},
};

const README: &str = "harness/pool/README.md";

/// The types that the README has to explain.
const TYPES: [&str; 2] = ["enum WorkerState", "struct State"];

/// The complaints about the pool's files; a type that is not found is one.
fn complaints(files: &[File], readme: &str) -> Vec<String> {
    let pool = files.iter().filter(|file| file.path.starts_with("harness/pool/src/"));
    let pool: Vec<_> = pool.filter(|file| file.is_rust()).filter_map(File::text).collect();
    if pool.is_empty() {
        return Vec::new();
    }
    let mut complaints = Vec::new();
    for name in TYPES {
        let Some(members) = pool.iter().find_map(|text| members(text, name)) else {
            complaints.push(format!("no `pub {name}` in harness/pool/src"));
            continue;
        };
        let absent = members.iter().filter(|member| !has_word(readme, member));
        complaints
            .extend(absent.map(|member| format!("{README} does not name {member} of {name}")));
    }
    complaints
}

/// The variants of an enum, or the fields of a struct, as rustfmt lays them out.
fn members<'a>(text: &'a str, name: &str) -> Option<Vec<&'a str>> {
    let opens = |line: &&str| {
        let head = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub "));
        let rest = head.and_then(|head| head.strip_prefix(name));
        rest.is_some_and(|rest| rest.ends_with('{') && !rest.starts_with(char::is_alphanumeric))
    };
    let mut lines = text.lines().skip_while(|line| !opens(line));
    lines.next()?;
    let body = lines.take_while(|line| *line != "}");
    // Four blanks and no more: deeper lines belong to a variant's own fields.
    let own = body.filter_map(|line| line.strip_prefix("    "));
    let own = own.filter(|line| line.starts_with(|c: char| c.is_ascii_alphabetic()));
    Some(own.filter_map(member).collect())
}

fn member(line: &str) -> Option<&str> {
    let line = match line.strip_prefix("pub") {
        Some(rest) if rest.starts_with('(') => rest.split_once(") ")?.1,
        Some(rest) if rest.starts_with(' ') => rest.trim_start(),
        _ => line,
    };
    line.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

#[test]
fn the_pools_readme_names_all_its_states_and_counters() -> std::io::Result<()> {
    none(&complaints(&files()?, &file(README)?.unwrap_or_default()));
    Ok(())
}

const EXAMPLE: &str = "\
pub enum WorkerState {
    /// Waits.
    Idle,
    Busy { since: u64 },
    Gone {
        at: u64,
    },
}

pub struct State {
    /// How many.
    pub running: u32,
    pub(super) free_list: Vec<usize>,
    stalled: bool,
}
";

#[test]
fn variants_and_fields_are_read_from_the_source() {
    assert_eq!(members(EXAMPLE, TYPES[0]), Some(vec!["Idle", "Busy", "Gone"]));
    assert_eq!(members(EXAMPLE, TYPES[1]), Some(vec!["running", "free_list", "stalled"]));
    assert_eq!(members("pub struct Statement {\n}\n", TYPES[1]), None);
}

#[test]
fn a_state_or_a_field_that_the_readme_leaves_out_is_found() {
    let files = [File::example("harness/pool/src/state.rs", EXAMPLE)];
    let whole = "Idle Busy Gone running free_list stalled";
    none(&complaints(&files, whole));
    assert_eq!(complaints(&files, "Idle Busy Gone running free_list").len(), 1);
    assert_eq!(complaints(&files, "").len(), 6, "a README that is not there lacks everything");
}

#[test]
fn a_type_that_moved_or_was_renamed_is_found() {
    let files = [File::example("harness/pool/src/state.rs", "pub struct Other {\n}\n")];
    assert_eq!(complaints(&files, "").len(), TYPES.len());
}
