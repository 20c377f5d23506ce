//! Going to sleep, and not yet.

use super::Manager;
use crate::lane::Lane;
use crate::spin::processors;

/// A call that runs longer than this is not waited for awake: its worker's ring costs less than the looking.
const SHORT_NS: u32 = 10_000;

impl Manager {
  /// To be called before the owner sleeps; true means that there is something to look at, so it should go through a round
  /// instead. With `may_spin` this looks for results of short calls for some microseconds before it has their workers ring.
  pub fn prepare_to_sleep(&mut self, may_spin: bool) -> bool {
    if !self.hot.is_empty() {
      return true;
    }
    if self.awake.is_empty() {
      return false;
    }
    let found = (may_spin && self.spin()) || self.arm();
    self.found_awake |= found;
    found
  }

  fn spin(&mut self) -> bool {
    let lanes = &self.lanes;
    let lane = |index: &usize| lanes[*index].as_ref();
    let is_short = |lane: &Lane| !lane.held.is_empty() && lane.service_ns().is_some_and(|ns| ns <= SHORT_NS);
    if !self.awake.iter().filter_map(lane).any(is_short) || !self.has_spare_processor() {
      return false;
    }
    let mut found = None;
    let awake = &self.awake;
    self.spinner.spin(|| {
      found = awake.iter().find(|index| lane(index).is_some_and(|lane| lane.ring.has_result())).copied();
      found.is_some()
    });
    if let Some(index) = found {
      self.heat(index);
    }
    found.is_some()
  }

  /// From now on the workers ring.
  fn arm(&mut self) -> bool {
    let mut found = false;
    for index in std::mem::take(&mut self.awake) {
      let Some(lane) = self.lane_mut(index) else { continue };
      lane.awake = false;
      if lane.ring.arm() {
        self.heat(index);
        found = true;
      }
    }
    found
  }

  /// The lane was looked through: somebody has to look again before the owner sleeps.
  pub(crate) fn stay_awake(&mut self, index: usize) {
    if let Some(lane) = self.lanes[index].as_mut()
      && !std::mem::replace(&mut lane.awake, true)
    {
      self.awake.push(index);
    }
  }

  /// Tells a worker that is about to get a call whether it may look for the next one awake.
  pub(crate) fn let_spin(&self, index: usize) {
    if let Some(lane) = self.lanes[index].as_ref() {
      // With this one among the busy.
      lane.ring.let_spin(self.busy_below(processors().saturating_sub(1)));
    }
  }

  /// Whether each worker that has something to do, and the host, has a processor.
  fn has_spare_processor(&self) -> bool {
    self.busy_below(processors())
  }

  /// Whether fewer than `bound` workers have something to do.
  fn busy_below(&self, bound: usize) -> bool {
    self.live < bound || self.living().filter(|(_, lane)| !lane.held.is_empty()).take(bound).count() < bound
  }
}
