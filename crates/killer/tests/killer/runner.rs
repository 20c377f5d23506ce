//! Kills a victim after each instruction of an operation, and keeps account of what the survivor found.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use crate::permission::can_trace;
use crate::tracee::{Mark, Tracee};

/// One operation at a time: a victim inherits all descriptors of this process, so that of another operation, whose
/// survivor waits for the last copy of a descriptor to close, would be kept from ending.
static TURN: Mutex<()> = Mutex::new(());

/// More instructions than any operation has.
const ENDLESS: usize = 10_000_000;

/// Of a loop that goes round more often than this, not every instruction is one to be killed after in each round: the
/// loops of an operation on a lane are over private memory (an unoptimized build fills a vector byte by byte), but for
/// the longer replays in [`crate::sabotage`].
const ROUNDS: usize = 16;

/// One in so many instructions then. A prime, so that it is another one of the loop each time.
const SPARSE: usize = 61;

/// What came of all the kills.
pub(crate) struct Tally {
  /// Instructions of the operation.
  pub(crate) instructions: usize,
  /// One before the first instruction, and one after each.
  pub(crate) kills: usize,
  /// How often the survivor found each stage.
  pub(crate) seen: Vec<usize>,
  /// What it should not have found, and after which numbers of instructions.
  pub(crate) violations: BTreeMap<String, Vec<usize>>,
}

/// Does `act` again and again, in a victim of its own each time, which is killed one instruction later each time.
///
/// - `prepare` makes the two halves of a lane, or what else the two sides need.
/// - `act` is the operation. It runs in the victim, on its copy of the first half.
/// - `check` is the survivor, with the second half, when the victim is gone. It says which of the `stages` it found, or
///   what is wrong.
///
/// `None`: this machine does not let one process trace another.
pub(crate) fn kill_after_each_instruction<V, S>(
  name: &str,
  stages: &[&str],
  prepare: impl Fn() -> (V, S),
  act: impl Fn(&mut V),
  check: impl Fn(S) -> Result<&'static str, String>,
) -> Option<Tally> {
  let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
  if !can_trace() {
    return None;
  }
  let mark = Mark::new();
  let start = || {
    let (mut victim, survivor) = prepare();
    let tracee = Tracee::start(&mark, || act(&mut victim)).unwrap();
    // Only the victim has its half from here on.
    drop(victim);
    (tracee, survivor)
  };
  let path = Path::record(&mark, start().0);
  let mut tally =
    Tally { instructions: path.end() - path.begin, kills: 0, seen: vec![0; stages.len()], violations: BTreeMap::new() };
  let mut latest = 0;
  for instruction in (path.begin..=path.end()).filter(|&instruction| path.is_of_interest(instruction)) {
    let (tracee, survivor) = path.lead_to(instruction, start);
    tracee.kill();
    tally.kills += 1;
    let found = check(survivor).and_then(|stage| {
      let stage = stages.iter().position(|known| *known == stage).ok_or_else(|| format!("found {stage}"))?;
      tally.seen[stage] += 1;
      let earlier = latest;
      latest = stage.max(earlier);
      if stage < earlier { Err(format!("{}, after {}", stages[stage], stages[earlier])) } else { Ok(()) }
    });
    if let Err(violation) = found {
      tally.violations.entry(violation).or_default().push(instruction - path.begin);
    }
  }
  tally.report(name, stages);
  Some(tally)
}

/// The same, for an operation that is right: there are no violations, and every stage is found.
pub(crate) fn survives<V, S>(
  name: &str,
  stages: &[&str],
  prepare: impl Fn() -> (V, S),
  act: impl Fn(&mut V),
  check: impl Fn(S) -> Result<&'static str, String>,
) {
  let Some(tally) = kill_after_each_instruction(name, stages, prepare, act, check) else { return };
  assert!(tally.violations.is_empty(), "{name}: {}", tally.complaint());
  assert!(tally.seen.iter().all(|&count| count > 0), "{name}: not every stage was found: {:?}", tally.seen);
}

/// A victim that is let loose and watched, and not stepped: `then` has it, stopped just before `act`, and the survivor.
pub(crate) fn with_victim<V, S>(
  prepare: impl FnOnce() -> (V, S),
  act: impl FnOnce(&mut V),
  then: impl FnOnce(Tracee, S),
) {
  let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
  if can_trace() {
    let (mut victim, survivor) = prepare();
    let tracee = Tracee::start(&Mark::new(), || act(&mut victim)).unwrap();
    drop(victim);
    then(tracee, survivor);
  }
}

impl Tally {
  /// What was found and should not have been, how often, and where first.
  pub(crate) fn complaint(&self) -> String {
    let kinds = self.violations.iter().map(|(what, when)| format!("{} {what} (first after {})", when.len(), when[0]));
    kinds.collect::<Vec<_>>().join(", ")
  }

  /// Says what was done, where it is seen: by a macro it would be captured.
  fn report(&self, name: &str, stages: &[&str]) {
    let stages: Vec<_> = stages.iter().zip(&self.seen).map(|(stage, count)| format!("{count} {stage}")).collect();
    let (instructions, kills) = (self.instructions, self.kills);
    let sampled = if kills <= instructions { " (sampled within loops)" } else { "" };
    let _ = writeln!(
      io::stderr(),
      "killer: {name}: {instructions} instructions, {kills} kills{sampled}: {}{}{}",
      stages.join(", "),
      if self.violations.is_empty() { "" } else { "; WRONG: " },
      self.complaint()
    );
  }
}

/// The way of a victim through its operation: the instruction that it is about to execute after each number of steps.
struct Path {
  instructions: Vec<Instruction>,
  /// When the operation begins.
  begin: usize,
}

struct Instruction {
  address: usize,
  /// How often the victim has come to this address, this time included.
  visits: usize,
}

impl Path {
  /// Steps a victim through all of it.
  fn record(mark: &Mark, mut tracee: Tracee) -> Self {
    let mut visits = HashMap::new();
    let mut visit = |address| {
      let visits = visits.entry(address).and_modify(|visits| *visits += 1).or_insert(1);
      Instruction { address, visits: *visits }
    };
    let mut instructions = vec![visit(tracee.program_counter())];
    let mut begin = 0;
    while !mark.is_after() {
      assert!(instructions.len() < ENDLESS, "the operation does not end");
      tracee.step().unwrap();
      if mark.is_before() {
        begin = instructions.len() + 1;
      }
      instructions.push(visit(tracee.program_counter()));
    }
    tracee.kill();
    Self { instructions, begin }
  }

  /// After how many steps the operation is over.
  fn end(&self) -> usize {
    self.instructions.len() - 1
  }

  /// Whether to kill a victim after so many steps.
  fn is_of_interest(&self, step: usize) -> bool {
    self.instructions[step].visits <= ROUNDS || step.is_multiple_of(SPARSE) || step == self.end()
  }

  /// A victim that has come as far as `step`.
  ///
  /// To step all the way would take time that grows with the square of the length. So the victim runs to a breakpoint;
  /// if it never comes there, for it has taken another way than the one that was recorded, another victim is stepped.
  fn lead_to<S>(&self, step: usize, start: impl Fn() -> (Tracee, S)) -> (Tracee, S) {
    let (mut tracee, survivor) = start();
    let Instruction { address, visits } = self.instructions[step];
    if tracee.run_to(address, visits) {
      return (tracee, survivor);
    }
    drop(tracee);
    let (mut tracee, survivor) = start();
    for _ in 0..step {
      tracee.step().unwrap();
    }
    (tracee, survivor)
  }
}
