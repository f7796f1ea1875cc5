//! Files of several jobs: those that run in turn are a workload each.

use std::time::Duration;

use iowq_workloads::{Engines, FileState, Length, Plan, Source};

use super::{answer, plans};

const GLOBAL: &str = "[global]\nioengine=io_uring\nsize=1m\n";

fn names(plans: &[Plan]) -> Vec<&str> {
    plans.iter().map(|plan| plan.name.as_str()).collect()
}

#[test]
fn jobs_with_a_stonewall_between_are_workloads_in_turn() {
    let plans = plans(&format!(
        "{GLOBAL}[fill]\nrw=write\n[look at it]\nstonewall\nrw=randread\nruntime=2\ntime_based\n"
    ));
    assert_eq!(names(&plans), ["mine:fill", "mine:look-at-it"]);
    assert_eq!((plans[0].mix.write, plans[1].mix.read), (100, 100));
    assert_eq!(plans[0].length, Length::Ops(256));
    assert_eq!(plans[1].length, Length::Time(Duration::from_secs(2)));
    assert_eq!(plans[1].origin, "Job [look at it] of the fio job file mine.fio.");
}

#[test]
fn stages_of_one_name_are_numbered() {
    let text = format!("{GLOBAL}stonewall\n[a]\n[a]\n[a]\n[b]\n");
    assert_eq!(names(&plans(&text)), ["mine:a", "mine:a-2", "mine:a-3", "mine:b"]);
}

#[test]
fn a_global_section_holds_for_the_jobs_below_it() {
    let plans = plans(&format!(
        "{GLOBAL}bs=8k\n[a]\nbs=16k\n[global]\nbs=32k\nstonewall\n[b]\n[c]\nbs=64k\n"
    ));
    let sizes: Vec<u32> = plans.iter().map(|plan| plan.block_bytes / 1024).collect();
    assert_eq!(sizes, [16, 32, 64]);
}

#[test]
fn a_job_may_wait_for_the_one_before_it_by_name() {
    let text = format!("{GLOBAL}[a]\n[b]\nwait_for=a\n[c]\nwait_for=b\n");
    assert_eq!(names(&plans(&text)), ["mine:a", "mine:b", "mine:c"]);
    let beside = format!("{GLOBAL}[a]\n[b]\n[c]\nstonewall\nwait_for=a\n");
    assert_eq!(names(&plans(&beside)), ["mine:a", "mine:c"], "stonewall waits for both");
    for text in ["[a]\n[b]\nwait_for=c\n[c]\nstonewall\n", "[a]\n[b]\n[c]\nwait_for=a\n"] {
        let answer = answer(&format!("{GLOBAL}{text}"));
        assert!(answer.contains("wait_for: found `"), "{answer}");
    }
}

#[test]
fn jobs_at_one_time_are_tasks_of_a_workload() {
    let text = format!(
        "{GLOBAL}[log a]\nrw=write\nfsync=1\n[pages]\nnumjobs=3\nrw=randwrite\niodepth=8\nramp_time=1\n\
         [look]\nstonewall\n"
    );
    let plans = plans(&text);
    assert_eq!(names(&plans), ["mine:log-a", "mine:look"]);
    let tasks: Vec<(&str, u32, u32)> = plans[0]
        .tasks
        .iter()
        .map(|task| (task.name.as_str(), task.count, task.plan.depth))
        .collect();
    assert_eq!(tasks, [("log-a", 1, 1), ("pages", 3, 8)]);
    assert_eq!(plans[0].streams().count(), 4);
    assert_eq!(plans[0].length, Length::Ops(512 + 256), "fsyncs among them, of a job each");
    assert_eq!(plans[0].warmup, Duration::from_secs(1));
    assert_eq!(plans[0].summary, "fio job [log a]. 3 times: fio job [pages]. All run at one time.");
    assert!(plans[1].tasks.is_empty());
}

#[test]
fn jobs_that_share_a_file_are_said_to_have_one_each() {
    for text in ["filename=f\n[a]\nnumjobs=2\n", "filename=f\n[a]\n[b]\n"] {
        let summary = &plans(&format!("{GLOBAL}{text}"))[0].summary;
        assert!(summary.ends_with("They share files in fio; here each has its own."), "{summary}");
    }
    let summary = &plans(&format!("{GLOBAL}[a]\n[b]\n"))[0].summary;
    assert!(summary.ends_with("All run at one time."), "{summary}");
}

#[test]
fn tasks_have_what_is_set_and_what_their_jobs_say() {
    let text = format!("{GLOBAL}[a]\nnumjobs=2\niodepth=4\n[b]\nsize=2m\nrw=write\n");
    let sources = Source::jobs("mine", "mine.fio", &text, Engines::IoUring).expect("a valid file");
    let set = |key: &str, value: &str| [(key.to_owned(), value.to_owned())].into_iter().collect();
    let plan = sources[0].with(&set("workers.bounded", "3")).expect("it is valid");
    let tasks: Vec<(u32, u32, u64)> =
        plan.streams().map(|plan| (plan.limits[0], plan.depth, plan.file_blocks)).collect();
    assert_eq!(tasks, [(3, 4, 256), (3, 4, 256), (3, 1, 512)]);
    let error = sources[0].with(&set("ring.depth", "4096")).expect_err("they have 12,288");
    assert!(error.to_string().contains("in all tasks"), "{error}");
}

#[test]
fn jobs_that_cannot_begin_or_end_with_the_others_are_refused() {
    for (text, refusal) in [
        (
            "numjobs=33\n[a]\n[b]\n",
            "mine.fio:5:1: [a] to [b]: found 66 jobs at one time, allowed 64",
        ),
        ("iodepth=2048\nnumjobs=3\n[a]\n", "mine.fio: ring.depth: found 6144 in all tasks"),
    ] {
        let answer = answer(&format!("{GLOBAL}{text}"));
        assert!(answer.starts_with(refusal), "{text}: {answer}");
    }
    for (text, allowed) in [
        (
            "exitall\n[a]\n[b]\nwait_for=a\n",
            "[a]: found exitall in the file, allowed a new_group or stonewall",
        ),
        (
            "exitall\nexit_what=all\n[a]\n[b]\nstonewall\n",
            "[a]: found exitall in the file, allowed exit_what=stonewall: those after it would never run",
        ),
        (
            "exitall\nexit_what=stonewall\n[a]\n[b]\nstartdelay=1\n",
            "[a]: found exitall in the file, allowed no startdelay beside it",
        ),
        ("exitall\nexit_what=me\n[a]\n", "exit_what: found `me`, allowed group, stonewall or all"),
        ("[a]\nexitall=0\n[b]\n", "exitall: found `0`, allowed no value, or nothing"),
        ("startdelay=1-4\n[a]\n[b]\n", "startdelay: found `1-4`, allowed a whole number"),
    ] {
        let answer = answer(&format!("{GLOBAL}{text}"));
        assert!(answer.contains(allowed), "{text}: {answer}");
    }
}

#[test]
fn a_job_may_begin_later_and_end_its_group_or_all() {
    let text = format!(
        "{GLOBAL}[a]\nexit_what=stonewall\n[b]\nnew_group\nexitall\n[c]\n[d]\n\
         stonewall\nexit_what=all\n[e]\nstartdelay=1500ms\n"
    );
    let plans = plans(&text);
    let ends = |plan: &Plan| -> Vec<(u32, u64)> {
        plan.streams().map(|plan| (plan.group, plan.ends_groups)).collect()
    };
    assert_eq!(ends(&plans[0]), [(0, u64::MAX), (1, 0b10), (1, 0b10)], "one has it for all");
    assert_eq!(ends(&plans[1]), [(0, u64::MAX), (0, 0b1)]);
    let delays: Vec<Duration> = plans[1].streams().map(|plan| plan.begins_after).collect();
    assert_eq!(delays, [Duration::ZERO, Duration::from_millis(1500)]);
    let summary = &plans[1].summary;
    assert!(summary.contains("fio job [e]. It begins after 1.5 s. All run"), "{summary}");
    assert!(
        summary.contains("The end of d is that of all. The end of e is that of its"),
        "{summary}"
    );
}

#[test]
fn jobs_that_begin_later_take_as_long_as_until_the_last_one_ends() {
    let length = |jobs: &str| {
        let whole = plans(&format!("{GLOBAL}time_based\nruntime=3\n{jobs}")).remove(0);
        whole.length
    };
    let seconds = |seconds| Length::Time(Duration::from_secs(seconds));
    assert_eq!(length("[a]\n[b]\nstartdelay=2\n"), seconds(5));
    assert_eq!(length("[a]\nruntime=9\n[b]\nstartdelay=2\n"), seconds(9));
    assert_eq!(length("startdelay=2\n[a]\n[b]\n"), seconds(3), "it is measured once one begins");
    assert_eq!(length("[a]\nramp_time=1\n[b]\n"), seconds(4));
}

#[test]
fn a_stage_finds_the_files_that_the_one_before_it_wrote() {
    use FileState::{Allocated, Fresh, Written};
    let states = |text: &str| -> Vec<FileState> {
        let plans = plans(&format!("{GLOBAL}stonewall\n{text}"));
        plans.iter().map(|plan| plan.state[0]).collect()
    };
    let two = "[a]\nrw=write\n[b]\nrw=randwrite\n";
    assert_eq!(states(two), [Allocated, Allocated], "each has files of its own name");
    assert_eq!(states(&format!("filename=f\n{two}")), [Allocated, Written]);
    assert_eq!(states(&format!("filename=f\nfallocate=none\n{two}")), [Fresh, Written]);
    assert_eq!(
        states("[a]\nrw=write\nfilename=f\n[b]\nrw=write\nfilename=g\n[c]\nrw=write\nfilename=f\n"),
        [Allocated, Allocated, Written]
    );
    let read_last = "filename=f\nfallocate=none\n[a]\nrw=write\n[b]\nrw=read\n";
    assert_eq!(states(read_last), [Written, Written], "fio lays out for all jobs before the first");
}

#[test]
fn a_share_of_a_file_that_an_earlier_job_leaves_has_a_size() {
    let text = "[global]\nioengine=io_uring\nfilename=f\n[a]\nrw=write\nsize=1m\n[b]\nstonewall\n\
                rw=read\nsize=25%\n[c]\nstonewall\nrw=read\n";
    let blocks: Vec<u64> = plans(&text.replace("size=1m", "size=1m\nbs=4k"))
        .iter()
        .map(|plan| plan.file_blocks)
        .collect();
    assert_eq!(blocks, [256, 64, 256]);
}

#[test]
fn what_only_matters_between_jobs_is_ignored_if_each_runs_alone() {
    let text = format!("{GLOBAL}startdelay=5\nexitall\nnew_group\nthreads=1\n[a]\nnumjobs=1\n");
    assert_eq!(plans(&text)[0].summary, "fio job [a]. Ignored: thread.");
    assert_eq!(plans(&text)[0].begins_after, Duration::ZERO);
}

#[test]
fn a_job_that_waits_for_nothing_is_not_moved_behind_one_that_waits() {
    let answer = answer(&format!("{GLOBAL}[a]\n[b]\nwait_for=a\n[c]\n"));
    assert!(answer.contains("[c]: found no stonewall and no wait_for"), "{answer}");
}
