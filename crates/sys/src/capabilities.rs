//! The mechanisms that this machine has, found out by one trial of each.
//!
//! Kernels, containers and seccomp filters take calls away independently of the version they claim, so each mechanism
//! is tried in full. An environment variable forces one of them; a forced mechanism that is missing is an error, not
//! a silent fallback.

use std::sync::OnceLock;
use std::{env, io};

use crate::{Error, Result};

/// How shared memory is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SegmentKind {
  /// `memfd_create` with seals (Linux).
  Memfd,
  /// `shm_open`, unlinked at once.
  Shm,
}

/// How a sleeping process is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WakeupKind {
  /// `eventfd` (Linux).
  EventFd,
  /// A non-blocking pipe.
  Pipe,
}

/// How many descriptors are watched at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PollerKind {
  /// `epoll` (Linux).
  Epoll,
  /// `poll`.
  Poll,
}

/// How the end of a child process is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SentinelKind {
  /// A pidfd, readable when the child has ended (Linux 5.4).
  PidFd,
  /// `waitpid` of that one pid.
  WaitPid,
}

/// The mechanism to use for each purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
  /// For [`Segment::create`](crate::Segment::create).
  pub segment: SegmentKind,
  /// For [`doorbell`](crate::doorbell()).
  pub wakeup: WakeupKind,
  /// For [`WaitSet::new`](crate::WaitSet::new).
  pub poller: PollerKind,
  /// For [`spawn`](crate::spawn).
  pub sentinel: SentinelKind,
}

impl Capabilities {
  /// The capabilities of this machine under this process's environment; probed by the first call that succeeds.
  pub fn get() -> Result<&'static Self> {
    static PROBED: OnceLock<Capabilities> = OnceLock::new();
    if let Some(known) = PROBED.get() {
      return Ok(known);
    }
    let probed = Self::probe(|name| env::var(name).ok())?;
    Ok(PROBED.get_or_init(|| probed))
  }

  /// Probes anew, with `env` in place of the environment.
  ///
  /// Fails if a variable has a value that is not one of its two, or forces a mechanism that this machine lacks.
  pub fn probe(env: impl Fn(&str) -> Option<String>) -> Result<Self> {
    Ok(Self {
      segment: choose(
        &env,
        "MILLRACE_SEGMENT",
        [("memfd", SegmentKind::Memfd), ("shm", SegmentKind::Shm)],
        native::memfd,
      )?,
      wakeup: choose(
        &env,
        "MILLRACE_WAKEUP",
        [("eventfd", WakeupKind::EventFd), ("pipe", WakeupKind::Pipe)],
        native::eventfd,
      )?,
      poller: choose(
        &env,
        "MILLRACE_POLLER",
        [("epoll", PollerKind::Epoll), ("poll", PollerKind::Poll)],
        native::epoll,
      )?,
      sentinel: choose(
        &env,
        "MILLRACE_SENTINEL",
        [("pidfd", SentinelKind::PidFd), ("waitpid", SentinelKind::WaitPid)],
        native::pidfd,
      )?,
    })
  }
}

/// The first of the two `choices` if `probe` succeeds, else the second; or the one that `variable` names.
fn choose<K>(
  env: impl Fn(&str) -> Option<String>,
  variable: &str,
  choices: [(&str, K); 2],
  probe: fn() -> Result<()>,
) -> Result<K> {
  let [(native_name, native), (portable_name, portable)] = choices;
  match env(variable).as_deref() {
    None | Some("") => Ok(if probe().is_ok() { native } else { portable }),
    Some(forced) if forced == native_name => probe().map(|()| native),
    Some(forced) if forced == portable_name => Ok(portable),
    Some(other) => {
      let reason = format!("{variable} is \"{other}\", which is neither \"{native_name}\" nor \"{portable_name}\"");
      Err(Error::new("getenv", io::Error::new(io::ErrorKind::InvalidInput, reason)))
    }
  }
}

#[cfg(target_os = "linux")]
mod native {
  use rustix::event::{EventfdFlags, epoll};
  use rustix::fs::MemfdFlags;
  use rustix::io::Errno;
  use rustix::process::{PidfdFlags, WaitId, WaitIdOptions, getpid, pidfd_open, waitid};

  use crate::{Error, Result};
  use std::os::fd::AsFd;

  pub(super) fn memfd() -> Result<()> {
    let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
    rustix::fs::memfd_create(c"millrace-probe", flags).map(drop).map_err(Error::at("memfd_create"))
  }

  pub(super) fn eventfd() -> Result<()> {
    rustix::event::eventfd(0, EventfdFlags::CLOEXEC).map(drop).map_err(Error::at("eventfd2"))
  }

  pub(super) fn epoll() -> Result<()> {
    epoll::create(epoll::CreateFlags::CLOEXEC).map(drop).map_err(Error::at("epoll_create1"))
  }

  /// `waitid` learned of pidfds (5.4) after `pidfd_open` (5.3) and `pidfd_send_signal` (5.1). A process that waits for
  /// itself gets `ECHILD` where `waitid` knows pidfds, `EINVAL` where not.
  pub(super) fn pidfd() -> Result<()> {
    let fd = pidfd_open(getpid(), PidfdFlags::empty()).map_err(Error::at("pidfd_open"))?;
    match waitid(WaitId::PidFd(fd.as_fd()), WaitIdOptions::EXITED | WaitIdOptions::NOHANG) {
      Ok(_) | Err(Errno::CHILD) => Ok(()),
      Err(errno) => Err(Error::at("waitid")(errno)),
    }
  }
}

#[cfg(not(target_os = "linux"))]
mod native {
  use crate::{Error, Result};

  pub(super) fn memfd() -> Result<()> {
    Err(Error::missing("memfd_create"))
  }

  pub(super) fn eventfd() -> Result<()> {
    Err(Error::missing("eventfd2"))
  }

  pub(super) fn epoll() -> Result<()> {
    Err(Error::missing("epoll_create1"))
  }

  pub(super) fn pidfd() -> Result<()> {
    Err(Error::missing("pidfd_open"))
  }
}

#[cfg(test)]
mod tests {
  use super::*;

  fn only(variable: &'static str, value: &'static str) -> impl Fn(&str) -> Option<String> {
    move |name| (name == variable).then(|| value.to_owned())
  }

  #[test]
  fn each_fallback_can_be_forced_by_its_variable() {
    let probe = |variable, value| Capabilities::probe(only(variable, value)).unwrap();
    assert_eq!(probe("MILLRACE_SEGMENT", "shm").segment, SegmentKind::Shm);
    assert_eq!(probe("MILLRACE_WAKEUP", "pipe").wakeup, WakeupKind::Pipe);
    assert_eq!(probe("MILLRACE_POLLER", "poll").poller, PollerKind::Poll);
    assert_eq!(probe("MILLRACE_SENTINEL", "waitpid").sentinel, SentinelKind::WaitPid);
  }

  #[test]
  fn an_unknown_value_is_an_error_that_names_variable_and_choices() {
    let error = Capabilities::probe(only("MILLRACE_WAKEUP", "smoke")).unwrap_err().to_string();
    for part in ["MILLRACE_WAKEUP", "smoke", "eventfd", "pipe"] {
      assert!(error.contains(part), "{error}");
    }
  }

  #[test]
  fn an_empty_value_is_no_choice() {
    let plain = Capabilities::probe(|_| None).unwrap();
    assert_eq!(Capabilities::probe(|_| Some(String::new())).unwrap(), plain);
  }

  #[test]
  fn a_missing_native_mechanism_is_replaced_unless_it_was_forced() {
    let missing = || Err(Error::from_errno("eventfd2", libc::ENOSYS));
    let choices = [("eventfd", WakeupKind::EventFd), ("pipe", WakeupKind::Pipe)];
    assert_eq!(choose(|_| None, "MILLRACE_WAKEUP", choices, missing).unwrap(), WakeupKind::Pipe);
    let forced = choose(only("MILLRACE_WAKEUP", "eventfd"), "MILLRACE_WAKEUP", choices, missing);
    assert_eq!(forced.unwrap_err().errno(), Some(libc::ENOSYS));
  }

  #[test]
  fn the_probed_capabilities_are_remembered() {
    assert!(std::ptr::eq(Capabilities::get().unwrap(), Capabilities::get().unwrap()));
  }
}
