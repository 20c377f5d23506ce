//! Orphans: processes that a child of this process has left behind, where this process becomes their parent.
//!
//! The kernel gives a process whose parent has ended to the first process of the PID namespace, or to a nearer
//! subreaper. An init reaps such processes. Node reaps only what it has started itself: in a container whose first
//! process is the program, everything that a killed worker had started would stay a zombie for ever.
//!
//! Reaped are the members of a process group whose leader, a [`Child`](super::Child), has ended and is reaped itself.
//! No other code of this process waits for them: a process that Node starts is in this process's own group, or leads a
//! new one. So a process that has the number of the ended leader is left alone: somebody has started it since.
//!
//! A group that is being killed takes a moment to end, and the members of one that is not killed may live for long. A
//! thread looks at them from time to time, and ends with the last of them.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use rustix::process::{Pid, WaitOptions, waitpid};

use crate::signals::SignalsBlocked;

/// Pauses between looks: the first, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_micros(500), Duration::from_secs(1));

/// The thread makes system calls. Most of its stack is the thread-local storage of the libraries in the process.
const STACK: usize = 128 << 10;

/// The groups that the thread looks at.
static GROUPS: Mutex<Groups> = Mutex::new(Groups { left: Vec::new(), are_watched: false });

/// Notified when a group is added.
static ADDED: Condvar = Condvar::new();

struct Groups {
  left: Vec<Group>,
  /// Whether the thread runs.
  are_watched: bool,
}

/// A process group whose leader has ended.
struct Group {
  id: Pid,
  /// A leader that another process, a fork server, has to reap. If that process ends before, the leader is an orphan.
  leader: Option<OwnedFd>,
}

/// Reaps what is left of the process group `id`, now and later, if this process gets orphans. The leader has ended, and
/// is reaped unless `leader` is its pidfd.
pub(super) fn reap_group(id: Pid, leader: Option<BorrowedFd<'_>>) {
  if !gets_orphans() {
    return;
  }
  // Without a descriptor for it the leader may stay a zombie; its group is reaped all the same.
  let leader = leader.and_then(|pidfd| pidfd.try_clone_to_owned().ok());
  let group = Group { id, leader };
  if group.reap() {
    return;
  }
  let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
  groups.left.push(group);
  if groups.are_watched {
    ADDED.notify_one();
    return;
  }
  // Signals are for the threads of Node; the mask is inherited by the thread.
  let _blocked = SignalsBlocked::new();
  let started = thread::Builder::new().name("millrace-reaper".into()).stack_size(STACK).spawn(watch);
  // Without a thread the next group that is added tries again.
  groups.are_watched = started.is_ok();
}

/// Whether orphans become children of this process.
fn gets_orphans() -> bool {
  let mut is_subreaper: libc::c_int = 0;
  // SAFETY: the call writes one integer, which lives through the call.
  let asked = unsafe { libc::prctl(libc::PR_GET_CHILD_SUBREAPER, &raw mut is_subreaper) };
  std::process::id() == 1 || (asked == 0 && is_subreaper != 0)
}

fn watch() {
  let (shortest, longest) = PAUSES;
  let mut pause = shortest;
  let mut groups = GROUPS.lock().unwrap_or_else(PoisonError::into_inner);
  loop {
    groups.left.retain(|group| !group.reap());
    if groups.left.is_empty() {
      groups.are_watched = false;
      return;
    }
    let before = groups.left.len();
    groups = ADDED.wait_timeout(groups, pause).unwrap_or_else(PoisonError::into_inner).0;
    pause = if groups.left.len() > before { shortest } else { (pause * 2).min(longest) };
  }
}

/// The state of a process group among the children of this process.
enum Members {
  /// This member has ended.
  Ended(Pid),
  /// All members live.
  Alive,
  /// There are none.
  None,
}

impl Group {
  /// Reaps the members that have ended. True: nothing of the group is or becomes a child of this process.
  fn reap(&self) -> bool {
    if self.leader.as_ref().is_some_and(|leader| !reap_leader(leader.as_fd())) {
      return false;
    }
    loop {
      match self.members() {
        // The number of the leader has been given to another process, which is not ours to reap, so no member of the
        // old group is left.
        Members::Ended(pid) if pid == self.id => return true,
        // An ended child of this process keeps its number until this call. A child of the member became a child of this
        // process before the member was seen to have ended.
        Members::Ended(pid) => drop(waitpid(Some(pid), WaitOptions::NOHANG)),
        Members::Alive => return false,
        Members::None => return true,
      }
    }
  }

  fn members(&self) -> Members {
    let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
    let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
    let id = self.id.as_raw_nonzero().get().unsigned_abs();
    // SAFETY: the call writes one structure, which lives through the call, and reaps nothing.
    if unsafe { libc::waitid(libc::P_PGID, id, info.as_mut_ptr(), options) } != 0 {
      // `ECHILD`: no child of this process is in the group. The call has no other reason to fail.
      return Members::None;
    }
    // SAFETY: a structure of integers and pointers, zero before the call.
    let info = unsafe { info.assume_init() };
    // SAFETY: the process id is there after each `waitid`, and 0 if no child has ended.
    Pid::from_raw(unsafe { info.si_pid() }).map_or(Members::Alive, Members::Ended)
  }
}

/// Reaps the process behind `pidfd` if it has become a child of this one. True: the process is reaped, by whomever.
fn reap_leader(pidfd: BorrowedFd<'_>) -> bool {
  let mut info = MaybeUninit::<libc::siginfo_t>::zeroed();
  let (fd, options) = (pidfd.as_raw_fd(), libc::WEXITED | libc::WNOHANG);
  // SAFETY: the call writes one structure, which lives through the call. The process behind the descriptor has ended.
  let reaped = unsafe { libc::waitid(libc::P_PIDFD, fd.unsigned_abs(), info.as_mut_ptr(), options) } == 0;
  // SAFETY: an open descriptor, and no structure. Signal 0 only asks whether there is such a process.
  reaped || unsafe { libc::syscall(libc::SYS_pidfd_send_signal, fd, 0, std::ptr::null::<libc::siginfo_t>(), 0) } != 0
}
