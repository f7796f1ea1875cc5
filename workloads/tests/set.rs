//! Fields in place of a workload's own: read and checked as if they stood in its spec.

use std::collections::BTreeMap;

use iowq_workloads::set::{grid, keys};
use iowq_workloads::{Engines, Length, Open, Plan, Setting, Source, builtin, builtins};

fn set(fields: &[(&str, &str)]) -> BTreeMap<String, String> {
    fields.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn of(workload: &str, fields: &[(&str, &str)]) -> Result<Plan, String> {
    let source = Source::builtin(workload).expect("it is built in");
    source.with(&set(fields)).map_err(|error| error.to_string())
}

#[test]
fn a_field_that_is_set_is_as_if_it_stood_in_the_spec() {
    let text = "[files]\ncount = 2\n[run]\nseconds = 1";
    let source = Source::spec("mine", "mine.toml", text).expect("a valid spec");
    for (key, value, written) in [
        ("workers.bounded", "4", "[workers]\nbounded = 4"),
        ("workers.idle_timeout_ms", "250", "[workers]\nidle_timeout_ms = 250"),
        ("ring.force_async", "true", "[ring]\nforce_async = true"),
        ("log.weight", "2", "[log]\nweight = 2"),
        ("mix.read", "1", "[mix]\nread = 1"),
    ] {
        let plan = source.with(&set(&[(key, value)])).expect(key);
        let like = Plan::parse("mine", "mine.toml", &format!("{text}\n{written}")).expect(written);
        assert_eq!(plan, like, "{key}={value}");
    }
}

#[test]
fn a_word_is_a_text_with_or_without_quotes_and_a_list_is_a_list() {
    let open = |value| of("dsync", &[("files.open", value)]).map(|plan| plan.open);
    let files = builtin("dsync").expect("it is built in").files as usize;
    assert_eq!(open("sync"), Ok(vec![Open::Sync; files]));
    assert_eq!(open("\"sync\""), open("sync"));
    assert_eq!(open("[\"sync\"]"), open("sync"));
}

#[test]
fn a_workload_without_settings_is_as_it_was_in_every_form() {
    for plan in builtins().expect("they are valid") {
        let source = Source::builtin(&plan.name).expect("it is built in");
        assert_eq!(source.with(&BTreeMap::new()).as_ref(), Ok(&plan));
        // A field that is set to what it is says the same: the spec has come through whole.
        let depth = plan.depth.to_string();
        assert_eq!(source.with(&set(&[("ring.depth", &depth)])).as_ref(), Ok(&plan));
    }
    for plan in iowq_workloads::grid().expect("they are valid") {
        let source = Source::builtin(&plan.name).expect("it is built in");
        let depth = plan.depth.to_string();
        assert_eq!(source.with(&set(&[("ring.depth", &depth)])), Ok(plan));
    }
}

#[test]
fn a_stock_variant_takes_settings_too() {
    let plan = of("dsync-stock", &[("workers.idle_timeout_ms", "700")]).expect("it is valid");
    assert_eq!(plan.idle_timeout.as_millis(), 700);
    assert_eq!(plan.length, builtin("dsync-stock").expect("it is built in").length);
}

#[test]
fn a_value_that_no_spec_may_have_is_refused_as_the_spec_would_be() {
    for (fields, parts) in [
        (&[("workers.bounded", "4000")][..], ["--set workers.bounded=4000 on dsync", "1 to 1000"]),
        (&[("workers.bounded", "many")], ["--set workers.bounded=many", "a whole number"]),
        (&[("ring.force_async", "1")], ["--set ring.force_async=1", "a boolean"]),
        (&[("files.open", "dsyn")], ["--set files.open=dsyn", "`dsync`"]),
        (&[("mix.linked", "true"), ("ring.depth", "1")], ["--set mix.linked=true --set", "dsync"]),
        (&[("arrival.per_s", "5")], ["arrival.per_s", "only with pattern"]),
    ] {
        let error = of("dsync", fields).expect_err(fields[0].1);
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}

const JOB: &str = "[job]\nioengine=io_uring\nrw=write\nbs=8k\nsize=3m\nruntime=5\niodepth=8\n\
                   nrfiles=4\nfsync=4\n";

fn job() -> Source {
    Source::jobs("job", "job.fio", JOB, Engines::IoUring).expect("a valid job").remove(0)
}

#[test]
fn a_fio_job_takes_settings_and_keeps_its_length_and_size() {
    let source = job();
    let plan = source.with(&set(&[("ring.depth", "8")])).expect("it is valid");
    assert_eq!(plan, source.plan, "all of it has come through");
    let plan = source.with(&set(&[("workers.bounded", "4")])).expect("it is valid");
    assert_eq!((plan.limits[0], plan.kernel_limits), (4, false));
    let plan = source.with(&set(&[("run.ops", "9")])).expect("it is valid");
    assert_eq!((plan.length, plan.file_blocks), (Length::Ops(9), source.plan.file_blocks));
}

#[test]
fn what_only_one_of_two_fields_can_say_is_said_by_the_one_that_is_set() {
    let text = "[workers]\nkernel_limits = true\n[run]\nseconds = 5";
    let source = Source::spec("mine", "mine.toml", text).expect("a valid spec");
    let plan = |key, value| source.with(&set(&[(key, value)])).expect(key);
    assert_eq!(plan("run.ops", "9").length, Length::Ops(9));
    let limited = plan("workers.bounded", "4");
    assert_eq!((limited.limits, limited.kernel_limits), ([4, 64], false));
    assert!(of("fsync-mix", &[("workers.kernel_limits", "true")]).is_ok());
    let both = source.with(&set(&[("run.ops", "9"), ("run.seconds", "1")]));
    assert!(both.is_err_and(|error| error.to_string().contains("one of them")));
}

#[test]
fn sizes_are_set_as_a_list() {
    let sizes = "[{ bytes = 8192 }, { bytes = 4096, weight = 3 }]";
    let plan = of("dsync", &[("files.block_bytes", sizes)]).expect("a list");
    let mix: Vec<_> = plan.sizes.iter().map(|size| (size.blocks, size.weight)).collect();
    assert_eq!((plan.block_bytes, mix), (4096, vec![(1, 3), (2, 1)]), "smallest first");
}

#[test]
fn a_fio_job_of_several_sizes_has_the_order_that_is_set_or_refuses_it() {
    let text = JOB.replace("bs=8k", "bsrange=4k-8k").replace("rw=write", "rw=randwrite");
    let source = Source::jobs("job", "job.fio", &text, Engines::IoUring).expect("a job").remove(0);
    let with = |order| source.with(&set(&[("files.order", order)]));
    assert!(source.plan.is_cut && with("random").expect("its own").is_cut);
    let zipf = with("zipf:1.2").expect("sizes go with it");
    assert!(!zipf.is_cut && zipf.sizes == source.plan.sizes);
    let error = with("step:2").expect_err("all would be on block 0").to_string();
    assert!(error.contains("files.order: found step:2, allowed sequential or"), "{error}");
}

#[test]
fn what_a_fio_job_says_in_its_own_words_is_refused_with_that_word() {
    let source = job();
    let error = source.with(&set(&[("files.block_bytes", "512")])).expect_err("it is `bs`");
    assert!(error.to_string().contains("give the job file another `bs`"), "{error}");
}

#[test]
fn no_value_of_any_field_makes_a_panic() {
    let values = ["0", "-1", "1e400", "nan", "9223372036854775807", "\"", "[", "{}", "x\ny=1", "#"];
    for key in keys() {
        for value in values {
            let _ = of("fsync-mix", &[(key.as_str(), value)]);
        }
    }
    let one = Setting::parse("ring.depth=[1,2],3").expect("it is text");
    assert_eq!(grid(&[one]).map(|grid| grid.len()), Ok(2));
}
