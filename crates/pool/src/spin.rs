//! Spinning: looking for news for a moment before going to sleep.
//!
//! To sleep and to be woken takes each side some 5 µs of processor time, and delays whoever waits by 20 µs or more. So
//! a side that expects news sooner looks for about as long as a sleep would cost. Two rules keep that from hurting:
//!
//! - A side spins only while a processor is spare. With fewer processors than workers, nobody takes a processor from a
//!   worker that has something to do.
//! - The more often a side has looked in vain, the more looks are left out. An idle pool does not spin.

use std::sync::OnceLock;
use std::thread::available_parallelism;

use millrace_sys::monotonic_ns;

/// The length of a moment.
const LOOK_NS: u64 = 20_000;

/// How many looks follow each other before one at the clock, which takes as long as several.
const LOOKS: u32 = 16;

/// Moments in vain in a row that count. After so many 14 of 15 moments are left out; after fewer 2 of 3, or 6 of 7.
const MAX_MISSES: u32 = 4;

/// How many processors this process may use.
pub(crate) fn processors() -> usize {
  static PROCESSORS: OnceLock<usize> = OnceLock::new();
  *PROCESSORS.get_or_init(|| available_parallelism().map_or(1, usize::from))
}

/// Whether `MILLRACE_SPIN` is `off`: no processor is ever spare for spinning.
pub(crate) fn is_off() -> bool {
  static OFF: OnceLock<bool> = OnceLock::new();
  *OFF.get_or_init(|| std::env::var_os("MILLRACE_SPIN").is_some_and(|value| value == "off"))
}

/// When one side looks, and when it leaves a moment out.
#[derive(Debug, Default)]
pub(crate) struct Spinner {
  /// Moments in vain in a row, up to [`MAX_MISSES`].
  misses: u32,
  /// Moments to be left out before the next look.
  skips: u32,
}

impl Spinner {
  /// Looks for a moment, unless this one is left out. True: `found` said so.
  pub(crate) fn spin(&mut self, mut found: impl FnMut() -> bool) -> bool {
    if self.skips > 0 {
      self.skips -= 1;
      return false;
    }
    let end = monotonic_ns() + LOOK_NS;
    loop {
      for _ in 0..LOOKS {
        if found() {
          self.misses = 0;
          return true;
        }
        std::hint::spin_loop();
      }
      if monotonic_ns() > end {
        self.misses = (self.misses + 1).min(MAX_MISSES);
        self.skips = (1 << self.misses) - 2;
        return false;
      }
    }
  }
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn what_is_there_is_found() {
    let mut looks = 0;
    let third = || {
      looks += 1;
      looks == 3
    };
    assert!(Spinner::default().spin(third));
    assert_eq!(looks, 3);
  }

  #[test]
  fn the_more_often_nothing_came_the_less_is_looked() {
    let mut spinner = Spinner::default();
    let mut attempts = 0;
    for _ in 0..1000 {
      let mut looked = false;
      assert!(!spinner.spin(|| {
        looked = true;
        false
      }));
      attempts += u32::from(looked);
    }
    assert!((60..80).contains(&attempts), "{attempts}");
    // Something came: from now on each time again.
    while !spinner.spin(|| true) {}
    assert!(spinner.spin(|| true));
  }
}
