//! `kernels`: boots kernels in turn, has each run the same workloads, and says what changed.

use std::path::Path;

use iowq_contract::{BOOTS_NAME, KERNELS_NAME, Variant, Workload};
use iowq_kernels::job::{WARM_UP_SECONDS, Workloads};
use iowq_kernels::options::Options;
use iowq_kernels::run::{self, Setup, Tally};
use iowq_pool::policy::Registry;
use iowq_reports::output::{self, KernelsCompared, KernelsRequest};
use iowq_workloads::Engines;

use crate::exit::Exit;
use crate::flags::VerdictFormat;
use crate::flags::bench::{engines, workloads};
use crate::flags::compare::JudgingFlags;
use crate::flags::kernels::KernelsFlags;
use crate::flags::settings;
use crate::flags::variants::refuse_idle_timeout;
use crate::print::{note, print};
use crate::{folders, measuring_program};

/// The workload that warms a guest up.
const WARM_UP: &str = "fsync-mix";

/// Runs the command.
pub(crate) fn run(flags: &KernelsFlags, registry: &Registry) -> anyhow::Result<Exit> {
    flags.boots.check()?;
    let options = &flags.boots;
    let out = options.out.clone().unwrap_or_else(|| folders::by_time("kernels"));
    let guest = match &flags.guest {
        Some(guest) => guest.clone(),
        None => measuring_program(registry)?.path().to_owned(),
    };
    let one = |name: &str, seconds| -> anyhow::Result<Workload> {
        let mut workloads = workloads(&[name.into()], Engines::IoUring, Some(seconds), &[])?;
        Ok(workloads.remove(0))
    };
    let sets = settings::combinations(&options.set)?;
    settings::refuse_set_twice(&sets, options.seconds.is_some(), false)?;
    refuse_idle_timeout(&sets)?;
    let variants: Vec<Variant> = sets.iter().map(|set| Variant::kernel().with(set)).collect();
    let setup = Setup {
        workloads: Workloads {
            workloads: workloads(
                &options.workload,
                engines(options.as_io_uring),
                options.seconds,
                &variants,
            )?,
            sets,
            warm_up: one(WARM_UP, WARM_UP_SECONDS)?,
            presets: registry.presets().iter().map(|preset| preset.name.to_owned()).collect(),
        },
        guest,
        cache: options.cache.clone().unwrap_or_else(folders::kernel_builds),
        command: command(),
        out,
    };
    let first = judged(flags, options, &setup, None)?;
    if !flags.confirm || first.exit != Exit::Regression {
        print(&first.shown(flags.judging, Some(&setup.out)))?;
        return Ok(first.exit);
    }
    note(&first.shown(flags.judging, Some(&setup.out)));
    let rerun = Setup { out: setup.out.join(folders::CONFIRM), ..setup.clone() };
    let boots = boot(&options.rerun(), &rerun)?;
    let confirmed = judged_boots(flags, &setup.out, &rerun.out, Some(&rerun.out), boots)?;
    print(&confirmed.shown(flags.judging, Some(&rerun.out)))?;
    Ok(confirmed.exit)
}

/// Judges boots that were made before, in a folder of them.
pub(crate) fn judge(
    dir: &Path,
    confirmed_by: Option<&Path>,
    judging: JudgingFlags,
    out: Option<&Path>,
) -> anyhow::Result<Exit> {
    let request = KernelsRequest { dir, confirmed_by, rules: judging.rules(), out };
    let compared = output::kernels(&request)?;
    let exit = Exit::of(compared.exit_code);
    print(&Judged { compared: Some(compared), exit }.shown(judging, out))?;
    Ok(exit)
}

/// Whether this is a folder of boots.
pub(crate) fn is_of_boots(dir: &Path) -> bool {
    dir.join(KERNELS_NAME).exists()
}

/// A comparison of boots, and what a script learns.
struct Judged {
    compared: Option<KernelsCompared>,
    exit: Exit,
}

impl Judged {
    fn shown(&self, judging: JudgingFlags, out: Option<&Path>) -> String {
        let Some(compared) = &self.compared else { return String::new() };
        match judging.format {
            VerdictFormat::Text => {
                let page = out.map(|out| out.join(output::PAGE_NAME));
                let page = page.map(|page| format!("\nreport   {}\n", page.display()));
                compared.text.clone() + &page.unwrap_or_default()
            }
            VerdictFormat::Json => compared.json.clone(),
            VerdictFormat::Ktap => compared.ktap.clone(),
        }
    }
}

fn judged(
    flags: &KernelsFlags,
    options: &Options,
    setup: &Setup,
    confirmed_by: Option<&Path>,
) -> anyhow::Result<Judged> {
    let boots = boot(options, setup)?;
    judged_boots(flags, &setup.out, &setup.out, confirmed_by, boots)
}

/// Boots; what failed counts as trouble, and boots that finished are still compared.
fn boot(options: &Options, setup: &Setup) -> anyhow::Result<Exit> {
    let ended = run::run(options, setup);
    let recorded = setup.out.join(BOOTS_NAME).metadata().is_ok_and(|file| file.len() > 0);
    match ended {
        Ok(Tally { failed: 0, .. }) => Ok(Exit::Fine),
        Ok(Tally { done, failed }) => {
            let out = setup.out.display();
            note(&format!("error: {failed} of {done} boots failed; what is there is in {out}"));
            Ok(Exit::Trouble)
        }
        Err(error) if recorded => {
            note(&format!("error: {error:#}"));
            Ok(Exit::Trouble)
        }
        Err(error) => Err(error),
    }
}

fn judged_boots(
    flags: &KernelsFlags,
    dir: &Path,
    out: &Path,
    confirmed_by: Option<&Path>,
    boots: Exit,
) -> anyhow::Result<Judged> {
    let request =
        KernelsRequest { dir, confirmed_by, rules: flags.judging.rules(), out: Some(out) };
    match output::kernels(&request) {
        Ok(compared) => {
            let exit = boots.max(Exit::of(compared.exit_code));
            Ok(Judged { compared: Some(compared), exit })
        }
        // Too little was recorded, and why was said.
        Err(error) if boots == Exit::Trouble => {
            note(&format!("error: {error}"));
            Ok(Judged { compared: None, exit: boots })
        }
        Err(error) => Err(error.into()),
    }
}

/// What a person would type to do it again.
fn command() -> String {
    let quoted = |word: String| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
        if !word.is_empty() && word.chars().all(plain) {
            return word;
        }
        format!("'{}'", word.replace('\'', r"'\''"))
    };
    let words = std::env::args_os().skip(1).map(|word| quoted(word.to_string_lossy().into_owned()));
    ["iowq".to_owned()].into_iter().chain(words).collect::<Vec<_>>().join(" ")
}
