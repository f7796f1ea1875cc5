//! fio's options: which are taken over, which change nothing here, and which are refused.

use std::collections::BTreeMap;

use super::section::Written;
use crate::error::{SpecError, did_you_mean};

/// Options that are taken over; `job.rs` says how.
pub(super) const TAKEN: [&str; 26] = [
    "buffered",
    "bs",
    "direct",
    "fallocate",
    "fdatasync",
    "filename",
    "filesize",
    "force_async",
    "fsync",
    "invalidate",
    "io_size",
    "iodepth",
    "ioengine",
    "nrfiles",
    "overwrite",
    "ramp_time",
    "randseed",
    "rate_iops",
    "rate_process",
    "runtime",
    "rw",
    "rwmixread",
    "rwmixwrite",
    "size",
    "sync",
    "time_based",
];

/// Other names of options that are taken over.
const ALIASES: [(&str, &str); 5] = [
    ("blocksize", "bs"),
    ("io_limit", "io_size"),
    ("nr_files", "nrfiles"),
    ("readwrite", "rw"),
    ("timeout", "runtime"),
];

/// Options that are ignored, each list with the reason.
const IGNORED: [(&str, &str); 6] = [
    (
        "files lie in a folder of the run's own, are made before it and removed after it",
        "allow_file_create allow_mounted_write create_fsync create_on_open create_serialize \
         directory fadvise_hint filename_format unique_filename unlink \
         unlink_each_loop",
    ),
    (
        "it has one job, which has a process of its own",
        "exit_what exitall exitall_on_error group_reporting name description new_group \
         stonewall thread wait_for_previous",
    ),
    (
        "the record has its own measurements",
        "block_error_percentiles bwavgtime clat_percentiles clocksource \
         disable_bw_measurement disable_clat disable_lat disable_slat disk_util error_dump \
         gtod_cpu gtod_reduce iopsavgtime lat_percentiles log_avg_msec log_compression \
         log_entries log_hist_coarseness log_hist_msec log_max_value log_offset \
         log_store_compressed log_unix_epoch per_job_logs percentile_list \
         significant_figures slat_percentiles stats unified_rw_reporting unit_base \
         write_bw_log write_hist_log write_iops_log write_lat_log",
    ),
    (
        "the order is drawn from the seed, and all blocks come before one returns",
        "allrandrepeat norandommap random_generator randrepeat softrandommap",
    ),
    (
        "every block written has bytes of its own",
        "buffer_compress_chunk buffer_compress_percentage buffer_pattern dedupe_percentage \
         iomem mem refill_buffers scramble_buffers zero_buffers",
    ),
    (
        "it comes after the measured part, or a failure is counted and the run goes on",
        "continue_on_error end_fsync fsync_on_close ignore_error",
    ),
];

/// Options that are refused, each list with what to do; every option's value that leaves it off,
/// see [`is_off`], is ignored instead.
const REFUSED: [(&str, &str); 11] = [
    ("files lie in a folder of the run's own, and are made for it; remove it", "opendir"),
    (
        "a workload is one stream of ops; remove it, and run several workloads side by side",
        "flow flow_id numjobs startdelay wait_for",
    ),
    (
        "all ops have one size and blocks lie at multiples of it; use bs and size",
        "ba blockalign bs_is_seq_rand bs_unaligned bsrange bssplit file_append fill_device \
         fill_fs offset offset_align offset_increment",
    ),
    (
        "a run ends by size, io_size or time; use one of them",
        "create_only latency_run loops number_ios steadystate verify_only",
    ),
    (
        "the rate is a number of ops; use rate_iops and rate_process",
        "latency_percentile latency_target latency_window max_latency rate rate_cycle \
         rate_ignore_thinktime rate_iops_min rate_min thinktime thinktime_blocks \
         thinktime_blocks_type thinktime_iotime thinktime_spin",
    ),
    (
        "a spec says how many are reaped at once, with arrival.min_complete; remove it",
        "iodepth_batch_complete iodepth_batch_complete_max iodepth_batch_complete_min",
    ),
    (
        "as many ops as the depth are in flight and are reaped as they come; remove it",
        "cmdprio cmdprio_bssplit cmdprio_class cmdprio_percentage fixedbufs hipri \
         io_submit_mode iodepth_batch iodepth_batch_submit iodepth_low nonvectored nowait \
         registerfiles serialize_overlap sqthread_poll sqthread_poll_cpu uncached",
    ),
    (
        "what was written is read back and compared after the run in any case; remove it",
        "do_verify experimental_verify trim_backlog trim_percentage verify verify_async \
         verify_backlog verify_fatal verify_interval verify_pattern",
    ),
    (
        "files are visited in turn, in sequence or at random without a revisit; remove it",
        "file_service_type openfiles percentage_random pre_read random_distribution \
         rw_sequencer zonemode zonerange zonesize zoneskip",
    ),
    (
        "a run sets nothing up outside itself; do it before, for the whole bench",
        "cgroup cgroup_weight cpumask cpus_allowed cpus_allowed_policy exec_postrun \
         exec_prerun gid ioscheduler lockmem nice numa_cpu_nodes numa_mem_policy prio \
         prioclass profile read_iolog uid write_iolog",
    ),
    ("unsupported; use fsync, fdatasync or sync", "atomic sync_file_range write_barrier"),
];

/// What is in a job file, by what becomes of it.
#[derive(Debug, Default)]
pub(super) struct Sorted {
    /// What is taken over, by name; the last of each name, and all of `filename`.
    pub(super) taken: BTreeMap<&'static str, Written>,
    /// Whether `rwmixwrite` comes after `rwmixread`, or `buffered` after `direct`: the later of
    /// two that say the same holds.
    pub(super) order: Vec<&'static str>,
    /// What is ignored, with the reason of each.
    pub(super) ignored: Vec<(&'static str, Vec<&'static str>)>,
}

/// Sorts the options of a job file.
pub(super) fn sort(file: &str, written: Vec<Written>) -> Result<Sorted, SpecError> {
    let mut sorted = Sorted::default();
    for mut option in written {
        let name = ALIASES
            .iter()
            .find(|(alias, _)| *alias == option.name)
            .map_or(option.name.as_str(), |(_, name)| name);
        if let Some(&name) = TAKEN.iter().find(|taken| **taken == name) {
            sorted.order.retain(|other| *other != name);
            sorted.order.push(name);
            if name == "filename" {
                option.value = sorted.names_with(option.value);
            }
            sorted.taken.insert(name, option);
        } else if let Some((why, name)) = listed(&IGNORED, name) {
            sorted.ignore(why, name);
        } else if let Some((advice, name)) = listed(&REFUSED, name) {
            if !is_off(name, option.value.as_deref()) {
                return Err(refused(file, option, advice));
            }
            sorted.ignore("it is off in fio too", name);
        } else if name == "kb_base" && option.value.as_deref() == Some("1024") {
            sorted.ignore("it is so here too", "kb_base");
        } else {
            return Err(unknown(file, option));
        }
    }
    Ok(sorted)
}

impl Sorted {
    /// The names of files so far and these: fio adds those of a second `filename` to the first's.
    fn names_with(&self, names: Option<String>) -> Option<String> {
        let before = self.taken.get("filename").and_then(|written| written.value.as_deref());
        match (before, names) {
            (Some(before), Some(names)) => Some(format!("{before}:{names}")),
            (_, names) => names,
        }
    }

    fn ignore(&mut self, why: &'static str, name: &'static str) {
        match self.ignored.iter_mut().find(|(other, _)| *other == why) {
            Some((_, names)) if names.contains(&name) => {}
            Some((_, names)) => names.push(name),
            None => self.ignored.push((why, vec![name])),
        }
    }
}

type Lists = [(&'static str, &'static str)];

fn listed(lists: &Lists, name: &str) -> Option<(&'static str, &'static str)> {
    lists.iter().find_map(|(why, names)| {
        names.split(' ').find(|known| *known == name).map(|known| (*why, known))
    })
}

/// Whether a value leaves an option that is refused at what fio does without it.
fn is_off(name: &str, value: Option<&str>) -> bool {
    let off = match name {
        "numjobs" | "loops" | "iodepth_batch" | "iodepth_batch_submit" => "1",
        "iodepth_batch_complete" | "iodepth_batch_complete_min" => "1",
        "percentage_random" => "100",
        "random_distribution" => "random",
        "file_service_type" => "roundrobin",
        "rw_sequencer" => "sequential",
        "io_submit_mode" => "inline",
        "zonemode" => "none",
        "cpumask" | "cpus_allowed" | "opendir" | "prioclass" => return false,
        // Here the default is the same as a choice.
        "nonvectored" => return true,
        _ => "0",
    };
    value == Some(off) || (name == "verify" && value == Some("none"))
}

fn refused(file: &str, option: Written, advice: &str) -> SpecError {
    let found = option.value.map_or_else(|| "it".to_owned(), |value| format!("`{value}`"));
    SpecError::Option {
        file: file.to_owned(),
        line: option.line,
        option: option.name,
        found,
        allowed: format!("nothing: {advice}"),
    }
}

fn unknown(file: &str, option: Written) -> SpecError {
    let lists = IGNORED.iter().chain(&REFUSED).flat_map(|(_, names)| names.split(' '));
    let names = TAKEN.into_iter().chain(lists);
    SpecError::UnknownOption {
        file: file.to_owned(),
        line: option.line,
        hint: did_you_mean(&option.name, names),
        found: option.name,
        allowed: TAKEN.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_option_is_in_two_lists() {
        let mut names: Vec<&str> = TAKEN.to_vec();
        names.extend(ALIASES.iter().map(|(alias, _)| *alias));
        names.extend(IGNORED.iter().chain(&REFUSED).flat_map(|(_, names)| names.split(' ')));
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all);
    }
}
