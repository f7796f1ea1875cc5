//! How long the running kernel's idle workers wait before they leave.

use std::path::Path;
use std::time::Duration;

use crate::io;

/// The timeout of a kernel built for tests, which can be set, in milliseconds. All others have the
/// one of their source.
const PARAMETER: &str = "/sys/module/io_wq/parameters/idle_ms";

/// The timeout of all other kernels; `WORKER_IDLE_TIMEOUT` in io_uring/io-wq.c.
const STOCK: Duration = Duration::from_secs(5);

/// Bytes of the parameter at most. A number has twenty digits and the end of its line.
const PARAMETER_BYTES_MAX: u64 = 64;

/// The idle timeout of the running kernel's io-wq.
#[must_use]
pub fn kernel_idle_timeout() -> Duration {
    let parameter = io::read_start(Path::new(PARAMETER), PARAMETER_BYTES_MAX).ok();
    parameter.and_then(|(bytes, _)| idle_timeout(&String::from_utf8_lossy(&bytes))).unwrap_or(STOCK)
}

/// The timeout that the text of the parameter states, if it is a number.
fn idle_timeout(parameter: &str) -> Option<Duration> {
    parameter.trim().parse().ok().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parameter_is_a_number_of_milliseconds_or_none() {
        assert_eq!(idle_timeout("250\n"), Some(Duration::from_millis(250)));
        assert_eq!(idle_timeout("5000"), Some(STOCK));
        for text in ["", "\n", "-1", "5 s", "99999999999999999999"] {
            assert_eq!(idle_timeout(text), None, "{text:?}");
        }
    }
}
