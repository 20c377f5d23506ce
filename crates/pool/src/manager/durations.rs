//! How long the calls of each task take, as far as results have told.
//!
//! A lane knows how long its last calls took (`lane/queue.rs`), whatever they were. That says nothing of another task,
//! nor of the next call of a worker that has run little. So the calls of each task are timed for the whole pool, too.

/// Stands for the duration of a task that is not known.
pub(super) const UNKNOWN: u32 = 10_000_000;

/// The smoothed duration in nanoseconds of each task's calls, by the task's number.
#[derive(Debug, Default)]
pub(super) struct Durations {
  tasks: Vec<u32>,
}

impl Durations {
  /// How long a call of this task is expected to take.
  pub(super) fn of(&self, task: u32) -> u32 {
    self.tasks.get(task as usize).copied().unwrap_or(UNKNOWN)
  }

  /// A call of this task took so long.
  pub(super) fn note(&mut self, task: u32, ran_ns: u32) {
    let task = task as usize;
    if self.tasks.len() <= task {
      self.tasks.resize(task + 1, UNKNOWN);
    }
    let old = self.tasks[task];
    // A first value counts whole.
    self.tasks[task] = if old == UNKNOWN { ran_ns } else { old - old / 8 + ran_ns / 8 };
  }

  /// The number of a task means another one from now on.
  pub(super) fn forget(&mut self, task: u32) {
    if let Some(duration) = self.tasks.get_mut(task as usize) {
      *duration = UNKNOWN;
    }
  }
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn a_task_takes_what_its_last_calls_took() {
    let mut durations = Durations::default();
    assert_eq!(durations.of(3), UNKNOWN);
    durations.note(3, 4_000_000);
    assert_eq!(durations.of(3), 4_000_000);
    for _ in 0..100 {
      durations.note(3, 800);
    }
    assert!((700..900).contains(&durations.of(3)), "{}", durations.of(3));
    assert_eq!((durations.of(2), durations.of(4)), (UNKNOWN, UNKNOWN));
    durations.note(3, 80_000_000);
    assert!(durations.of(3) > 9_000_000);
    durations.forget(3);
    assert_eq!(durations.of(3), UNKNOWN);
    durations.note(3, u32::MAX);
    durations.note(3, u32::MAX);
  }
}
