//! The word of a chunk, and the journal: which outcomes count, and which items run.
//!
//! The journal is an array of words here, one an outcome, written without an order of its own: item `n` has the outcome
//! `n + 1`. A process that runs an item counts that in `ran`.

use loom::sync::Arc;
use loom::thread;

use super::explore;
use crate::chunk::{ChunkWord, Progress, Sealed};
use crate::sync::{AtomicU32, Ordering};

const ITEMS: u32 = 2;

/// How a worker runs its chunk.
#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
  /// All items, all outcomes in the journal.
  Whole,
  /// The journal is full behind the first outcome.
  Early,
  /// The first outcome does not fit the journal, and travels with the answer.
  WithRest,
  // Mistakes.
  /// The item behind begins before the word says so.
  BeginsFirst,
  /// The word moves on before the outcome is in the journal.
  AdvancesFirst,
  /// The journal is full, and the word says that one more item has begun.
  LeavesOpen,
  /// The word says that an outcome is in the journal which is not.
  KeepsRest,
}

struct Chunk {
  word: ChunkWord,
  journal: Vec<AtomicU32>,
  end: AtomicU32,
  /// How often each item was run, by whomever.
  ran: Vec<AtomicU32>,
  /// One more than the number of outcomes in the answer; 0: there is no answer.
  answer: AtomicU32,
}

impl Chunk {
  fn new() -> Arc<Self> {
    let words = || (0..ITEMS).map(|_| AtomicU32::new(0)).collect();
    let (word, end, answer) = (ChunkWord::new(), AtomicU32::new(0), AtomicU32::new(0));
    Arc::new(Self { word, journal: words(), end, ran: words(), answer })
  }

  fn run(&self, item: u32) {
    let ran = &self.ran[item as usize];
    ran.store(ran.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
  }

  /// Items from `first` on run in another worker.
  fn run_elsewhere(&self, first: u32) {
    (first..ITEMS).for_each(|item| self.run(item));
  }

  fn ran(&self, item: u32) -> u32 {
    self.ran[item as usize].load(Ordering::Relaxed)
  }

  /// The worker's side.
  fn work(&self, how: How) {
    let mut answered = 0;
    let mut runs = self.word.begin(ITEMS).then_some(0);
    while let Some(item) = runs {
      self.run(item);
      let after = self.leave(item, how);
      answered = after.map_or(answered, |_| item + 1);
      runs = after.filter(|after| after.next < after.limit).map(|after| after.next);
      if how == How::BeginsFirst {
        break;
      }
    }
    self.answer.store(answered + 1, Ordering::Release);
    self.word.end();
  }

  fn leave(&self, item: u32, how: How) -> Option<Progress> {
    let keep = || {
      self.journal[item as usize].store(item + 1, Ordering::Relaxed);
      self.end.store(item + 1, Ordering::Relaxed);
    };
    match how {
      How::WithRest => self.word.seal_own(),
      How::KeepsRest => self.word.advance(true),
      How::AdvancesFirst => {
        let after = self.word.advance(false);
        keep();
        after
      }
      How::Whole | How::Early | How::LeavesOpen | How::BeginsFirst => {
        keep();
        if how == How::BeginsFirst {
          self.run(item + 1);
        }
        self.word.advance(how == How::Early).map(|after| match how {
          How::LeavesOpen => Progress { limit: after.next, ..after },
          _ => after,
        })
      }
    }
  }

  /// The outcomes of the journal that count, each of which must be there.
  fn read(&self, done: u32) {
    assert!(self.end.load(Ordering::Relaxed) >= done, "an outcome counts and is not there");
    for item in 0..done {
      assert_eq!(self.journal[item as usize].load(Ordering::Relaxed), item + 1, "an outcome counts and is not there");
    }
  }
}

fn start(how: How) -> (Arc<Chunk>, thread::JoinHandle<()>) {
  let chunk = Chunk::new();
  let working = Arc::clone(&chunk);
  (chunk, thread::spawn(move || working.work(how)))
}

/// The host ends a chunk that runs, as for a time limit. The outcomes count that are in the journal, or those of the
/// answer.
fn interrupted(how: How, seal: impl Fn(&ChunkWord) -> Option<Sealed>) {
  let (chunk, working) = start(how);
  let sealed = seal(&chunk.word);
  let answer = chunk.answer.load(Ordering::Acquire);
  let (done, is_lost, has_run) = match sealed {
    Some(Sealed::At { done }) => (done, true, true),
    // As `Lane::interrupt` does.
    Some(_) | None if answer > 0 => (answer - 1, false, false),
    Some(Sealed::Over { done, is_lost }) => (done, is_lost, is_lost),
    Some(Sealed::Unbegun) => (0, false, false),
    // The chunk goes on.
    None => return working.join().unwrap(),
  };
  if answer == 0 || matches!(sealed, Some(Sealed::At { .. })) {
    chunk.read(done);
  }
  working.join().unwrap();
  for item in 0..done {
    assert_eq!(chunk.ran(item), 1, "an outcome of an item that has not run once");
  }
  if has_run {
    assert_eq!(chunk.ran(done), 1, "an item is lost that has not begun");
  }
  chunk.run_elsewhere(done + u32::from(is_lost));
  assert!((0..ITEMS).all(|item| chunk.ran(item) <= 1), "an item ran twice");
}

fn seal(word: &ChunkWord) -> Option<Sealed> {
  word.seal(|_| true)
}

/// A worker dies after any of its steps: what the host finds then is what it finds now.
fn found(how: How) {
  let (chunk, working) = start(how);
  let answer = chunk.answer.load(Ordering::Acquire);
  let progress = chunk.word.progress();
  if let Some(Progress { next, .. }) = progress {
    chunk.read(next);
  } else if how == How::Whole && answer > 0 {
    chunk.read(answer - 1);
  }
  working.join().unwrap();
}

/// The host takes back what has not begun, for another worker.
fn shared(cut: impl Fn(&ChunkWord) -> Option<Progress>) {
  let (chunk, working) = start(How::Whole);
  let limit = cut(&chunk.word).map_or(ITEMS, |progress| progress.limit);
  chunk.run_elsewhere(limit);
  working.join().unwrap();
  assert!((0..ITEMS).all(|item| chunk.ran(item) == 1), "an item ran twice, or never");
  assert_eq!(chunk.answer.load(Ordering::Acquire) - 1, limit, "not the outcomes of the items that were left");
}

/// The slot's next chunk begins whatever has become of the one before.
fn reused() {
  let (chunk, working) = start(How::Whole);
  let sealed = seal(&chunk.word);
  while chunk.answer.load(Ordering::Acquire) == 0 {
    thread::yield_now();
  }
  if sealed == Some(Sealed::Unbegun) {
    chunk.word.unseal();
  }
  working.join().unwrap();
  assert!(chunk.word.begin(ITEMS), "the next chunk of the slot cannot begin");
}

#[test]
fn an_interrupted_chunk_counts_each_outcome_once_and_runs_no_item_twice() {
  explore(5, || interrupted(How::Whole, seal));
}

#[test]
fn an_interrupted_chunk_that_ends_early_loses_no_item_that_has_not_begun() {
  explore(5, || interrupted(How::Early, seal));
}

#[test]
fn an_outcome_beside_the_journal_counts_with_the_answer_or_is_lost() {
  explore(5, || interrupted(How::WithRest, seal));
}

#[test]
fn wherever_a_worker_dies_all_outcomes_that_count_are_in_the_journal() {
  for how in [How::Whole, How::Early, How::WithRest] {
    explore(5, move || found(how));
  }
}

#[test]
fn an_item_that_is_taken_back_does_not_run_and_each_other_one_does() {
  explore(5, || shared(ChunkWord::cut));
}

#[test]
fn the_slot_of_an_interrupted_chunk_is_used_again() {
  explore(4, reused);
}

#[test]
#[should_panic(expected = "not the outcomes of the items that were left")]
fn a_cut_in_two_steps_gives_away_items_that_their_worker_runs() {
  explore(5, || shared(ChunkWord::cut_in_two_steps));
}

#[test]
#[should_panic(expected = "an item ran twice")]
fn a_seal_in_two_steps_runs_an_item_twice() {
  explore(5, || interrupted(How::Whole, ChunkWord::seal_in_two_steps));
}

#[test]
#[should_panic(expected = "an item ran twice")]
fn an_item_that_begins_before_the_word_says_so_runs_twice() {
  explore(5, || interrupted(How::BeginsFirst, seal));
}

#[test]
#[should_panic(expected = "an item is lost that has not begun")]
fn a_chunk_that_ends_early_and_does_not_say_so_loses_an_item_that_has_not_begun() {
  explore(5, || interrupted(How::LeavesOpen, seal));
}

#[test]
#[should_panic(expected = "an outcome counts and is not there")]
fn a_word_that_moves_on_first_counts_an_outcome_that_is_not_there() {
  explore(5, || found(How::AdvancesFirst));
}

#[test]
#[should_panic(expected = "an outcome counts and is not there")]
fn a_word_that_counts_an_outcome_beside_the_journal_finds_none() {
  explore(5, || found(How::KeepsRest));
}
