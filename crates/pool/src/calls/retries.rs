//! The further attempts that a call has left, and the count of those before.

use super::payload::Payload;

/// The number of attempts before the present one, among the owner's bits of a call: the owner writes those before
/// the submission of the call, and each repetition adds one. The worker tells its task.
pub mod earlier {
  /// The lowest bit of the number.
  pub const SHIFT: u32 = 6;
  /// The number stays there when it is reached.
  pub const MOST: u16 = 0x1ff;

  /// The bits of a call that is repeated.
  pub(crate) const fn count_one(flags: u16) -> u16 {
    if (flags >> SHIFT) & MOST < MOST { flags + (1 << SHIFT) } else { flags }
  }
}

/// The attempts left of one call, and its arguments meanwhile.
#[derive(Debug)]
pub(crate) struct Retries {
  /// Attempts beyond the one that is under way; never 0.
  left: u32,
  /// The encoded arguments while the call is in a lane.
  payload: Payload,
}

impl Retries {
  pub(crate) fn new(left: u32) -> Option<Self> {
    (left > 0).then(|| Self { left, payload: Payload::default() })
  }

  /// Keeps the arguments of the attempt that goes into a lane.
  pub(crate) fn keep(&mut self, payload: Payload) {
    self.payload = payload;
  }

  /// Another attempt begins: what is left after it, and its arguments.
  pub(crate) fn use_one(self) -> (Option<Self>, Payload) {
    (Self::new(self.left - 1), self.payload)
  }
}

#[cfg(test)]
mod tests {
  use super::earlier::{MOST, SHIFT, count_one};

  #[test]
  fn each_repetition_counts_one_up_to_the_most_and_leaves_the_other_bits_alone() {
    let others = !(MOST << SHIFT);
    let mut flags = others;
    for earlier in 0..MOST {
      assert_eq!(flags, others | (earlier << SHIFT));
      flags = count_one(flags);
    }
    assert_eq!(count_one(flags), flags);
    assert_eq!(flags, u16::MAX);
  }
}
