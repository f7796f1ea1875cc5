//! The documents: every file that they link to exists.

use std::path::Path;

use super::{
    none,
    tree::{File, files, top},
};

/// The files of this tree that a text links to.
fn links(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
    let targets = targets.map(|(target, _)| target.split('#').next().unwrap_or_default());
    targets.filter(|target| !target.is_empty() && !target.contains("://"))
}

fn complaints(path: &str, text: &str) -> Vec<String> {
    let folder = top().join(Path::new(path).parent().unwrap_or(Path::new("")));
    let missing = links(text).filter(|target| !folder.join(target).exists());
    missing.map(|target| format!("{path} links to {target}, which is not there")).collect()
}

fn is_document(file: &File) -> bool {
    file.path.ends_with(".md")
}

#[test]
fn the_files_that_documents_link_to_exist() -> std::io::Result<()> {
    let mut found = Vec::new();
    for document in files()?.iter().filter(|file| is_document(file)) {
        found.extend(complaints(&document.path, document.text().unwrap_or_default()));
    }
    none(&found);
    Ok(())
}

#[test]
fn a_link_to_a_file_that_is_not_there_is_found() {
    assert_eq!(complaints("docs/x.md", "[a](../README.mdx) [b](#c) [d](../README.md#e)").len(), 1);
    none(&complaints("README.md", "[a](docs) [b](scheme://x)"));
}
