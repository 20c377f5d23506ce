//! Fault points: places in the code at which a test can ask for a death, a stop, a delay, a failure or damage.
//!
//! `MILLRACE_FAULT=point[:action[=value]][@n[+]]`: at the n-th time (default: the first; `n+`: that and every later
//! one) that a process comes by `point`, it does `action`. Each process counts for itself.
//!
//! Compiled in only with the feature `fault-injection`; without it every function here is empty and the variable means
//! nothing. `docs/reliability.md` lists points and actions for users.

/// A place in the code at which a fault can be asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Point {
  /// Worker: a queued call was seen.
  BeforeClaim,
  /// Worker: the call is claimed.
  AfterClaim,
  /// Worker: half of the arguments are copied.
  MidArgs,
  /// Worker: the arguments are copied, the task is called next.
  BeforeCall,
  /// Worker: a large payload's block is handed to the task, which may keep it.
  BlockBorrowed,
  /// Worker, or host: fresh pages for a large payload exist, and nothing is written to them.
  PagesPopulated,
  /// Worker: slot and block of the result are reserved.
  ResultReserved,
  /// Worker: half of the result is written.
  MidResult,
  /// Worker: the result is written and not committed.
  BeforeCommit,
  /// Worker: the result is committed, the host not rung.
  BeforeRing,
  /// Worker: the host is rung.
  AfterRing,
  /// Worker: next it says that it leaves.
  ExitHandshake,
  /// Host: the first round.
  HostFirstTurn,
  /// Host: a worker is started.
  Spawn,
  /// Fork server: a trial fork.
  ForkTrial,
  /// Host: a call's payload is written.
  CallFrame,
  /// Worker: a result's payload is written.
  ResultFrame,
  /// Host: a call's slot is written.
  CallSlot,
  /// Worker: a result's slot is written.
  ResultSlot,
}

/// The codec of a damaged frame. No payload has this one; any other could happen to be right.
pub(crate) const NO_CODEC: u8 = 0;

#[cfg(not(feature = "fault-injection"))]
mod switch {
  use millrace_ring::{HostLane, Memory, WorkerLane};

  use super::Point;

  /// Without the feature nothing ever fails on demand.
  #[inline(always)]
  pub(crate) fn hits(_point: Point) -> bool {
    false
  }

  /// Without the feature there is nothing to be wrong.
  pub(crate) fn check() -> millrace_sys::Result<()> {
    Ok(())
  }

  /// Without the feature nothing is damaged.
  pub(crate) fn corrupt_next_call<M: Memory>(_lane: &mut HostLane<M>) {}

  /// Without the feature nothing is damaged.
  pub(crate) fn corrupt_next_result<M: Memory>(_lane: &mut WorkerLane<M>) {}
}

#[cfg(feature = "fault-injection")]
mod switch {
  use std::sync::OnceLock;
  use std::sync::atomic::{AtomicU64, Ordering};
  use std::time::Duration;

  use millrace_ring::{HostLane, Memory, WorkerLane};

  use super::Point;

  #[derive(Clone, Copy, Debug, PartialEq, Eq)]
  pub(super) enum Action {
    Kill,
    Stop,
    Delay(Duration),
    /// Left to the code at the point: to fail, or to damage what is written.
    Yield,
  }

  #[derive(Debug)]
  pub(super) struct Fault {
    pub(super) point: Point,
    pub(super) action: Action,
    pub(super) nth: u64,
    pub(super) and_later: bool,
    passed: AtomicU64,
  }

  const POINTS: [(&str, Point); 19] = [
    ("before-claim", Point::BeforeClaim),
    ("after-claim", Point::AfterClaim),
    ("mid-args", Point::MidArgs),
    ("before-call", Point::BeforeCall),
    ("block-borrowed", Point::BlockBorrowed),
    ("pages-populated", Point::PagesPopulated),
    ("result-reserved", Point::ResultReserved),
    ("mid-result", Point::MidResult),
    ("before-commit", Point::BeforeCommit),
    ("before-ring", Point::BeforeRing),
    ("after-ring", Point::AfterRing),
    ("exit-handshake", Point::ExitHandshake),
    ("host-first-turn", Point::HostFirstTurn),
    ("spawn", Point::Spawn),
    ("fork-trial", Point::ForkTrial),
    ("call-frame", Point::CallFrame),
    ("result-frame", Point::ResultFrame),
    ("call-slot", Point::CallSlot),
    ("result-slot", Point::ResultSlot),
  ];

  impl Point {
    /// The actions that make sense here, the default first.
    fn actions(self) -> &'static [&'static str] {
      match self {
        Self::HostFirstTurn => &["delay"],
        Self::Spawn => &["fail"],
        Self::ForkTrial => &["fail", "kill", "stop"],
        Self::CallFrame | Self::ResultFrame | Self::CallSlot | Self::ResultSlot => &["corrupt"],
        _ => &["kill", "stop", "delay"],
      }
    }
  }

  /// The fault that a text asks for; `None` when the text makes no sense.
  pub(super) fn parse(text: &str) -> Option<Fault> {
    let (what, when) = text.split_once('@').map_or((text, None), |(what, when)| (what, Some(when)));
    let (point, action) = what.split_once(':').map_or((what, None), |(point, action)| (point, Some(action)));
    let point = POINTS.iter().find(|(name, _)| *name == point)?.1;
    let (action, value) = match action {
      None => (*point.actions().first()?, None),
      Some(action) => action.split_once('=').map_or((action, None), |(action, value)| (action, Some(value))),
    };
    if !point.actions().contains(&action) || (action == "delay") != value.is_some() {
      return None;
    }
    let action = match action {
      "kill" => Action::Kill,
      "stop" => Action::Stop,
      "delay" => Action::Delay(Duration::from_millis(value?.parse().ok()?)),
      _ => Action::Yield,
    };
    let (nth, and_later) = match when {
      None => (1, false),
      Some(when) => {
        let (nth, and_later) = when.strip_suffix('+').map_or((when, false), |nth| (nth, true));
        (nth.parse().ok()?, and_later)
      }
    };
    (nth > 0).then_some(Fault { point, action, nth, and_later, passed: AtomicU64::new(0) })
  }

  fn text() -> Option<String> {
    std::env::var("MILLRACE_FAULT").ok().filter(|text| !text.is_empty())
  }

  fn fault() -> Option<&'static Fault> {
    static FAULT: OnceLock<Option<Fault>> = OnceLock::new();
    FAULT.get_or_init(|| text().as_deref().and_then(parse)).as_ref()
  }

  /// Fails when the variable makes no sense: a test with a typing error would pass without a fault.
  pub(crate) fn check() -> millrace_sys::Result<()> {
    match text() {
      Some(text) if parse(&text).is_none() => {
        let message = format!("MILLRACE_FAULT={text} is not of the form point[:action[=value]][@n[+]]");
        Err(millrace_sys::Error::new("getenv", std::io::Error::new(std::io::ErrorKind::InvalidInput, message)))
      }
      _ => Ok(()),
    }
  }

  /// This process comes by `point`. True: the caller has to do the fault, a failure or damage.
  pub(crate) fn hits(point: Point) -> bool {
    let Some(fault) = fault().filter(|fault| fault.point == point) else { return false };
    let passed = fault.passed.fetch_add(1, Ordering::Relaxed) + 1;
    if passed != fault.nth && !(fault.and_later && passed > fault.nth) {
      return false;
    }
    match fault.action {
      Action::Kill => signal_self(libc::SIGKILL),
      Action::Stop => signal_self(libc::SIGSTOP),
      Action::Delay(time) => std::thread::sleep(time),
      Action::Yield => return true,
    }
    false
  }

  /// The next call has a wrong length and a wrong block.
  pub(crate) fn corrupt_next_call<M: Memory>(lane: &mut HostLane<M>) {
    lane.corrupt_next_call();
  }

  /// The next result has a wrong length and a wrong block.
  pub(crate) fn corrupt_next_result<M: Memory>(lane: &mut WorkerLane<M>) {
    lane.corrupt_next_result();
  }

  fn signal_self(signal: i32) {
    // SAFETY: a signal to this process, whose end or stop is the purpose.
    unsafe { libc::raise(signal) };
  }
}

pub(crate) use switch::{check, corrupt_next_call, corrupt_next_result, hits};

#[cfg(all(test, feature = "fault-injection"))]
mod tests {
  use std::time::Duration;

  use super::Point;
  use super::switch::{Action, parse};

  #[test]
  fn a_point_alone_means_its_first_action_at_the_first_time() {
    let fault = parse("before-claim").unwrap();
    assert_eq!((fault.point, fault.action, fault.nth, fault.and_later), (Point::BeforeClaim, Action::Kill, 1, false));
  }

  #[test]
  fn action_value_and_count_are_read() {
    let fault = parse("after-ring:delay=25@3+").unwrap();
    assert_eq!(fault.action, Action::Delay(Duration::from_millis(25)));
    assert_eq!((fault.nth, fault.and_later), (3, true));
    assert_eq!(parse("spawn:fail@2").unwrap().action, Action::Yield);
  }

  #[test]
  fn nonsense_is_refused() {
    for text in
      ["", "nowhere", "spawn:kill", "before-claim:delay", "before-claim:kill=1", "before-claim@0", "mid-args@x"]
    {
      assert!(parse(text).is_none(), "{text}");
    }
  }
}
