//! Policies: a policy decides and does nothing, so it has no thread, lock, clock or output.

use super::{
    none,
    source::code,
    tree::{File, files},
};

const FORBIDDEN: [&str; 6] =
    ["std::thread", "Mutex", "Instant", "println", "crate::sync", "crate::clock"];

fn complaints(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files.iter().filter(|file| is_policy(&file.path)) {
        for (number, line) in code(file.text().unwrap_or_default()) {
            for word in FORBIDDEN.iter().filter(|word| line.contains(**word)) {
                complaints
                    .push(format!("{}:{number} has {word}, which a policy may not", file.path));
            }
        }
    }
    complaints
}

fn is_policy(path: &str) -> bool {
    path.starts_with("harness/pool/src/policy/") && path.ends_with(".rs")
}

#[test]
fn policies_only_decide() -> std::io::Result<()> {
    none(&complaints(&files()?));
    Ok(())
}

#[test]
fn a_policy_with_a_lock_or_a_clock_is_found() {
    for word in FORBIDDEN {
        let file = File::example("harness/pool/src/policy/bad.rs", &format!("//! Bad.\n{word}"));
        assert_eq!(complaints(&[file]).len(), 1, "{word}");
        let elsewhere = File::example("harness/pool/src/worker.rs", word);
        none(&complaints(&[elsewhere]));
    }
}
