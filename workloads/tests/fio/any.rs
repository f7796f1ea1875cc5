//! Any text is answered, and what is taken can be run.

use iowq_workloads::{Engines, Plan, Stream};
use proptest::prelude::*;

use super::JOB;

/// Names of options, and a section.
const NAMES: &str = "\
    rw bs size filesize io_size iodepth nrfiles fsync fdatasync filename rate_iops \
    rate_process runtime time_based ramp_time rwmixread rwmixwrite direct sync force_async \
    randseed numjobs loops number_ios rate thinktime thinktime_blocks iodepth_low bssplit \
    bsrange blockalign random_distribution norandommap startdelay exitall new_group \
    kb_base [more] stonewall name";

/// What stands behind a name, beside nothing.
const VALUES: &str = "\
    = =0 =1 =2 =7 =4k =1m =3g =18446744073709551615 =16777215t =rw =randrw =write =dsync \
    =sync =a:b =poisson =1h =ä =0x =-1 =99 =50% =4k,8k =4k-8k =4k/50:8k =4k/10:6k/20:512/3 \
    =read:-8k =write:16k =zoned:60/5:40/";

/// Lines that are nearly options, so that more than the first line is reached.
fn lines() -> impl Strategy<Value = String> {
    let words = |text: &'static str| text.split(' ').collect::<Vec<_>>();
    let names = prop::sample::select(words(NAMES));
    let values = prop::sample::select([words(VALUES), vec![""]].concat());
    prop::collection::vec(
        (names, values).prop_map(|(name, value)| format!("{name}{value}\n").replace("]=", "]\n#")),
        0..12,
    )
    .prop_map(|lines| lines.concat())
}

proptest! {
    #[test]
    fn any_text_is_answered(text in "\\PC*|(\\[|\\]|=|;|#|\n|[a-z0-9 ])*") {
        let _ = Plan::parse_fio("mine", "mine.fio", &text, Engines::AsIoUring);
    }

    #[test]
    fn any_options_are_answered_and_a_plan_has_ops(lines in lines()) {
        let text = format!("{JOB}{lines}");
        let plans = Plan::parse_fio("mine", "mine.fio", &text, Engines::AsIoUring);
        for plan in plans.into_iter().flatten() {
            prop_assert_eq!(plan.open.len(), plan.files as usize);
            prop_assert_eq!(plan.hash_ids.len(), plan.files as usize);
            prop_assert!(plan.mix.write + plan.mix.read > 0);
            if plan.file_blocks < 1 << 16 && plan.files < 8 {
                let ops: Vec<_> = Stream::new(&plan, 1).take(50).collect();
                prop_assert!(ops.iter().all(|op| op.block + u64::from(op.blocks) <= plan.file_blocks));
            }
        }
    }
}
