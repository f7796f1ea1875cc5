//! Waiting for what the kernel brings in its own time, such as a device.

use std::time::Duration;

use crate::clock;
use crate::sync::thread;

/// How often it is polled.
const LOOK: Duration = Duration::from_millis(10);

/// Polls until there is a result or the time is over, and at least once.
pub(super) fn wait_for<T>(time_max: Duration, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = clock::now().after(time_max);
    loop {
        let found = look();
        if found.is_some() || deadline <= clock::now() {
            return found;
        }
        thread::sleep(LOOK);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_result_is_found_and_a_missing_one_is_given_up() {
        let mut looks = 0;
        let third = wait_for(Duration::from_secs(60), || {
            looks += 1;
            (looks == 3).then_some("there")
        });
        assert_eq!(third, Some("there"));
        assert_eq!(wait_for(Duration::ZERO, || None::<()>), None);
    }
}
