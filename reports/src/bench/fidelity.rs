//! Like the kernel: which preset comes nearest to io_uring on one workload, as an answer.

use crate::bench::answer::Answer;
use crate::fidelity::variants::{Counts, Variant, Variants};
use crate::format;
use crate::runs::group::{Group, Section};

/// The answers, one for each value that was set for the kernel, if it and a preset finished a run.
pub(crate) fn answers(section: &Section<'_>) -> Vec<Answer> {
    let kernels = section.groups.iter().filter(|one| one.is_kernel() && !one.runs.is_empty());
    kernels.filter_map(|kernel| answer(section, kernel)).collect()
}

fn answer(section: &Section<'_>, kernel: &Group<'_>) -> Option<Answer> {
    let of_preset = |one: &&Group<'_>| one.is_preset() && !one.runs.is_empty();
    let finished = section.groups.iter().filter(of_preset).filter(|one| one.set == kernel.set);
    let presets: Vec<&str> = finished.map(|group| group.policy).collect();
    if presets.is_empty() {
        return None;
    }
    let with = if kernel.set.is_empty() { String::new() } else { format!("With {}: ", kernel.set) };
    let answer = |short: &str, text: String, differs| Answer {
        topic: "Like the kernel",
        short: format!("{with}{short}"),
        text: format!("{with}{text}"),
        differs,
    };
    match Variants::beside(kernel, section, &presets) {
        Ok(variants) => {
            let nearest = variants.nearest(&[])?;
            Some(answer(nearest.preset, text(&variants, &nearest), true))
        }
        Err(reason) => Some(answer("no statement", format!("No statement: {reason}."), false)),
    }
}

fn text(variants: &Variants<'_>, nearest: &Variant<'_>) -> String {
    let name = |variant: &Variant<'_>| variant.preset.to_owned();
    let all: Vec<String> = variants.presets.iter().map(name).collect();
    let figures = figures(nearest.counts, variants.kernel);
    if all.len() == 1 {
        return format!("{} against io_uring: {figures}.", nearest.preset);
    }
    let mut text = format!(
        "Of {} the nearest to io_uring here is {}: {figures}.",
        format::list(&all),
        nearest.preset
    );
    let alike: Vec<String> = variants.alike(*nearest).map(name).collect();
    if !alike.is_empty() {
        text.push_str(&format!(" Alike {} here: {}.", nearest.preset, format::list(&alike)));
    }
    text
}

/// `workers created 1.05 times as many, peak 5 against 5`.
fn figures(ours: Counts, kernel: Counts) -> String {
    let created = match ours.created_ratio(kernel) {
        Some(ratio) if format::number(ratio) == "1" => "as many workers created".to_owned(),
        Some(ratio) => format!("workers created {} times as many", format::number(ratio)),
        None => format!("workers created {} against none", format::number(ours.created)),
    };
    let (peak, kernel_peak) = (format::number(ours.peak), format::number(kernel.peak));
    format!("{created}, peak {peak} against {kernel_peak}")
}

#[cfg(test)]
mod tests {
    use iowq_contract::Record;
    use iowq_sample as sample;

    use super::*;
    use crate::runs::group;

    fn with(mut record: Record, created: u64, peak: u32) -> Record {
        record.workers.created.probe = Some(created);
        record.workers.created.engine = None;
        record.workers.peak = Some(peak);
        record
    }

    fn records() -> Vec<Record> {
        let preset = |policy| sample::run("nop", policy, 0);
        vec![
            with(preset("6.12"), 900, 64),
            with(preset("6.16"), 22, 5),
            with(preset("6.17"), 21, 5),
            with(preset("fixed"), 20, 5),
            with(sample::kernel_run("nop", 0), 20, 5),
        ]
    }

    fn say(records: &[Record]) -> Option<Answer> {
        answers(&group::sections(records)[0]).pop()
    }

    #[test]
    fn each_value_that_was_set_has_an_answer_of_its_own() {
        let limited = |limit: &str| {
            let mut records = records();
            for record in &mut records {
                record.key.set.0.insert("workers.bounded".to_owned(), limit.to_owned());
            }
            records
        };
        let both = [limited("4"), limited("64")].concat();
        let answers = answers(&group::sections(&both)[0]);
        let shorts: Vec<&str> = answers.iter().map(|answer| answer.short.as_str()).collect();
        assert_eq!(shorts, ["With bounded=4: 6.17", "With bounded=64: 6.17"]);
    }

    #[test]
    fn the_nearest_preset_is_named_with_its_figures_and_those_that_do_the_same() {
        let answer = say(&records()).expect("both ran");
        assert_eq!(answer.short, "6.17");
        assert_eq!(
            answer.text,
            "Of 6.12, 6.16 and 6.17 the nearest to io_uring here is 6.17: workers created 1.05 \
             times as many, peak 5 against 5. Alike 6.17 here: 6.16."
        );
    }

    #[test]
    fn a_kernel_that_created_none_gives_no_ratio() {
        let records = [with(sample::run("nop", "6.17", 0), 3, 1), {
            with(sample::kernel_run("nop", 0), 0, 0)
        }];
        let answer = say(&records).expect("both ran");
        assert_eq!(
            answer.text,
            "6.17 against io_uring: workers created 3 against none, peak 1 against 0."
        );
    }

    #[test]
    fn lost_events_and_a_missing_arm_leave_no_statement() {
        let mut records = records();
        records[4].probe.events_lost = 1;
        let answer = say(&records).expect("both ran");
        assert_eq!(answer.text, "No statement: events were lost under io_uring.");
        assert_eq!(say(&records[..4]), None);
        assert_eq!(say(&records[3..]), None);
    }
}
