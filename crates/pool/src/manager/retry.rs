//! Further attempts of calls whose owner allowed them: after the worker has died, or was stopped because the call
//! ran for too long.
//!
//! One attempt is over before the next one starts: a call that ran out of time is repeated when its worker is gone, or
//! when the call ended within its grace. The arguments of the next attempt are a copy that no worker could write to.
//! All attempts share number and sequence number; the next one waits behind all other calls.

use super::Manager;
use crate::calls::{Call, Outcome, Payload, Retries, earlier};
use crate::completion::CallId;

impl Manager {
  /// A call has gone into a lane: its payload is kept if it may be needed again.
  pub(super) fn keep(&mut self, id: CallId, payload: Payload) {
    if let Some(retries) = self.calls.get_mut(id).and_then(|call| call.retries.as_mut()) {
      retries.keep(payload);
    }
  }

  /// The attempt that is under way was stopped for running too long. True: another one follows it.
  pub(super) fn will_retry(&mut self, id: CallId) -> bool {
    let Some(call) = self.calls.get_mut(id).filter(|call| call.retries.is_some()) else { return false };
    call.outcome = Outcome::Repeated;
    true
  }

  /// Nobody waits for the call any more. True: its attempt was stopped before, and another one would follow.
  pub(super) fn forgo_retry(&mut self, id: CallId) -> bool {
    let is_stopped =
      |call: &&mut Call| call.outcome == Outcome::Repeated || (call.outcome == Outcome::Overdue && call.owner_repeats);
    let Some(call) = self.calls.get_mut(id).filter(is_stopped) else { return false };
    call.outcome = Outcome::Dropped;
    true
  }

  /// An attempt has ended after it was stopped. True: the call waits for its next one.
  pub(super) fn retry_stopped(&mut self, id: CallId) -> bool {
    self.calls.get(id).is_some_and(|call| call.outcome == Outcome::Repeated) && self.retry(id)
  }

  /// An attempt has ended without an outcome. True: the call waits for its next one.
  pub(super) fn retry(&mut self, id: CallId) -> bool {
    // Of a chunk some items may be finished: its owner starts the others again.
    let may = |call: &&mut Call| call.outcome != Outcome::Dropped && !call.is_chunk();
    let Some(call) = self.calls.get_mut(id).filter(may) else { return false };
    let Some((next, payload)) = call.retries.take().map(Retries::use_one) else { return false };
    call.retries = next;
    call.flags = earlier::count_one(call.flags);
    call.outcome = Outcome::Delivered;
    self.put_behind(id, payload);
    true
  }
}
