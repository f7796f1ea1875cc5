//! fio's options as lists: which are taken over, which change nothing here, and which are refused.
//!
//! Names are those of fio 3.28 to 3.42, found with `fio --cmdhelp`.

/// Options that are taken over; `job.rs` and the files beside it say how.
pub(super) const TAKEN: [&str; 53] = [
    "blockalign",
    "bs",
    "bs_unaligned",
    "bsrange",
    "bssplit",
    "buffered",
    "create_on_open",
    "direct",
    "exit_what",
    "exitall",
    "fallocate",
    "fdatasync",
    "file_service_type",
    "filename",
    "filesize",
    "force_async",
    "fsync",
    "invalidate",
    "io_size",
    "io_submit_mode",
    "iodepth",
    "iodepth_batch_complete_min",
    "iodepth_low",
    "ioengine",
    "kb_base",
    "loops",
    "new_group",
    "norandommap",
    "nrfiles",
    "number_ios",
    "numjobs",
    "overwrite",
    "percentage_random",
    "pre_read",
    "ramp_time",
    "random_distribution",
    "randseed",
    "rate",
    "rate_iops",
    "rate_process",
    "runtime",
    "rw",
    "rwmixread",
    "rwmixwrite",
    "size",
    "startdelay",
    "stonewall",
    "sync",
    "thinktime",
    "thinktime_blocks",
    "thinktime_blocks_type",
    "time_based",
    "wait_for",
];

/// Other names of options.
pub(super) const ALIASES: [(&str, &str); 29] = [
    ("allrandrepeat", "randrepeat"),
    ("ba", "blockalign"),
    ("blocksize", "bs"),
    ("blocksize_range", "bsrange"),
    ("blocksize_unaligned", "bs_unaligned"),
    ("data_placement", "dataplacement"),
    ("disable_bw", "disable_bw_measurement"),
    ("fdp_pli", "plids"),
    ("fdp_pli_select", "plid_select"),
    ("fileoffset", "offset"),
    ("fill_fs", "fill_device"),
    ("io_limit", "io_size"),
    ("iodepth_batch_complete", "iodepth_batch_complete_min"),
    ("iodepth_batch_submit", "iodepth_batch"),
    ("iomem", "mem"),
    ("log_max_value", "log_window_value"),
    ("log_unix_epoch", "log_alternate_epoch"),
    ("mem_align", "iomem_align"),
    ("nr_files", "nrfiles"),
    ("ratecycle", "rate_cycle"),
    ("ratemin", "rate_min"),
    ("readwrite", "rw"),
    ("ss", "steadystate"),
    ("ss_dur", "steadystate_duration"),
    ("ss_interval", "steadystate_check_interval"),
    ("ss_ramp", "steadystate_ramp_time"),
    ("threads", "thread"),
    ("timeout", "runtime"),
    ("wait_for_previous", "stonewall"),
];

/// A reason, and the options that it holds for.
pub(super) type List = (&'static str, &'static str);

/// Options that are ignored, each list with the reason.
pub(super) const IGNORED: [List; 11] = [
    (
        "files lie in a folder of the run's own, are made before it and removed after it",
        "allow_file_create allow_mounted_write create_fsync create_serialize directory \
         fadvise_hint filename_format filetype lockfile unique_filename unlink \
         unlink_each_loop write_hint",
    ),
    (
        "a job runs alone, in a process of its own",
        "comm description exitall_on_error group_reporting job_start_clock_id name thread",
    ),
    (
        "the record has its own measurements",
        "block_error_percentiles bwavgtime clat_percentiles clocksource \
         disable_bw_measurement disable_clat disable_lat disable_slat disk_util error_dump \
         gtod_cpu gtod_reduce iopsavgtime lat_percentiles log_alternate_epoch \
         log_alternate_epoch_clock_id log_avg_msec log_compression log_compression_cpus \
         log_entries log_hist_coarseness log_hist_msec log_issue_time log_offset log_prio \
         log_store_compressed log_window_value max_latency per_job_logs percentile_list \
         significant_figures slat_percentiles stats unified_rw_reporting unit_base \
         write_bw_log write_hist_log write_iolog write_iops_log write_lat_log",
    ),
    (
        "the order is drawn from the seed, and all blocks come before one returns",
        "num_range random_generator random_sequence_stride randrepeat rw_sequencer \
         serialize_overlap softrandommap",
    ),
    (
        "every block written has bytes of its own",
        "buffer_compress_chunk buffer_compress_percentage buffer_pattern dedupe_global \
         dedupe_mode dedupe_percentage dedupe_working_set_percentage hugepage-size \
         iomem_align mem refill_buffers scramble_buffers thp zero_buffers",
    ),
    (
        "it comes after the measured part, or a failure is counted and the run goes on",
        "continue_on_error end_fsync end_syncfs fsync_on_close ignore_error",
    ),
    (
        "what was written is read back and compared after the run in any case",
        "do_verify experimental_verify verify verify_async verify_async_cpus \
         verify_backlog_batch verify_dump verify_fatal verify_header_seed verify_interval \
         verify_offset verify_pattern verify_pattern_interval verify_policy \
         verify_state_load verify_state_save verify_write_sequence verifysort verifysort_nr",
    ),
    (
        "the record says if the rate was not kept",
        "rate_cycle rate_ignore_thinktime rate_iops_min rate_min",
    ),
    (
        "as many ops as there is room for are submitted together, and all that are done are reaped",
        "fixedbufs iodepth_batch iodepth_batch_complete_max libaio_vectored nonvectored \
         registerfiles userspace_reap",
    ),
    (
        "it would only end the run earlier",
        "steadystate steadystate_check_interval steadystate_duration steadystate_ramp_time",
    ),
    (
        "it says how something is done that is refused if it is on",
        "cgroup_nodelete cpus_allowed_policy dp_scheme flow_id flow_sleep \
         flow_watermark ignore_zone_limits job_max_open_zones max_open_zones \
         merge_blktrace_iters merge_blktrace_scalars offset_align offset_increment \
         percentage_sequential plid_select plids read_beyond_wp read_iolog_chunked \
         recover_zbd_write_error replay_align replay_no_stall replay_redirect replay_scale \
         replay_skip replay_time_scale rwmixcycle spr_cs spr_num_regions spr_op \
         sqthread_poll_cpu thinkcycles trim_backlog_batch trim_verify_zero \
         write_zone_remainder zone_reset_frequency zone_reset_threshold zonecapacity",
    ),
];

/// Options that are refused, each list with what to do; a value that leaves an option off, see
/// [`is_off`](super::options), is ignored instead.
pub(super) const REFUSED: [List; 10] = [
    ("files lie in a folder of the run's own, and are made for it; remove it", "opendir"),
    ("jobs do not wait for each other's ops; remove it", "flow"),
    (
        "blocks lie at multiples of their size, from the start of the file on; remove it",
        "bs_is_seq_rand file_append offset sprandom",
    ),
    (
        "a run reads and writes until a size or a time is over; give size, io_size or runtime",
        "create_only fill_device latency_run ramp_size verify_only",
    ),
    (
        "the depth and the rate stay as they are; use iodepth, rate or rate_iops",
        "latency_percentile latency_target latency_window thinktime_iotime thinktime_spin",
    ),
    (
        "it decides how io_uring treats an op, and is not carried out; remove it to see what \
         io_uring does without it",
        "atomic cmdprio cmdprio_bssplit cmdprio_class cmdprio_percentage hipri \
         hipri_percentage nowait readfua sqthread_poll sync_file_range uncached write_barrier \
         writefua",
    ),
    (
        "what is written is read back after the run and not amid it, and nothing is trimmed; \
         remove it",
        "trim_backlog trim_percentage verify_backlog",
    ),
    (
        "files are visited in turn, and all of them are open all along; remove it",
        "openfiles zonemode zonerange zonesize zoneskip",
    ),
    (
        "a run sets nothing up outside itself; start the whole bench so, with taskset, numactl, \
         nice, ionice, systemd-run or a script",
        "cgroup cgroup_weight cpumask cpus_allowed exec_postrun exec_prerun gid gpu_dev_id \
         ioscheduler lockmem nice numa_cpu_nodes numa_mem_policy prio prioclass priohint uid",
    ),
    (
        "ops come from the job file; write the options that you mean",
        "dataplacement fdp merge_blktrace_file profile read_iolog",
    ),
];
