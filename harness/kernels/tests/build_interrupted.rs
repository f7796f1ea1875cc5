//! A build that is interrupted. It is a process of its own, because a signal is for all of it.

mod alive;

use std::fs;
use std::io::Write as _;
use std::path::Path;

use iowq_kernels::from_source::{BuildError, Request, build};
use iowq_kernels::stop::{Stop, Stopped};

use alive::is_alive;

/// While the file `go` is absent, what builds the image interrupts the build, writes its own
/// number down, and goes on for ever. The parent of make is the process that builds.
const MAKEFILE: &str = "\
allnoconfig:
\tcp $(KCONFIG_ALLCONFIG) $(O)/.config
bzImage:
\tmkdir -p $(O)/arch/x86/boot $(O)/include/config
\ttest -e go || { echo $$$$ > $(O)/worker; \\
\t  kill -INT $$(cut -d' ' -f4 /proc/$$PPID/stat); while :; do sleep 60; done; }
\techo image > $(O)/arch/x86/boot/bzImage
\techo 6.12.0-fake > $(O)/include/config/kernel.release
";

#[test]
fn an_interrupt_ends_make_with_all_its_children_and_leaves_the_cache_usable() {
    let folder = tempfile::tempdir().expect("a folder");
    let linux = folder.path().join("linux");
    fs::create_dir(&linux).expect("a folder");
    fs::write(linux.join("Makefile"), MAKEFILE).expect("written");
    fs::write(linux.join("Kconfig"), "").expect("written");
    let request = Request {
        source: linux.clone(),
        patches: Vec::new(),
        aids: Vec::new(),
        cache: folder.path().join("cache"),
        jobs: 1,
        config: None,
    };
    let stop = Stop::on_signals().expect("signals are watched");
    let error = build(&request, &stop, &mut |_| {}).expect_err("it is interrupted");
    if matches!(error.downcast_ref(), Some(BuildError::Tools(_))) {
        let line = format!("\nskipped: an_interrupt_ends_make: {error}\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
        return;
    }
    assert!(error.is::<Stopped>(), "not interrupted: {error:?}");
    assert!(!is_alive(&worker(&request.cache)), "what make had started goes on");
    fs::write(linux.join("go"), "").expect("written");
    let built = build(&request, &Stop::default(), &mut |_| {}).expect("not interrupted");
    assert_eq!(fs::read_to_string(&built[0].bzimage).expect("an image"), "image\n");
}

/// The number of the process that stands for a compiler.
fn worker(cache: &Path) -> String {
    let mut sources = fs::read_dir(cache.join("sources")).expect("sources");
    let source = sources.next().expect("one").expect("an entry").path();
    fs::read_to_string(source.join("objects/worker")).expect("a number").trim().to_owned()
}
