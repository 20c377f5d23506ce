//! The sleep of the manager: what is looked at before its owner sleeps, and from when on workers ring.
//!
//! Each lane has a word "the host sleeps". A worker rings with its next result only if the word is set, so that results
//! cost no system call while the host is awake. To arm a lane is to set the word.
//!
//! 1. Lanes that are due are drained first: no sleep.
//! 2. If calls are short and a processor is spare, the unarmed lanes are looked at for some microseconds (`spin.rs`): a
//!    result in that time costs neither side a sleep and a ring.
//! 3. All unarmed lanes are armed. A lane that has a result when it is armed is due: no sleep.
//!
//! Workers sleep in the same way. The host tells each worker with a call whether a processor is spare for it to spin.

use super::Manager;
use crate::lane::Lane;
use crate::spin::{self, processors};

/// Longest service time of calls whose results are looked for before a sleep. The ring of a longer call costs less than
/// the looks.
const SHORT_NS: u32 = 10_000;

impl Manager {
  /// To be called before the owner sleeps. True: there is something to look at, and a round has to come first. With
  /// `may_spin` the results of short calls are looked for during some microseconds before their workers are asked to
  /// ring.
  pub fn prepare_to_sleep(&mut self, may_spin: bool) -> bool {
    if !self.drain.is_done() {
      return true;
    }
    if self.drain.unarmed().is_empty() {
      return false;
    }
    let found = (may_spin && self.spin()) || self.arm();
    self.drain.note_found_before_sleep(found);
    found
  }

  fn spin(&mut self) -> bool {
    let lanes = &self.lanes;
    let is_short = |lane: &Lane| !lane.is_empty() && lane.service_ns().is_some_and(|ns| ns <= SHORT_NS);
    let is_worth_it = self.drain.unarmed().iter().any(|&index| lanes.get(index).is_some_and(is_short));
    // One processor for each worker that has something to do, and one for the host.
    is_worth_it
      && !spin::is_off()
      && lanes.busy_below(processors())
      && self.drain.spin(|index| lanes.get(index).is_some_and(Lane::has_result))
  }

  /// From now on the workers ring. True: there is something in some lane.
  fn arm(&mut self) -> bool {
    let mut found = false;
    for index in self.drain.take_unarmed() {
      let Some(lane) = self.lanes.get_mut(index) else { continue };
      lane.list_unarmed(false);
      if lane.arm() {
        self.drain.add(index);
        found = true;
      }
    }
    found
  }

  /// Tells a worker that is about to get a call whether it may look for the next one awake.
  pub(super) fn let_spin(&self, index: usize) {
    if let Some(lane) = self.lanes.get(index) {
      // One processor for each other worker that has something to do, one for this worker, one for the host.
      lane.let_spin(!spin::is_off() && self.lanes.busy_below(processors() - 1));
    }
  }
}
