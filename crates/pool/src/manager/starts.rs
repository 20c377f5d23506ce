//! When the next worker is started: owed replacements, failures in a row, the pause after a failure.

use std::collections::VecDeque;
use std::time::Instant;

use crate::config::{MAX_FAILED_STARTS, START_BACKOFF};
use crate::event::ExitReason;

/// A worker that is owed for one that left.
#[derive(Clone, Copy, Debug)]
pub(super) struct Replacement {
  pub(super) old_pid: u32,
  pub(super) reason: ExitReason,
}

/// The books of a pool's starts.
#[derive(Debug)]
pub(super) struct Starts {
  next_worker_id: u32,
  /// Workers in a row that ended without having claimed a call.
  in_vain: u32,
  /// When the last of them that was counted ended.
  last_vain_end: Option<Instant>,
  /// The last process could not be started.
  has_failed: bool,
  /// No worker is started before this time.
  not_before: Option<Instant>,
  owed: VecDeque<Replacement>,
  /// Idle workers were asked to leave since the last call: no place is filled that no call needs.
  is_dismissed: bool,
  /// Workers started in the place of others.
  replaced: u64,
}

impl Starts {
  pub(super) fn new() -> Self {
    Self {
      next_worker_id: 1,
      in_vain: 0,
      last_vain_end: None,
      has_failed: false,
      not_before: None,
      owed: VecDeque::new(),
      is_dismissed: false,
      replaced: 0,
    }
  }

  /// The number of the next worker.
  pub(super) fn next_worker_id(&self) -> u32 {
    self.next_worker_id
  }

  /// A worker was started: for whom, if it was owed.
  pub(super) fn started(&mut self) -> Option<Replacement> {
    self.next_worker_id += 1;
    self.has_failed = false;
    let replaced = self.owed.pop_front();
    self.replaced += u64::from(replaced.is_some());
    replaced
  }

  /// How many workers were started in the place of others.
  pub(super) fn replaced(&self) -> u64 {
    self.replaced
  }

  /// A worker is owed for one that left.
  pub(super) fn owe(&mut self, replacement: Replacement) {
    self.owed.push_back(replacement);
  }

  /// How many workers are owed.
  pub(super) fn owed(&self) -> usize {
    self.owed.len()
  }

  /// No worker is owed any more.
  pub(super) fn forgive(&mut self) {
    self.owed.clear();
  }

  /// Idle workers are asked to leave.
  pub(super) fn dismiss(&mut self) {
    self.is_dismissed = true;
    self.forgive();
  }

  pub(super) fn is_dismissed(&self) -> bool {
    self.is_dismissed
  }

  /// A call comes: workers may be owed again.
  pub(super) fn call_comes(&mut self) {
    self.is_dismissed = false;
  }

  /// A call was finished: the row of starts in vain ends, and the pause.
  pub(super) fn call_finished(&mut self) {
    self.in_vain = 0;
    self.not_before = None;
  }

  /// The system could not start a process.
  pub(super) fn note_failure(&mut self, now: Instant) {
    self.has_failed = true;
    self.not_before = Some(now + START_BACKOFF);
  }

  /// Whether the last process could not be started.
  pub(super) fn has_failed(&self) -> bool {
    self.has_failed
  }

  /// A worker has ended that was started at `started_at` and had claimed no call: the next start is put off. True: that
  /// was one too many in a row. Workers that were started side by side count once: in a row are those of which each was
  /// started when the one before it had ended.
  pub(super) fn note_vain_start(&mut self, started_at: Instant, now: Instant) -> bool {
    if self.in_vain == 0 || self.last_vain_end.is_none_or(|end| started_at >= end) {
      self.in_vain += 1;
      self.last_vain_end = Some(now);
    }
    self.not_before = Some(now + START_BACKOFF * 2u32.pow((self.in_vain - 1).min(MAX_FAILED_STARTS)));
    self.in_vain >= MAX_FAILED_STARTS
  }

  /// Workers in a row that ended without having claimed a call.
  pub(super) fn in_vain(&self) -> u32 {
    self.in_vain
  }

  /// When the pause ends that is under way, or that has ended and was not forgotten.
  pub(super) fn not_before(&self) -> Option<Instant> {
    self.not_before
  }

  /// Whether no worker may be started now.
  pub(super) fn is_paused(&self, now: Instant) -> bool {
    self.not_before.is_some_and(|at| at > now)
  }

  /// Forgets a pause that is over: it is no deadline any more.
  pub(super) fn forget_pause(&mut self, now: Instant) {
    self.not_before = self.not_before.filter(|&at| at > now);
  }
}
