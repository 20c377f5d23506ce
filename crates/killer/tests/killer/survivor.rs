//! The survivors: how each side accounts for a lane whose other side is gone, and what it must not find there.
//!
//! # The host, when its worker is gone
//!
//! Each call that the worker had is in exactly one of three states: its result was committed, and is there whole; or it
//! was claimed, and is lost; or it is still queued, and comes back with the bytes that were pushed. Since the worker
//! takes calls in order, so are the states. Nothing is [`millrace_ring::Corrupt`].
//!
//! # The worker, when its host is gone
//!
//! It sees a call whole or not at all, those before it as they were, and each of them once.

use millrace_ring::{Arrival, CallKind, INLINE_CAPACITY, Position, ResultHeader, SlotState, Taken};

use crate::lanes::{CLAIMED_AT, Call, DONE, Host, Worker};

/// What became of a call whose worker is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
  Committed,
  Claimed,
  Queued,
}

impl Fate {
  pub(crate) fn name(self) -> &'static str {
    match self {
      Self::Committed => "committed",
      Self::Claimed => "claimed",
      Self::Queued => "queued",
    }
  }
}

/// A host whose worker is gone, with what it knows of the calls.
pub(crate) struct Bereaved {
  pub(crate) host: Host,
  /// Oldest first.
  pub(crate) calls: Vec<(Position, Call)>,
  /// What the worker answers its first call.
  pub(crate) answer: Vec<u8>,
}

impl Bereaved {
  /// A host that has pushed `calls`, in this order.
  pub(crate) fn new(mut host: Host, calls: impl IntoIterator<Item = Call>, answer: Vec<u8>) -> Self {
    let calls = calls.into_iter().map(|call| (call.push_to(&mut host), call)).collect();
    Self { host, calls, answer }
  }

  /// Drains the results, takes back what is queued, and says what became of each call.
  pub(crate) fn settle(&mut self) -> Result<Vec<Fate>, String> {
    let mut fates = vec![None; self.calls.len()];
    while let Some(arrival) = self.host.next_result().map_err(|corrupt| corrupt.to_string())? {
      let Arrival::Result(result) = arrival else { return Err("a notice that nobody sent".into()) };
      let Some(index) = self.calls.iter().position(|(position, _)| *position == result.position) else {
        return Err(format!("a result for position {}", result.position));
      };
      let header =
        ResultHeader { status: result.status, codec: result.codec, flags: result.flags, ran_ns: result.ran_ns };
      let mut payload = vec![0; result.payload_len()];
      self.host.copy_payload(&result, 0, &mut payload);
      ensure(header == DONE && payload == self.answer, "a torn result")?;
      ensure(self.host.is_claimed(result.position), "a result of a call that is still queued and would run again")?;
      self.host.consume(&result);
      ensure(fates[index].replace(Fate::Committed).is_none(), "two results of one call")?;
    }
    let mut lost = Vec::new();
    for (index, (position, call)) in self.calls.iter().enumerate() {
      if fates[index].is_some() {
        continue;
      }
      let is_claimed = self.host.is_claimed(*position);
      let mut payload = Vec::new();
      let header = self.host.reclaim(*position, &mut payload).map(|back| back.header);
      ensure(header.is_none() == is_claimed, "a call that is both claimed and taken back, or neither")?;
      if is_claimed {
        ensure(self.host.claimed_at() == CLAIMED_AT, "a claim without its time")?;
        lost.push((*position, call));
      } else {
        ensure(header == Some(call.header) && payload == call.payload, "a queued call that has changed")?;
      }
      fates[index] = Some(if is_claimed { Fate::Claimed } else { Fate::Queued });
    }
    ensure(!self.host.has_result(), "a result after the last")?;
    ensure(
      outstanding(&self.host) == lost.iter().map(|(position, _)| *position).collect::<Vec<_>>(),
      "calls that are not accounted for",
    )?;
    let blocks: u64 = lost.iter().map(|(_, call)| block_size(call.payload.len())).sum();
    ensure(self.host.snapshot().arena_in_use == blocks, "blocks that are not accounted for")?;
    let fates: Vec<_> = fates.into_iter().flatten().collect();
    ensure(fates.is_sorted(), "calls that were claimed out of order")?;
    ensure(lost.len() <= 1, "two calls that were claimed at once")?;
    Ok(fates)
  }
}

/// How many pushes of small payloads would succeed, one after the other.
pub(crate) fn free_slots(host: &Host) -> u32 {
  (1..).take_while(|&count| host.has_slots(count)).count() as u32
}

/// The positions of calls that have been neither consumed nor taken back, oldest first.
fn outstanding(host: &Host) -> Vec<Position> {
  let runs = host.snapshot().calls.into_iter();
  let outstanding = runs.filter(|run| matches!(run.state, SlotState::Queued | SlotState::Claimed));
  outstanding.flat_map(|run| (0..run.count).map(move |step| run.from.wrapping_add(step))).collect()
}

/// A worker whose host is gone takes all calls that there are, and answers them.
pub(crate) fn serve(worker: &mut Worker) -> Result<Vec<Call>, String> {
  let mut calls = Vec::new();
  loop {
    let record = match worker.take(|| CLAIMED_AT) {
      Taken::Call(record) => record,
      Taken::Empty => return Ok(calls),
      other => return Err(format!("{other:?}")),
    };
    let header = millrace_ring::CallHeader {
      kind: record.kind,
      codec: record.codec,
      flags: record.flags,
      task: record.task,
      sequence: record.sequence,
    };
    let mut payload = vec![0; record.payload_len()];
    worker.copy_payload(&record, 0, &mut payload);
    if record.kind == CallKind::Define {
      worker.release_define(&record);
    } else {
      worker.commit(&DONE, &record, b"ok", &[]).map_err(|error| error.to_string())?;
    }
    calls.push(Call { header, payload });
  }
}

/// The stage at which there is a call, or there is none: `calls` are what the worker found, `before` those that were
/// there already, and `new` the one that its host was about to push when it died.
pub(crate) fn whole_or_not_at_all(calls: &[Call], before: &[Call], new: &Call) -> Result<&'static str, String> {
  let Some(new_ones) = calls.strip_prefix(before) else { return Err("an earlier call was lost or has changed".into()) };
  match new_ones {
    [] => Ok("absent"),
    [found] if found == new => Ok("queued"),
    [_] => Err("a torn call".into()),
    _ => Err("a call that was pushed once and came twice".into()),
  }
}

/// An error that says `otherwise` unless it holds.
pub(crate) fn ensure(holds: bool, otherwise: &str) -> Result<(), String> {
  if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}

fn block_size(len: usize) -> u64 {
  if len > INLINE_CAPACITY { len.next_multiple_of(64) as u64 } else { 0 }
}
