//! The monotonic clock, which all processes of the machine share, and the clock of a thread's work.

use rustix::time::{ClockId, clock_gettime};

/// `clock_gettime(CLOCK_MONOTONIC)` in nanoseconds: never goes back, and two processes read the same clock.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/clock_gettime.2.html)
pub fn monotonic_ns() -> u64 {
  let now = clock_gettime(ClockId::Monotonic);
  // The clock counts from the start of the machine, so neither part is negative.
  now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

/// The processor time of the calling thread in nanoseconds: what others do meanwhile does not count.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man2/clock_gettime.2.html)
#[cfg(target_os = "linux")]
pub(crate) fn thread_cpu_ns() -> u64 {
  let now = clock_gettime(ClockId::ThreadCPUTime);
  // The clock counts from the start of the thread, so neither part is negative.
  now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn the_clock_advances_with_time() {
    let before = monotonic_ns();
    std::thread::sleep(std::time::Duration::from_millis(2));
    assert!(monotonic_ns() - before >= 2_000_000);
  }
}
