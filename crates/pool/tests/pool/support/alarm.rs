//! An alarm that ends a test in which the manager never returns: no condition with a deadline can see that.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread;

use super::WATCHDOG;

/// Ends the whole test process, unless it is dropped in time.
pub struct Alarm {
  _hung_up_when_dropped: Sender<()>,
}

impl Alarm {
  pub fn set() -> Self {
    let (sender, receiver) = channel();
    let test = thread::current().name().unwrap_or("main").to_owned();
    thread::spawn(move || {
      if receiver.recv_timeout(3 * WATCHDOG) == Err(RecvTimeoutError::Timeout) {
        #[allow(clippy::print_stderr, reason = "the last words of a test run that hangs")]
        {
          eprintln!("{test} hangs");
        }
        std::process::abort();
      }
    });
    Self { _hung_up_when_dropped: sender }
  }
}
