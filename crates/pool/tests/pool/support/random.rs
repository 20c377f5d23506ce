//! Numbers that look random and are the same in each run, unless `MILLRACE_TEST_SEED` is another number.

/// SplitMix64.
pub struct Random(u64);

impl Random {
  pub fn new(seed: u64) -> Self {
    let run: u64 = std::env::var("MILLRACE_TEST_SEED").ok().and_then(|text| text.parse().ok()).unwrap_or(0);
    Self(seed.wrapping_add(run << 32))
  }

  pub fn next(&mut self) -> u64 {
    self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = self.0;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
  }

  /// From 0 to `bound - 1`.
  pub fn below(&mut self, bound: usize) -> usize {
    (self.next() % bound as u64) as usize
  }

  /// True once in `n` times.
  pub fn one_in(&mut self, n: usize) -> bool {
    self.below(n) == 0
  }

  pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
    from[self.below(from.len())]
  }
}
