//! A worker that does not come to its calls: how long it has been silent, and whether it could have come.
//!
//! A worker that has been rung comes to its loop at once, unless code that an earlier task has left behind keeps its
//! thread (a timer that spins, a flood of microtasks), or its process is stopped. Nothing in the lane tells that worker
//! from one that the machine does not let run. So three things are looked at:
//!
//! - The time. It is counted in looks, each of which adds no more than [`LOOK`]: a host that was suspended or stopped
//!   itself, and its workers with it perhaps, does not hold that time against them.
//! - The state of the process. One that sleeps or is stopped does not wait for a processor.
//! - The processor time. A process that wants to run is silent when it has had enough of that and not come.
//!
//! A worker that has claimed a call runs that call, and is not silent, however long it takes.

use std::time::{Duration, Instant};

use millrace_sys::activity;

/// How long a worker that has nothing else to do may leave a call unclaimed, before the call goes to another.
pub(crate) const UNCLAIMED: Duration = Duration::from_secs(1);

/// The time between two looks at a lane whose worker owes a claim.
pub(crate) const LOOK: Duration = Duration::from_secs(1);

/// How long a silent worker is watched, after [`UNCLAIMED`], before it is given up.
const PATIENCE: Duration = Duration::from_secs(4);

/// The same for a worker that wants to run and has not had [`ENOUGH_CPU`], or of which that is not known.
const LONG_PATIENCE: Duration = Duration::from_secs(29);

/// The processor time after which a worker would have come to its loop. Garbage of a large heap takes less.
const ENOUGH_CPU: Duration = Duration::from_secs(1);

/// A silence that is under way.
#[derive(Clone, Copy, Debug)]
pub(super) struct Silence {
  /// Since when the worker was silent when this began. Another time by now means that it was heard in between.
  pub(super) since: Instant,
  /// The time of all looks so far.
  pub(super) watched: Duration,
  last_look: Instant,
  /// The processor time of the worker when this began.
  cpu: Option<Duration>,
}

/// The end of a worker that was given up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct GivenUp {
  /// How long the worker had been silent.
  pub(crate) silent_for: Duration,
}

/// The result of a look at a lane.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
  /// The worker owes no claim.
  Something,
  /// The worker owes a claim, and may still come.
  Nothing,
  /// The worker will not come any more.
  NothingForTooLong,
}

impl Silence {
  pub(super) fn new(since: Instant, now: Instant, pid: u32) -> Self {
    Self { since, watched: Duration::ZERO, last_look: now, cpu: activity(pid).map(|activity| activity.cpu) }
  }

  /// Looks again. True: it has been too long.
  pub(super) fn look(&mut self, now: Instant, pid: u32) -> bool {
    self.watched += now.saturating_duration_since(self.last_look).min(LOOK);
    self.last_look = now;
    if self.watched < PATIENCE || self.watched >= LONG_PATIENCE {
      return self.watched >= LONG_PATIENCE;
    }
    match (activity(pid), self.cpu) {
      (Some(activity), Some(before)) => !activity.wants_to_run || activity.cpu.saturating_sub(before) >= ENOUGH_CPU,
      _ => false,
    }
  }
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn time_in_which_nobody_looked_counts_as_one_look() {
    let start = Instant::now();
    let nobody = u32::MAX;
    let mut silence = Silence::new(start, start, nobody);
    assert!(!silence.look(start + Duration::from_secs(3600), nobody));
    assert_eq!(silence.watched, LOOK);
  }

  #[test]
  fn a_process_of_which_nothing_is_known_gets_the_long_patience() {
    let start = Instant::now();
    let nobody = u32::MAX;
    let mut silence = Silence::new(start, start, nobody);
    let looks = (1..).find(|&n| silence.look(start + LOOK * n, nobody));
    assert_eq!(looks, Some(29));
  }
}
