//! Boots of a real kernel under a real QEMU, with a guest out of busybox.

use std::{fs, time::Duration};

use iowq_contract::Ended;
use iowq_kernels::{
    accelerator::{AcceleratorChoice, choose},
    boot::Request,
    stop::Stop,
};
use rustix::process::{Signal, kill_process};

use crate::support::{Place, boots, boots_until, guest_runs, mounted, real, run_message, skip};

/// Finds the port, as the guest does without udev.
const BEGIN: &str = "export PATH=/bin
busybox mount -t devtmpfs none /dev
for module in /modules/*.ko; do busybox insmod $module; done
port=$(echo /dev/vport*p*)
say() { echo \"$1\" > $port; }
say '{\"message\":\"up\",\"release\":\"'$(busybox uname -r)'\",\"version\":\"\"}'";

/// A place and a request, or none after saying why.
fn ready(test: &str) -> Option<(Place, Request)> {
    match real() {
        Ok(real) => {
            let place = Place::new();
            let request = place.request(real.qemu.clone(), real.kernel.clone());
            Some((place, request))
        }
        Err(reason) => {
            skip(test, &reason);
            None
        }
    }
}

/// The same for a boot in which the guest has something to do.
fn ready_with_guest(test: &str) -> Option<(Place, Request)> {
    let ready = ready(test)?;
    if let Err(reason) = guest_runs() {
        skip(test, &reason);
        return None;
    }
    Some(ready)
}

#[test]
fn a_guest_that_does_its_job_finishes_and_its_record_comes_back() {
    let test = "a_guest_that_does_its_job_finishes_and_its_record_comes_back";
    let Some((place, mut request)) = ready_with_guest(test) else { return };
    request.machine.disk.filesystem = "ext4".to_owned();
    let record = run_message();
    place.guest(&format!(
        "{BEGIN}
busybox mount -t ext4 /dev/vda /mnt || say '{{\"message\":\"failed\",\"reason\":\"no ext4\"}}'
say '{{\"message\":\"bench\",\"number\":0,\"time_max_s\":5}}'
busybox dd if=/dev/zero of=/mnt/file bs=4k count=8 conv=fsync
say '{record}'
say '{{\"message\":\"done\"}}'
busybox poweroff -f"
    ));
    let (boot, records) = boots(&request);
    assert_eq!((boot.ended, boot.reason.as_str()), (Ended::Finished, ""), "{boot:#?}");
    assert_eq!((boot.runs, records.len()), (1, 1));
    assert!(boot.release.is_some_and(|release| release.starts_with(char::is_numeric)));
    let log = fs::read_to_string(place.path("console.log")).unwrap();
    assert!(log.contains("Linux version "));
    place.assert_nothing_is_left();
}

#[test]
fn a_kernel_without_an_init_panics() {
    let Some((place, mut request)) = ready("a_kernel_without_an_init_panics") else { return };
    place.guest("");
    request.append = "console=ttyS0 panic=-1 rdinit=/nothing".to_owned();
    let (boot, _) = boots(&request);
    assert_eq!(boot.ended, Ended::Panicked, "{boot:#?}");
    assert!(boot.reason.contains("Kernel panic - not syncing"), "{}", boot.reason);
    assert!(boot.release.is_some() && !boot.console_tail.is_empty());
    place.assert_nothing_is_left();
}

#[test]
fn a_guest_that_sleeps_for_ever_has_hung() {
    let test = "a_guest_that_sleeps_for_ever_has_hung";
    let Some((place, mut request)) = ready_with_guest(test) else { return };
    place.guest(&format!("{BEGIN}\nbusybox sleep 1000"));
    request.limits.ready_max = Duration::from_secs(1);
    let (boot, _) = boots(&request);
    assert_eq!(boot.ended, Ended::Hung, "{boot:#?}");
    place.assert_nothing_is_left();
}

#[test]
fn a_file_that_is_no_kernel_is_refused_in_the_words_of_qemu() {
    let test = "a_file_that_is_no_kernel_is_refused_in_the_words_of_qemu";
    let Some((place, mut request)) = ready(test) else { return };
    place.guest("");
    request.kernel = place.path("initramfs");
    let (boot, _) = boots(&request);
    assert_eq!(boot.ended, Ended::Died, "{boot:#?}");
    assert!(boot.reason.contains("exit status: 1: "), "{}", boot.reason);
    place.assert_nothing_is_left();
}

#[test]
fn pulling_the_plug_keeps_earlier_results() {
    let test = "pulling_the_plug_keeps_earlier_results";
    let Some((place, mut request)) = ready_with_guest(test) else { return };
    request.machine.disk.filesystem = "ext4".to_owned();
    let record = run_message();
    place.guest(&format!(
        "{BEGIN}
say '{{\"message\":\"bench\",\"number\":0,\"time_max_s\":5}}'
say '{record}'
busybox sleep 1000"
    ));
    let boot = boots_until(&request, &Stop::default(), &mut |_| {
        let processes = place.processes();
        assert_eq!(processes.len(), 1, "{processes:?}");
        Ok(kill_process(processes[0].0, Signal::KILL)?)
    });
    let boot = boot.unwrap();
    assert_eq!((boot.ended, boot.runs), (Ended::Died, 1), "{boot:#?}");
    assert_eq!(boot.reason, "QEMU ended with signal: 9 (SIGKILL) (in bench 0)");
    place.assert_nothing_is_left();
}

#[test]
fn a_host_disk_that_fills_up_is_an_error_of_the_guest_and_named() {
    let test = "a_host_disk_that_fills_up_is_an_error_of_the_guest_and_named";
    let Some((place, mut request)) = ready_with_guest(test) else { return };
    let Some(_mount) = mounted(&place.scratch(), 80) else {
        return skip(test, "only root may mount");
    };
    request.machine.disk.filesystem = "ext4".to_owned();
    let record = run_message();
    place.guest(&format!(
        "{BEGIN}
busybox mount -t ext4 /dev/vda /mnt
say '{{\"message\":\"bench\",\"number\":0,\"time_max_s\":5}}'
say '{record}'
until busybox test -b /dev/never; do
    busybox dd if=/dev/zero of=/mnt/file bs=64k count=600 conv=fsync || break
done
say '{{\"message\":\"failed\",\"reason\":\"fsync failed\"}}'
busybox poweroff -f"
    ));
    let filler = place.scratch().join("filler");
    let boot = boots_until(&request, &Stop::default(), &mut |_| {
        // To the last byte: how much there is does not matter.
        let _ = fs::write(&filler, vec![1; 80 << 20]);
        Ok(())
    });
    let boot = boot.unwrap();
    assert_eq!(boot.ended, Ended::Failed, "{boot:#?}");
    assert!(boot.reason.starts_with("fsync failed; the host has only "), "{}", boot.reason);
    fs::remove_file(filler).unwrap();
    place.assert_nothing_is_left();
}

#[test]
fn an_accelerator_is_kvm_or_comes_with_a_reason() {
    let test = "an_accelerator_is_kvm_or_comes_with_a_reason";
    let Some((place, request)) = ready(test) else { return };
    let stop = Stop::default();
    let choice = choose(AcceleratorChoice::Auto, &request.qemu, &request.kernel, &stop).unwrap();
    assert_eq!(choice.name == "kvm", choice.reason.is_empty(), "{choice:?}");
    let forced = choose(AcceleratorChoice::Kvm, &request.qemu, &request.kernel, &stop);
    match forced {
        Ok(forced) => assert_eq!(forced, choice),
        Err(error) => assert!(error.to_string().contains(&choice.reason), "{error}"),
    }
    place.assert_nothing_is_left();
}
