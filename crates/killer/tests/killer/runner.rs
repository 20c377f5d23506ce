//! Kills a victim after each instruction of an operation, and keeps account of what the survivor found.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

use crate::permission::can_trace;
use crate::tracee::{Mark, Tracee};

/// One operation at a time: a victim inherits all descriptors of this process, so that of another operation, whose
/// survivor waits for the last copy of a descriptor to close, would be kept from ending.
static TURN: Mutex<()> = Mutex::new(());

/// More instructions than any operation has.
const ENDLESS: usize = 10_000_000;

/// How many violations are remembered word by word.
const REMEMBERED: usize = 5;

/// What came of all the kills.
pub(crate) struct Tally {
  /// Instructions of the operation.
  pub(crate) instructions: usize,
  /// One before the first instruction, and one after each.
  pub(crate) kills: usize,
  /// How often the survivor found each stage.
  pub(crate) seen: Vec<usize>,
  /// What it should not have found, the first few of that.
  pub(crate) violations: Vec<String>,
  /// How often it found something that it should not have.
  pub(crate) violated: usize,
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
  let mut tally = Tally {
    instructions: path.end - path.begin,
    kills: 0,
    seen: vec![0; stages.len()],
    violations: Vec::new(),
    violated: 0,
  };
  let mut latest = 0;
  for instruction in path.begin..=path.end {
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
      tally.violated += 1;
      if tally.violations.len() < REMEMBERED {
        tally.violations.push(format!("killed after {} instructions: {violation}", instruction - path.begin));
      }
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
  assert!(tally.violations.is_empty(), "{name}: {} violations: {:#?}", tally.violated, tally.violations);
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
  /// Says what was done, where it is seen: by a macro it would be captured.
  fn report(&self, name: &str, stages: &[&str]) {
    let stages: Vec<_> = stages.iter().zip(&self.seen).map(|(stage, count)| format!("{count} {stage}")).collect();
    let violated = if self.violated > 0 { format!(", {} violations", self.violated) } else { String::new() };
    let (instructions, kills) = (self.instructions, self.kills);
    let _ = writeln!(
      io::stderr(),
      "killer: {name}: {instructions} instructions, {kills} kills: {}{violated}",
      stages.join(", ")
    );
  }
}

/// The way of a victim through its operation: the address of the instruction that it is about to execute after each number
/// of steps.
struct Path {
  addresses: Vec<usize>,
  /// For each number of steps, the latest one not after it whose instruction had not been executed before.
  landmarks: Vec<usize>,
  /// When the operation begins.
  begin: usize,
  /// When it is over.
  end: usize,
}

impl Path {
  /// Steps a victim through all of it.
  fn record(mark: &Mark, mut tracee: Tracee) -> Self {
    let mut addresses = vec![tracee.program_counter()];
    let mut begin = None;
    while !mark.is_after() {
      assert!(addresses.len() < ENDLESS, "the operation does not end");
      tracee.step().unwrap();
      addresses.push(tracee.program_counter());
      if begin.is_none() && !mark.is_before() {
        begin = Some(addresses.len() - 1);
      }
    }
    tracee.kill();
    let mut known = std::collections::HashSet::new();
    let mut landmark = 0;
    let landmarks = addresses.iter().enumerate().map(|(step, address)| {
      if known.insert(address) {
        landmark = step;
      }
      landmark
    });
    let landmarks = landmarks.collect();
    // The mark that ends it is not part of it, nor is what is between the two.
    let end = addresses.len() - 1;
    Self { addresses, landmarks, begin: begin.unwrap(), end }
  }

  /// A victim that has come as far as `step`.
  ///
  /// To step all the way would take time that grows with the square of the length. So it runs freely to a landmark shortly
  /// before, and if that did not lead where it should, another one is stepped all the way.
  fn lead_to<S>(&self, step: usize, start: impl Fn() -> (Tracee, S)) -> (Tracee, S) {
    let landmark = self.landmarks[step];
    let (mut tracee, survivor) = start();
    if landmark == 0 || tracee.run_to(self.addresses[landmark]) {
      for _ in landmark..step {
        tracee.step().unwrap();
      }
      if tracee.program_counter() == self.addresses[step] {
        return (tracee, survivor);
      }
    }
    drop(tracee);
    let (mut tracee, survivor) = start();
    for _ in 0..step {
      tracee.step().unwrap();
    }
    (tracee, survivor)
  }
}
