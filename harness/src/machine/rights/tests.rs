//! Tests of rights: texts of the kernel, and what is said to get what is missing.

use super::*;

impl Rights {
    /// A user's, with nothing in the way but what is missing.
    pub(crate) fn of_a_user(effective: Capabilities, tracefs: Tracefs) -> Rights {
        Rights {
            program: "/bin/iowq-measure".into(),
            root: false,
            group: 1000,
            effective,
            bounding: Capabilities(u64::MAX),
            no_new_privileges: false,
            seccomp: false,
            user_namespace: false,
            pid_namespace: false,
            lockdown: None,
            unprivileged_bpf_disabled: Some(2),
            perf_event_paranoid: Some(2),
            memlock_bytes: None,
            files_max: Some(1024),
            tracefs,
        }
    }

    /// Root's, with nothing in the way.
    pub(crate) fn of_root() -> Rights {
        let all = Capabilities(u64::MAX);
        Rights { root: true, ..Rights::of_a_user(all, Tracefs::Readable(TRACEFS[0])) }
    }
}

const BOTH: Capabilities = Capabilities::BPF.with(Capabilities::PERFMON);

#[test]
fn what_is_missing_depends_on_tracefs_and_comes_with_the_exact_command() {
    let (readable, closed) = (Tracefs::Readable(TRACEFS[0]), Tracefs::Closed(TRACEFS[0]));
    let none = Capabilities::NONE;
    let setcap = "sudo setcap cap_bpf,cap_perfmon";
    let rows = [
        (none, readable, "CAP_BPF and CAP_PERFMON", "+ep /bin/iowq-measure"),
        (Capabilities::BPF, readable, "CAP_PERFMON", "+ep /bin/iowq-measure"),
        (
            none,
            closed,
            "CAP_BPF, CAP_PERFMON and CAP_DAC_READ_SEARCH",
            ",cap_dac_read_search+ep /bin/iowq-measure; CAP_BPF and CAP_PERFMON alone suffice \
             after: sudo mount -o remount,gid=1000,mode=750 /sys/kernel/tracing",
        ),
        (BOTH, closed, "CAP_DAC_READ_SEARCH", ",cap_dac_read_search+ep /bin/iowq-measure"),
        (
            BOTH,
            Tracefs::NotMounted,
            "CAP_SYS_ADMIN and CAP_DAC_READ_SEARCH",
            ",cap_sys_admin,cap_dac_read_search+ep /bin/iowq-measure; CAP_BPF and CAP_PERFMON \
             alone suffice after: sudo mount -o gid=1000,mode=750 -t tracefs tracefs \
             /sys/kernel/tracing",
        ),
        (
            BOTH.with(Capabilities::SYS_ADMIN),
            Tracefs::NotMounted,
            "CAP_DAC_READ_SEARCH",
            ",cap_sys_admin,cap_dac_read_search+ep",
        ),
    ];
    for (effective, tracefs, missing, command) in rows {
        let rights = Rights::of_a_user(effective, tracefs);
        assert_eq!(rights.missing().in_words(), missing);
        assert!(rights.advice().contains(&format!("{setcap}{command}")), "{}", rights.advice());
    }
}

#[test]
fn nothing_is_missing_to_those_who_have_it_or_what_stands_for_it() {
    let readable = Tracefs::Readable(TRACEFS[0]);
    let admin = Capabilities::SYS_ADMIN;
    for (effective, tracefs) in [
        (BOTH, readable),
        (admin, readable),
        (BOTH.with(Capabilities::DAC_OVERRIDE), Tracefs::Closed(TRACEFS[1])),
        (admin.with(Capabilities::DAC_READ_SEARCH), Tracefs::NotMounted),
    ] {
        assert_eq!(Rights::of_a_user(effective, tracefs).missing(), Capabilities::NONE);
    }
    let root = Rights { tracefs: Tracefs::NotMounted, effective: admin, ..Rights::of_root() };
    assert_eq!(root.missing(), Capabilities::NONE, "what root mounts is root's to read");
}

#[test]
fn where_sudo_and_setcap_do_not_help_what_does_is_said() {
    let none = Rights { effective: Capabilities::NONE, ..Rights::of_root() };
    let contained = Rights { bounding: Capabilities::NONE, ..none.clone() };
    let advice = contained.advice();
    assert!(advice.ends_with("--cap-add BPF --cap-add PERFMON"), "{advice}");
    let advice = Rights { no_new_privileges: true, ..none }.advice();
    assert!(advice.contains("no_new_privs") && !advice.contains("sudo setcap"), "{advice}");
}

#[test]
fn what_a_file_grants_counts_if_it_is_effective_at_once() {
    // As `setcap cap_bpf,cap_perfmon+ep` and `+p` write it.
    let file = |flags: u8| [flags, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0xc0, 0, 0, 0, 0, 0, 0, 0];
    assert_eq!(granted(&file(1)), Some(BOTH));
    assert_eq!(granted(&file(0)), None);
    assert_eq!(granted(&[1, 0]), None);
    let program = std::env::current_exe().expect("this test");
    assert_eq!(Rights::of(&program).effective, Rights::here().effective);
}

#[test]
fn texts_of_the_kernel_are_read_and_nonsense_is_no_obstacle() {
    let status = "Seccomp:\t2\nSeccomp_filters:\t1\nCapEff:\t000000c000000000\n";
    assert_eq!(field(status, "CapEff"), Some("000000c000000000"));
    assert_eq!(field(status, "Seccomp"), Some("2"));
    assert_eq!(field(status, "CapBnd"), None);
    assert_eq!(lockdown("none [integrity] confidentiality\n").as_deref(), Some("integrity"));
    assert_eq!(lockdown("nonsense"), None);
    for (release, counts) in [
        ("5.10.0-8-amd64", true),
        ("5.11.0", false),
        ("6.1.0", false),
        ("4.19.0", true),
        ("nonsense", false),
    ] {
        assert_eq!(counts_maps(release), counts, "{release}");
    }
}
