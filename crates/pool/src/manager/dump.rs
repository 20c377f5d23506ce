//! The state of a pool as text, for people who want to know why nothing happens.
//!
//! `docs/troubleshooting.md` explains such a text line by line.

use std::fmt::{self, Write};
use std::time::Instant;

use millrace_ring::{LaneSnapshot, SlotState};
use millrace_sys::monotonic_ns;

use super::Manager;
use crate::lane::{Lane, Life};

impl Manager {
  /// The state of the pool, its workers and their lanes as text.
  pub fn dump(&self) -> String {
    let now = Instant::now();
    let mut text = String::new();
    // Writing to a string does not fail.
    let _ = self.dump_pool(&mut text, now);
    for (index, lane) in self.lanes.iter() {
      let _ = self.dump_lane(&mut text, index, lane, now);
    }
    text
  }

  fn dump_pool(&self, text: &mut String, now: Instant) -> fmt::Result {
    writeln!(
      text,
      "pool: {:?}, {} of {} workers, {} unfinished calls, {} pending, {} running, on death {:?}",
      self.lifecycle.state(),
      self.lanes.live(),
      self.config.max_workers,
      self.calls.len(),
      self.pending.len(),
      self.lanes.iter().filter(|(_, lane)| lane.running().is_some()).count(),
      self.config.on_death,
    )?;
    let system = self.capabilities;
    writeln!(
      text,
      "platform: segment {:?}, wake-up {:?}, poller {:?}, sentinel {:?}",
      system.segment, system.wakeup, system.poller, system.sentinel,
    )?;
    if self.backlog.len() > 0 {
      writeln!(text, "results taken out of their lanes while the host was busy: {}", self.backlog.len())?;
    }
    let (failed, owed, not_before) = (self.starts.in_vain(), self.starts.owed(), self.starts.not_before());
    if failed > 0 || owed > 0 || not_before.is_some() {
      let wait = not_before.map_or(0, |at| at.saturating_duration_since(now).as_millis());
      writeln!(text, "starts: {failed} failed in a row, {owed} workers owed, next attempt in {wait} ms")?;
    }
    Ok(())
  }

  fn dump_lane(&self, text: &mut String, index: usize, lane: &Lane, now: Instant) -> fmt::Result {
    write!(text, "worker {} pid {} lane {index}: ", lane.worker_id(), lane.pid())?;
    write_life(text, lane, now)?;
    let front = now.duration_since(lane.front_since()).as_millis();
    match lane.running() {
      Some(call) => {
        let task = self.number(call).unwrap_or(0);
        writeln!(text, "  runs call {call} (task id {task}), in front for {front} ms")?;
      }
      None => writeln!(text, "  runs nothing, for {front} ms")?,
    }
    write!(text, "  holds {} calls ({} bytes), has done {}", lane.len(), lane.held_bytes(), lane.tasks_done())?;
    if let Some(ns) = lane.service_ns() {
      write!(text, " in {} µs each", ns / 1000)?;
    }
    if let Some(budget) = lane.budget() {
      write!(text, ", may be given {budget} more")?;
    }
    writeln!(text, "{}", if lane.is_stalled() { "; nothing is queued behind its long call" } else { "" })?;
    if let Some(watched) = lane.watched() {
      writeln!(text, "  does not come to its calls, watched for {} ms", watched.as_millis())?;
    }
    write_ring(text, &lane.snapshot())
  }
}

/// How far the worker's life has come, and what happens to it next.
fn write_life(text: &mut String, lane: &Lane, now: Instant) -> fmt::Result {
  let left = |deadline: Instant| deadline.saturating_duration_since(now).as_millis();
  match lane.life() {
    Life::Starting { deadline } => write!(text, "Starting, killed in {} ms if it is not ready", left(deadline))?,
    Life::Ready => write!(text, "Ready")?,
    Life::Leaving { reason, .. } if !lane.is_empty() => write!(text, "Leaving ({reason:?}) after its call")?,
    Life::Leaving { reason, deadline } => write!(text, "Leaving ({reason:?}), SIGTERM in {} ms", left(deadline))?,
    Life::Aborting { deadline, .. } => write!(text, "its call is being stopped, SIGTERM in {} ms", left(deadline))?,
    Life::Terminated { reason, deadline } => {
      write!(text, "sent SIGTERM ({reason:?}), SIGKILL in {} ms", left(deadline))?;
    }
    Life::Killed { reason } => write!(text, "sent SIGKILL ({reason:?})")?,
  }
  if let Some(what) = lane.corrupt() {
    write!(text, ", its memory is damaged: {what}")?;
  }
  match lane.exit() {
    None => writeln!(text, ", alive"),
    Some(exit) => writeln!(text, ", ended: {exit:?}"),
  }
}

fn write_ring(text: &mut String, ring: &LaneSnapshot) -> fmt::Result {
  let count = |state: SlotState| ring.calls.iter().filter(|run| run.state == state).map(|run| run.count).sum::<u32>();
  writeln!(
    text,
    "  call ring: {} to {} of {} slots: {} claimed, {} queued, {} to be passed by, {} done",
    ring.oldest_call,
    ring.next_call,
    ring.slots,
    count(SlotState::Claimed),
    count(SlotState::Queued),
    count(SlotState::Skipping),
    count(SlotState::Done),
  )?;
  let waits = if ring.has_result { "a result waits" } else { "no result waits" };
  writeln!(text, "  result ring: at {}, {waits}; host {}", ring.next_result, sleeps(ring.host_sleeps))?;
  write!(text, "  worker: {}, says ", sleeps(ring.worker_sleeps))?;
  match ring.phase {
    Some(phase) => write!(text, "{phase:?}")?,
    None => write!(text, "nothing that makes sense")?,
  }
  if ring.claimed_at > 0 {
    let ago = monotonic_ns().saturating_sub(ring.claimed_at) / 1_000_000;
    write!(text, ", last claim {ago} ms ago")?;
  }
  writeln!(text, "{}", if ring.stop_requested { ", is asked to leave" } else { "" })?;
  writeln!(text, "  call arena: {} bytes in use, {} backed by memory", ring.arena_in_use, ring.arena_committed)
}

fn sleeps(sleeps: bool) -> &'static str {
  if sleeps { "asleep" } else { "awake" }
}
