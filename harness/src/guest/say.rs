//! What the guest says to the host: on its virtio port, or on the console if it has none.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use iowq_contract::guest::{Message, PORT_NAME};

use super::wait::wait_for;

/// How a message begins on the console, among all that the kernel says there.
const CONSOLE_MARK: &str = "iowq-guest: ";

/// Where the kernel lists ports, each a folder with a file `name`.
const PORTS: &str = "/sys/class/virtio-ports";

/// The driver of ports, if the kernel has it.
const DRIVER: &str = "/sys/bus/virtio/drivers/virtio_console";

/// How long a port may take to appear once its driver is there. An emulated machine is slow.
const PORT_TIME_MAX: Duration = Duration::from_secs(20);

/// The way to the host.
pub(super) struct Say {
    port: Option<File>,
}

impl Say {
    /// Without a port yet.
    pub(super) fn on_console() -> Say {
        Say { port: None }
    }

    /// Opens the port and sends all further messages there.
    pub(super) fn open_port(&mut self) {
        let time_max = if Path::new(DRIVER).exists() { PORT_TIME_MAX } else { Duration::ZERO };
        self.port = wait_for(time_max, || {
            let device = Path::new("/dev").join(port(Path::new(PORTS))?);
            OpenOptions::new().write(true).open(device).ok()
        });
    }

    pub(super) fn has_port(&self) -> bool {
        self.port.is_some()
    }

    /// Says it, as one line.
    pub(super) fn say(&mut self, message: &Message) {
        if let Some(port) = &mut self.port {
            let Err(error) = write_line(port, "", message) else { return };
            let _ = writeln!(io::stderr(), "cannot write to the port: {error}");
        }
        // If that fails, too, there is no other way left.
        let _ = write_line(&mut io::stdout(), CONSOLE_MARK, message);
    }
}

/// Name of the device of our port.
fn port(ports: &Path) -> Option<String> {
    let ours = fs::read_dir(ports).ok()?.flatten().find(|port| {
        fs::read_to_string(port.path().join("name")).is_ok_and(|name| name.trim() == PORT_NAME)
    });
    ours?.file_name().into_string().ok()
}

/// Writes a whole line at once, so that no other writer's output splits it.
fn write_line(to: &mut impl Write, mark: &str, message: &Message) -> io::Result<()> {
    let mut line = mark.as_bytes().to_vec();
    serde_json::to_writer(&mut line, message)?;
    line.push(b'\n');
    to.write_all(&line)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_port_is_found_by_its_name_among_others() {
        let ports = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(port(ports.path()), None);
        for (device, name) in [("vport0p0", ""), ("vport1p1", "other\n"), ("vport1p2", PORT_NAME)] {
            let folder = ports.path().join(device);
            fs::create_dir(&folder).expect("a folder");
            fs::write(folder.join("name"), format!("{name}\n")).expect("a file");
        }
        assert_eq!(port(ports.path()).as_deref(), Some("vport1p2"));
        assert_eq!(port(Path::new("/not/there")), None);
    }

    #[test]
    fn a_message_is_one_line_with_the_mark_before_it_on_the_console() {
        let mut written = Vec::new();
        let message = Message::Failed { reason: "one\ntwo".to_owned() };
        write_line(&mut written, CONSOLE_MARK, &message).expect("memory takes it");
        let text = String::from_utf8(written).expect("text");
        let json = text.strip_prefix("iowq-guest: ").and_then(|text| text.strip_suffix('\n'));
        assert_eq!(json, Some(r#"{"message":"failed","reason":"one\ntwo"}"#));
    }
}
