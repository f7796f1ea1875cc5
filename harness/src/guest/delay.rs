//! A block device that holds writes and flushes back, made of another by device-mapper.
//!
//! A request to device-mapper is a header, see [`Header`], with what belongs to the command after
//! it. The numbers are those of `linux/dm-ioctl.h`.

use std::fs::{File, OpenOptions};
use std::os::fd::AsRawFd as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use rustix::fs::minor;

use super::block::Block;
use crate::io::errno_name;

/// Where requests go to.
pub(super) const CONTROL: &str = "/dev/mapper/control";

/// What the device is called.
const NAME: &str = "iowq-delay";

/// A command: its number and its name for people.
struct Command(u8, &'static str);

const CREATE: Command = Command(3, "DM_DEV_CREATE");
const RESUME: Command = Command(6, "DM_DEV_SUSPEND");
const LOAD: Command = Command(9, "DM_TABLE_LOAD");
const VERSIONS: Command = Command(13, "DM_LIST_VERSIONS");

/// The version of the interface that is spoken here: any kernel with the same first number
/// understands it.
const VERSION: [u32; 3] = [4, 0, 0];

/// Bytes of the header: version, sizes, counts, flags (40), device (8), name (128), uuid (129),
/// and what fills it up.
const HEADER_BYTES: usize = 312;

/// Where in the header something is, in bytes.
const DATA_SIZE: usize = 12;
const DATA_START: usize = 16;
const TARGET_COUNT: usize = 20;
const DEVICE: usize = 40;
const DEVICE_NAME: usize = 48;

/// Bytes of a line of a table before its parameters: start, length, status, next, type.
const LINE_BYTES: usize = 40;
const LINE_LENGTH: usize = 8;
const LINE_TYPE: usize = 24;

/// Room for the list of targets; each takes some thirty bytes.
const TARGETS_BYTES: usize = 16 << 10;

/// Bytes of an entry in the list of targets before its name: next, version.
const TARGET_NAME: usize = 16;

/// A request, and afterwards the answer.
struct Request(Vec<u8>);

impl Request {
    /// A request for a device of this name with `data_bytes` after the header.
    fn new(name: &str, data_bytes: usize) -> Request {
        let mut request = Request(vec![0; HEADER_BYTES + data_bytes]);
        for (place, number) in VERSION.into_iter().enumerate() {
            request.put(4 * place, &number.to_ne_bytes());
        }
        request.put_number(DATA_SIZE, HEADER_BYTES + data_bytes);
        request.put_number(DATA_START, HEADER_BYTES);
        request.put(DEVICE_NAME, name.as_bytes());
        request
    }

    /// A request for a table of one line.
    fn table(name: &str, sectors: u64, kind: &str, parameters: &str) -> Request {
        // Parameters end in a zero, and lines begin at multiples of eight.
        let line_bytes = (LINE_BYTES + parameters.len() + 1).next_multiple_of(8);
        let mut request = Request::new(name, line_bytes);
        request.put_number(TARGET_COUNT, 1);
        request.put(HEADER_BYTES + LINE_LENGTH, &sectors.to_ne_bytes());
        request.put(HEADER_BYTES + LINE_TYPE, kind.as_bytes());
        request.put(HEADER_BYTES + LINE_BYTES, parameters.as_bytes());
        request
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    fn put_number(&mut self, at: usize, number: usize) {
        self.put(at, &u32::try_from(number).unwrap_or(u32::MAX).to_ne_bytes());
    }

    /// Hands it to the kernel, which writes the answer over it.
    fn send(&mut self, control: &File, command: &Command) -> anyhow::Result<()> {
        // SAFETY: the kernel reads and writes as many bytes as the header says, which is all there
        // are.
        let result = unsafe {
            libc::ioctl(control.as_raw_fd(), number(command) as libc::Ioctl, self.0.as_mut_ptr())
        };
        if result == 0 {
            return Ok(());
        }
        let error = std::io::Error::last_os_error();
        let name = error.raw_os_error().map_or("", errno_name);
        anyhow::bail!("{} failed: {name} ({error}); the console may say more", command.1)
    }
}

/// The number of an ioctl that reads and writes a header.
fn number(command: &Command) -> u32 {
    const READ_AND_WRITE: u32 = 3 << 30;
    const KIND: u32 = 0xfd << 8;
    READ_AND_WRITE | (HEADER_BYTES as u32) << 16 | KIND | u32::from(command.0)
}

/// The names of device-mapper's targets.
///
/// # Errors
/// If there is no device-mapper, or it refuses to say.
pub(super) fn targets() -> anyhow::Result<Vec<String>> {
    let mut request = Request::new("", TARGETS_BYTES);
    request.send(&control()?, &VERSIONS)?;
    Ok(listed(&request.0))
}

/// The names in an answer. An entry says how far away the next one is, and the last one says 0.
fn listed(answer: &[u8]) -> Vec<String> {
    let number = |at: usize| {
        let bytes = answer.get(at..at.checked_add(4)?)?;
        usize::try_from(u32::from_ne_bytes(bytes.try_into().ok()?)).ok()
    };
    let mut names = Vec::new();
    let mut at = number(DATA_START).unwrap_or(usize::MAX);
    while let Some(next) = number(at) {
        let name = answer.get(at + TARGET_NAME..).unwrap_or_default();
        let name = name.split(|byte| *byte == 0).next().unwrap_or_default();
        names.push(String::from_utf8_lossy(name).into_owned());
        if next == 0 {
            break;
        }
        at = at.saturating_add(next);
    }
    names
}

/// Makes a device that holds writes and flushes back for so long, and reads not at all. Returns
/// its node, which may take a moment to appear.
///
/// # Errors
/// Names the step that failed.
pub(super) fn make(block: &Block, delay_ms: u64) -> anyhow::Result<PathBuf> {
    let control = control()?;
    let mut created = Request::new(NAME, 0);
    created.send(&control, &CREATE)?;
    let device = created.0[DEVICE..DEVICE + 8].try_into().map(u64::from_ne_bytes)?;
    let parameters = parameters(&block.number, delay_ms);
    Request::table(NAME, block.sectors, "delay", &parameters)
        .send(&control, &LOAD)
        .with_context(|| format!("table: 0 {} delay {parameters}", block.sectors))?;
    // Without a flag it resumes, which puts the table in force.
    Request::new(NAME, 0).send(&control, &RESUME)?;
    Ok(Path::new("/dev").join(format!("dm-{}", minor(device))))
}

/// The device three times, each with where it begins and how long it waits: for reads, for writes,
/// for flushes.
fn parameters(number: &str, delay_ms: u64) -> String {
    format!("{number} 0 0 {number} 0 {delay_ms} {number} 0 {delay_ms}")
}

fn control() -> anyhow::Result<File> {
    OpenOptions::new().read(true).write(true).open(CONTROL).context(CONTROL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_has_the_number_that_tools_use() {
        let numbers = [&CREATE, &RESUME, &LOAD, &VERSIONS].map(number);
        assert_eq!(numbers, [0xc138_fd03, 0xc138_fd06, 0xc138_fd09, 0xc138_fd0d]);
    }

    #[test]
    fn reads_do_not_wait_and_writes_and_flushes_do() {
        assert_eq!(parameters("254:0", 3), "254:0 0 0 254:0 0 3 254:0 0 3");
    }

    #[test]
    fn a_table_lies_behind_the_header_and_ends_in_a_zero() {
        let Request(bytes) = Request::table("name", 2048, "delay", "254:0 0 0");
        assert_eq!(bytes.len() % 8, 0);
        let length = u32::from_ne_bytes(bytes[12..16].try_into().expect("four bytes"));
        assert_eq!(length as usize, bytes.len());
        assert_eq!(&bytes[48..53], b"name\0");
        assert_eq!(bytes[320..328], 2048u64.to_ne_bytes());
        assert_eq!(&bytes[336..342], b"delay\0");
        assert_eq!(&bytes[352..362], b"254:0 0 0\0");
    }

    #[test]
    fn targets_are_read_from_one_entry_to_the_next() {
        let mut answer = Request::new("", 64).0;
        let mut put = |at: usize, bytes: &[u8]| {
            answer[HEADER_BYTES + at..][..bytes.len()].copy_from_slice(bytes);
        };
        put(0, &24u32.to_ne_bytes());
        put(16, b"linear\0");
        put(24 + 16, b"delay\0");
        assert_eq!(listed(&answer), ["linear", "delay"]);
    }

    #[test]
    fn an_answer_that_makes_no_sense_lists_nothing() {
        assert!(listed(&[]).is_empty());
        let mut answer = Request::new("", 0).0;
        answer[DATA_START..DATA_START + 4].copy_from_slice(&u32::MAX.to_ne_bytes());
        assert!(listed(&answer).is_empty());
    }
}
