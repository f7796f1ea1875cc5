//! The layout of a trace event, from the text of its `format` file.
//!
//! A line describes a field: `field:pid_t pid; offset:8; size:4; signed:1;`. Offsets and sizes
//! differ between kernels, names hardly ever do.

/// Where a field is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Field {
    /// From the start of the event, in bytes.
    pub offset: u32,
    /// In bytes.
    pub size: u32,
}

/// Finds a field by name; `None` if the text has none of that name, or not a readable one.
#[must_use]
pub fn field(text: &str, name: &str) -> Option<Field> {
    text.lines().filter_map(parse_line).find(|(found, _)| *found == name).map(|(_, field)| field)
}

/// Name and place of the field that a line describes, if it does.
fn parse_line(line: &str) -> Option<(&str, Field)> {
    let mut parts = line.trim().split(';').map(str::trim);
    let declaration = parts.next()?.strip_prefix("field:")?;
    let offset = parts.next()?.strip_prefix("offset:")?.parse().ok()?;
    let size = parts.next()?.strip_prefix("size:")?.parse().ok()?;
    Some((declared_name(declaration)?, Field { offset, size }))
}

/// The name in a C declaration: `char comm[16]`, `unsigned long *flags`, `__data_loc char[] comm`.
fn declared_name(declaration: &str) -> Option<&str> {
    let last = declaration.split_whitespace().next_back()?;
    let name = last.split('[').next()?.trim_start_matches('*');
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEWTASK_6_1: &str = "name: task_newtask\nID: 117\nformat:\n\
        \tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n\
        \tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n\
        \tfield:pid_t pid;\toffset:8;\tsize:4;\tsigned:1;\n\
        \tfield:char comm[16];\toffset:12;\tsize:16;\tsigned:0;\n\
        \tfield:unsigned long clone_flags;\toffset:32;\tsize:8;\tsigned:0;\n\
        \tfield:short oom_score_adj;\toffset:40;\tsize:2;\tsigned:1;\n\n\
        print fmt: \"pid=%d comm=%s\", REC->pid, REC->comm\n";

    const RENAME_6_12: &str = "name: task_rename\nID: 118\nformat:\n\
        \tfield:pid_t pid;\toffset:8;\tsize:4;\tsigned:1;\n\
        \tfield:char oldcomm[16];\toffset:12;\tsize:16;\tsigned:0;\n\
        \tfield:char newcomm[16];\toffset:28;\tsize:16;\tsigned:0;\n";

    const EXIT_6_18: &str = "name: sched_process_exit\nID: 369\nformat:\n\
        \tfield:char comm[16];\toffset:8;\tsize:16;\tsigned:0;\n\
        \tfield:pid_t pid;\toffset:24;\tsize:4;\tsigned:1;\n\
        \tfield:bool group_dead;\toffset:32;\tsize:1;\tsigned:0;\n";

    #[test]
    fn fields_are_found_by_name_on_every_kernel() {
        let at = |offset, size| Some(Field { offset, size });
        assert_eq!(field(NEWTASK_6_1, "pid"), at(8, 4));
        assert_eq!(field(NEWTASK_6_1, "comm"), at(12, 16));
        assert_eq!(field(NEWTASK_6_1, "clone_flags"), at(32, 8));
        assert_eq!(field(RENAME_6_12, "newcomm"), at(28, 16));
        assert_eq!(field(EXIT_6_18, "pid"), at(24, 4));
        assert_eq!(field(EXIT_6_18, "group_dead"), at(32, 1));
    }

    #[test]
    fn a_name_is_matched_whole() {
        assert_eq!(field(NEWTASK_6_1, "common"), None);
        assert_eq!(field(RENAME_6_12, "comm"), None);
    }

    #[test]
    fn a_string_of_variable_length_shows_by_its_size() {
        let text = "\tfield:__data_loc char[] comm;\toffset:8;\tsize:4;\tsigned:0;\n";
        assert_eq!(field(text, "comm"), Some(Field { offset: 8, size: 4 }));
    }

    #[test]
    fn an_invalid_format_has_no_fields() {
        for text in
            ["", "field:", "field:;offset:;size:;", "\tfield:int a;\toffset:-1;\tsize:4;", "é;"]
        {
            assert_eq!(field(text, "a"), None, "{text:?}");
        }
    }
}
