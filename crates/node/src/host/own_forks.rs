//! The pools of an environment, and the forks of a pool's workers from its own process.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use millrace_pool::OwnFork;
use napi_derive::napi;

use super::event_loop::Core;
use crate::forked::{NativeForked, become_forked};

thread_local! {
  /// The pools of this environment that live.
  static POOLS: RefCell<Vec<Weak<Core>>> = const { RefCell::new(Vec::new()) };
}

/// Notes a pool, so that processes which are forked from this one leave it behind.
pub(super) fn register(core: &Rc<Core>) {
  POOLS.with_borrow_mut(|pools| {
    pools.retain(|pool| pool.strong_count() > 0);
    pools.push(Rc::downgrade(core));
  });
}

/// How many pools of this environment have workers, or a fork server.
#[napi]
pub fn busy_pools() -> u32 {
  POOLS.with_borrow(|pools| {
    let busy = pools.iter().filter_map(Weak::upgrade).filter(|pool| pool.manager().has_processes());
    busy.count() as u32
  })
}

/// Forks all workers of a pool. Returns `None` in this process, and in a worker what the worker has to know.
pub(super) fn fork_workers(core: &Core) -> Option<NativeForked> {
  let uv_loop = core.uv_loop()?;
  loop {
    // SAFETY: JavaScript has seen that this process can be forked, and calls from the top of a turn; the child goes on
    // below.
    let fork = unsafe { core.manager().fork_next() };
    match fork {
      OwnFork::Worker => {}
      OwnFork::Last => {
        core.sync();
        return None;
      }
      OwnFork::Child(worker) => {
        // SAFETY: the loop of this thread, right after the fork.
        let forked = unsafe { become_forked(worker, uv_loop) };
        let pools = POOLS.take();
        pools.iter().filter_map(Weak::upgrade).for_each(|pool| pool.leave_behind());
        return Some(forked);
      }
    }
  }
}
