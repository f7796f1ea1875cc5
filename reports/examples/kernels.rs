//! Writes a folder of made-up boots, as `iowq-report kernels` reads it: to look at its page without
//! booting anything.
//!
//! `kernels DIR [ROUNDS]`; two boots of the last kernel hang.

use std::error::Error;
use std::fs;
use std::path::Path;

use iowq_contract::{BOOTS_NAME, Boot, Ended, KERNELS_NAME};
use iowq_reports::load::RECORD_NAME;
use iowq_sample as sample;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (dir, rounds) = match arguments.as_slice() {
        [dir] => (dir, 8),
        [dir, rounds] => (dir, rounds.parse()?),
        _ => return Err("kernels DIR [ROUNDS]".into()),
    };
    let (kernels, mut boots, mut records) = sample::kernels(rounds);
    let hung: Vec<u32> = boots
        .iter_mut()
        .filter(|boot| boot.kernel == "B" && [2, 5].contains(&boot.round))
        .map(hang)
        .collect();
    records.retain(|run| run.key.boot.as_ref().is_none_or(|boot| !hung.contains(&boot.number)));
    let dir = Path::new(dir);
    fs::create_dir_all(dir)?;
    fs::write(dir.join(KERNELS_NAME), serde_json::to_string_pretty(&kernels)?)?;
    let lines: Result<Vec<String>, _> = boots.iter().map(serde_json::to_string).collect();
    fs::write(dir.join(BOOTS_NAME), lines?.join("\n") + "\n")?;
    fs::write(dir.join(RECORD_NAME), sample::lines(&records))?;
    Ok(())
}

fn hang(boot: &mut Boot) -> u32 {
    boot.ended = Ended::Hung;
    boot.reason = "no message for 60 s while paced ran".to_owned();
    boot.runs = 0;
    boot.console_tail = ["[    2.104] random: crng init done", "[    2.330] iowq: guest is up"]
        .map(str::to_owned)
        .into();
    boot.number
}
