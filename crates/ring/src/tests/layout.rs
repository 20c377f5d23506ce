//! The place of every field and slot. A change here needs another `LAYOUT_VERSION`.

use core::mem::offset_of;

use crate::call_slot::{CallHead, CallSlot};
use crate::chunk::JournalHead;
use crate::frame::INLINE_CAPACITY;
use crate::layout::{Clock, Control, Header, LAYOUT_VERSION, Life, MAGIC, Preamble, Progress};
use crate::loan::LOANS;
use crate::place::Placement;
use crate::result_slot::{ResultHead, ResultSlot};
use crate::{CallKind, Geometry, WorkerPhase, call_slot, result_slot};

#[test]
fn the_layout_is_that_of_its_version() {
  let geometry = Geometry::new(64, 1 << 20).unwrap();
  let arenas = [geometry.call_arena(), geometry.result_arena()];
  let places: Vec<(&str, usize)> = vec![
    ("magic", offset_of!(Header, preamble) + offset_of!(Preamble, magic)),
    ("version", offset_of!(Header, preamble) + offset_of!(Preamble, version)),
    ("ready", offset_of!(Header, preamble) + offset_of!(Preamble, ready)),
    ("arena_bytes", offset_of!(Header, preamble) + offset_of!(Preamble, arena_bytes)),
    ("slots", offset_of!(Header, preamble) + offset_of!(Preamble, slots)),
    ("start", offset_of!(Header, preamble) + offset_of!(Preamble, start)),
    ("host_pid", offset_of!(Header, preamble) + offset_of!(Preamble, host_pid)),
    ("worker_id", offset_of!(Header, preamble) + offset_of!(Preamble, worker_id)),
    ("consumed", offset_of!(Header, progress) + offset_of!(Progress, consumed)),
    ("stop", offset_of!(Header, control) + offset_of!(Control, stop)),
    ("aborts", offset_of!(Header, control) + offset_of!(Control, aborts)),
    ("spin", offset_of!(Header, control) + offset_of!(Control, spin)),
    ("signals", offset_of!(Header, control) + offset_of!(Control, signals)),
    ("host_bell", offset_of!(Header, host_bell)),
    ("worker_bell", offset_of!(Header, worker_bell)),
    ("claimed_at", offset_of!(Header, clock) + offset_of!(Clock, claimed_at)),
    ("phase", offset_of!(Header, life) + offset_of!(Life, phase)),
    ("lent_to_worker", offset_of!(Header, lent_to_worker)),
    ("lent_to_host", offset_of!(Header, lent_to_host)),
    ("loans", LOANS),
    ("call slot", size_of::<CallSlot>()),
    ("call head", CallSlot::FRAME),
    ("call.sequence", offset_of!(CallHead, sequence)),
    ("call.len", offset_of!(CallHead, len)),
    ("call.block", offset_of!(CallHead, at) + offset_of!(Placement, block)),
    ("call.inline", offset_of!(CallHead, at) + offset_of!(Placement, inline)),
    ("call.loan", offset_of!(CallHead, at) + offset_of!(Placement, loan)),
    ("call.task", offset_of!(CallHead, task)),
    ("call.flags", offset_of!(CallHead, flags)),
    ("call.kind", offset_of!(CallHead, kind)),
    ("call.codec", offset_of!(CallHead, codec)),
    ("result slot", size_of::<ResultSlot>()),
    ("result head", ResultSlot::FRAME),
    ("result.len", offset_of!(ResultHead, len)),
    ("result.block", offset_of!(ResultHead, at) + offset_of!(Placement, block)),
    ("result.inline", offset_of!(ResultHead, at) + offset_of!(Placement, inline)),
    ("result.loan", offset_of!(ResultHead, at) + offset_of!(Placement, loan)),
    ("result.position", offset_of!(ResultHead, position)),
    ("result.ran_ns", offset_of!(ResultHead, ran_ns)),
    ("result.kind", offset_of!(ResultHead, kind)),
    ("result.flags", offset_of!(ResultHead, flags)),
    ("result.status", offset_of!(ResultHead, status)),
    ("result.codec", offset_of!(ResultHead, codec)),
    ("inline", size_of::<CallHead>()),
    ("inline capacity", INLINE_CAPACITY),
    ("calls", geometry.calls_offset()),
    ("results", geometry.results_offset()),
    ("call arena", arenas[0].start),
    ("result arena", arenas[1].start),
    ("journal", geometry.journal().start),
    ("journal.end", offset_of!(JournalHead, end)),
    ("journal.began", offset_of!(JournalHead, began)),
    ("chunk words", geometry.chunk_words()),
    ("journal bytes", geometry.journal_bytes()),
    ("segment", geometry.segment_len()),
  ];
  let words = [
    call_slot::FREE,
    call_slot::QUEUED,
    call_slot::CLAIMED,
    call_slot::REVOKED,
    result_slot::RESULT,
    result_slot::NOTICE,
    CallKind::Task as u32,
    CallKind::Define as u32,
    CallKind::Boot as u32,
    WorkerPhase::Starting as u32,
    WorkerPhase::Ready as u32,
    WorkerPhase::Retiring as u32,
    WorkerPhase::Leaving as u32,
    WorkerPhase::OutOfMemory as u32,
  ];
  let text: String = places.iter().map(|(name, at)| format!("{name} {at}\n")).collect();
  assert_eq!(text, VERSION_8, "this is another layout: give it another LAYOUT_VERSION, and a snapshot");
  assert_eq!(words, [0, 1, 2, 3, 1, 2, 1, 2, 3, 1, 2, 3, 4, 5]);
  assert_eq!(LAYOUT_VERSION, 8);
  assert_eq!(MAGIC.to_le_bytes(), *b"millrace");
}

const VERSION_8: &str = "\
magic 0
version 8
ready 12
arena_bytes 16
slots 24
start 28
host_pid 32
worker_id 36
consumed 128
stop 256
aborts 260
spin 264
signals 268
host_bell 384
worker_bell 512
claimed_at 640
phase 768
lent_to_worker 896
lent_to_host 1920
loans 256
call slot 512
call head 8
call.sequence 0
call.len 8
call.block 16
call.inline 20
call.loan 22
call.task 24
call.flags 28
call.kind 30
call.codec 31
result slot 512
result head 8
result.len 0
result.block 8
result.inline 12
result.loan 14
result.position 16
result.ran_ns 20
result.kind 24
result.flags 28
result.status 30
result.codec 31
inline 32
inline capacity 472
calls 4096
results 36864
call arena 131072
result arena 1179648
journal 2228224
journal.end 0
journal.began 4
chunk words 2228352
journal bytes 2293760
segment 2818048
";

#[test]
fn every_kind_and_phase_is_read_back_and_nothing_else() {
  for raw in 0..=u8::MAX {
    assert_eq!(CallKind::from_u8(raw).map(|kind| kind as u8), (1..=3).contains(&raw).then_some(raw));
    let phase = WorkerPhase::from_u32(u32::from(raw)).map(|phase| phase as u32);
    assert_eq!(phase, (1..=5).contains(&raw).then_some(u32::from(raw)));
  }
}
