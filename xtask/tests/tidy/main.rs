//! Tidy: the project's rules about its own tree, as tests. Every rule is a function from text to
//! complaints, and is itself tested on a small bad example: a rule that cannot fail is a defect.

mod cycles;
mod doors;
mod edges;
mod files;
mod licences;
mod links;
mod policy;
mod protocol;
mod source;
mod tree;

/// Fails with one complaint per line.
#[track_caller]
fn none(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}
