//! The activity of another process: whether it waits for a processor, and how much processor time it has had.

use std::time::Duration;

/// What the system tells of a process at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Activity {
  /// The first thread of the process runs, or waits for a processor, for a page of memory, or for a disk. False: it
  /// sleeps, or is stopped.
  pub wants_to_run: bool,
  /// The processor time of all its threads since its start.
  pub cpu: Duration,
}

/// The activity of the process `pid`; `None` if there is no such process, this process may not look at it, or the
/// system does not tell.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html)
#[cfg(target_os = "linux")]
pub fn activity(pid: u32) -> Option<Activity> {
  let ticks_per_second = rustix::param::clock_ticks_per_second().max(1);
  parse(&std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?, ticks_per_second)
}

/// The activity of the process `pid`: unknown on this system.
#[cfg(not(target_os = "linux"))]
pub fn activity(_pid: u32) -> Option<Activity> {
  None
}

#[cfg(any(target_os = "linux", test))]
fn parse(stat: &str, ticks_per_second: u64) -> Option<Activity> {
  // The name of the program, in parentheses, may hold anything, parentheses and blanks included.
  let (_, rest) = stat.rsplit_once(')')?;
  let mut fields = rest.split_ascii_whitespace();
  let state = fields.next()?;
  let mut ticks = fields.skip(10).map(str::parse::<u64>);
  let ticks = ticks.next()?.ok()? + ticks.next()?.ok()?;
  Some(Activity {
    wants_to_run: matches!(state, "R" | "D"),
    cpu: Duration::from_millis(ticks.saturating_mul(1000) / ticks_per_second),
  })
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn the_name_of_a_program_does_not_confuse() {
    let stat = "4242 (a) S (b) R 1 2 3 4 5 6 7 8 9 10 150 25 0 0 20 0 1 0 100";
    assert_eq!(parse(stat, 100), Some(Activity { wants_to_run: true, cpu: Duration::from_millis(1750) }));
    assert!(!parse("1 (x) T 1 2 3 4 5 6 7 8 9 10 0 0 0", 100).unwrap().wants_to_run);
    assert_eq!(parse("", 100), None);
    assert_eq!(parse("1 (x) R 1 2", 100), None);
  }

  #[cfg(target_os = "linux")]
  #[test]
  fn a_process_that_computes_uses_processor_time() {
    let before = activity(std::process::id()).unwrap();
    let mut sum = 0_u64;
    while activity(std::process::id()).unwrap().cpu < before.cpu + Duration::from_millis(50) {
      sum = std::hint::black_box(sum.wrapping_add(1));
    }
    assert_eq!(activity(u32::MAX), None);
  }
}
