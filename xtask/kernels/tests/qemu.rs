//! Boots of a real kernel under a real QEMU, with a guest out of busybox.

mod support;

use iowq_record::Ended;
use support::{Place, boots, real, run_message, skip};

/// Finds the port, as the guest does without udev.
const BEGIN: &str = "export PATH=/bin
busybox mount -t devtmpfs none /dev
port=$(echo /dev/vport*p*)
say() { echo \"$1\" > $port; }
say '{\"message\":\"up\",\"release\":\"'$(busybox uname -r)'\",\"version\":\"\"}'";

#[test]
fn a_guest_that_does_its_job_finishes_and_its_record_comes_back() {
    let (qemu, kernel) = match real() {
        Ok(real) => real,
        Err(reason) => return skip("a_guest_that_does_its_job_finishes", &reason),
    };
    let place = Place::new();
    let mut request = place.request(qemu, kernel);
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
    let log = std::fs::read_to_string(place.path("console.log")).unwrap();
    assert!(log.contains("Linux version "));
    place.assert_nothing_is_left();
}
