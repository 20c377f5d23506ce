//! libuv handles on Node's own loop: to poll a descriptor, to be called before the loop sleeps, and a timer.
//!
//! A handle's memory belongs to libuv from its initialisation until its close callback, whatever happens to the value
//! here: dropping one only begins the closing. Reference: <https://docs.libuv.org/en/v1.x/handle.html>.

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::os::fd::RawFd;
use std::ptr::NonNull;
use std::rc::Rc;
use std::time::Instant;

/// A handle of any kind. Its size is asked of libuv, never assumed.
#[repr(C)]
pub(crate) struct UvHandle {
  _opaque: [u8; 0],
}

/// The loop of a Node environment.
#[repr(C)]
pub(crate) struct UvLoop {
  _opaque: [u8; 0],
}

type PollCallback = unsafe extern "C" fn(*mut UvHandle, c_int, c_int);
type TimerCallback = unsafe extern "C" fn(*mut UvHandle);
type PrepareCallback = unsafe extern "C" fn(*mut UvHandle);
type CloseCallback = unsafe extern "C" fn(*mut UvHandle);

// The values of `uv_handle_type`, part of libuv's stable ABI since 1.0.
const UV_POLL: c_int = 8;
const UV_PREPARE: c_int = 9;
const UV_TIMER: c_int = 13;
const UV_READABLE: c_int = 1;

unsafe extern "C" {
  fn uv_handle_size(kind: c_int) -> usize;
  fn uv_handle_set_data(handle: *mut UvHandle, data: *mut c_void);
  fn uv_handle_get_data(handle: *const UvHandle) -> *mut c_void;
  fn uv_poll_init(uv_loop: *mut UvLoop, handle: *mut UvHandle, fd: c_int) -> c_int;
  fn uv_poll_start(handle: *mut UvHandle, events: c_int, callback: PollCallback) -> c_int;
  fn uv_prepare_init(uv_loop: *mut UvLoop, handle: *mut UvHandle) -> c_int;
  fn uv_prepare_start(handle: *mut UvHandle, callback: PrepareCallback) -> c_int;
  fn uv_backend_timeout(uv_loop: *const UvLoop) -> c_int;
  fn uv_timer_init(uv_loop: *mut UvLoop, handle: *mut UvHandle) -> c_int;
  fn uv_timer_start(handle: *mut UvHandle, callback: TimerCallback, timeout: u64, repeat: u64) -> c_int;
  fn uv_timer_stop(handle: *mut UvHandle) -> c_int;
  fn uv_loop_fork(uv_loop: *mut UvLoop) -> c_int;
  fn uv_update_time(uv_loop: *mut UvLoop);
  fn uv_ref(handle: *mut UvHandle);
  fn uv_unref(handle: *mut UvHandle);
  fn uv_close(handle: *mut UvHandle, callback: CloseCallback);
}

/// The callbacks of a handle.
struct HandleData {
  on_event: Rc<dyn Fn()>,
  on_closed: Rc<dyn Fn()>,
  layout: Layout,
}

/// A handle in libuv's possession.
struct Handle {
  raw: NonNull<UvHandle>,
}

impl Handle {
  /// Allocates a handle and lets `init` initialise it. `on_closed` is called in any case: when the handle has closed,
  /// or at once when it could not be initialised.
  fn new(
    kind: c_int,
    on_event: Rc<dyn Fn()>,
    on_closed: Rc<dyn Fn()>,
    init: impl FnOnce(*mut UvHandle) -> c_int,
  ) -> Result<Self, c_int> {
    // SAFETY: a pure function of its argument.
    let size = unsafe { uv_handle_size(kind) };
    let layout = Layout::from_size_align(size.max(16), 16).map_err(|_| -libc_einval())?;
    // SAFETY: the layout's size is not zero.
    let raw = unsafe { alloc_zeroed(layout) }.cast::<UvHandle>();
    let Some(raw) = NonNull::new(raw) else { handle_alloc_error(layout) };
    let status = init(raw.as_ptr());
    if status < 0 {
      // SAFETY: libuv has not taken a handle whose initialisation failed; the layout is that of the allocation.
      unsafe { dealloc(raw.as_ptr().cast(), layout) };
      on_closed();
      return Err(status);
    }
    let data = Box::into_raw(Box::new(HandleData { on_event, on_closed, layout }));
    // SAFETY: the handle is initialised.
    unsafe { uv_handle_set_data(raw.as_ptr(), data.cast()) };
    Ok(Self { raw })
  }

  fn set_ref(&self, hold: bool) {
    if hold {
      // SAFETY: the handle is initialised and not closing: closing begins in `drop`.
      unsafe { uv_ref(self.raw.as_ptr()) };
    } else {
      // SAFETY: as above.
      unsafe { uv_unref(self.raw.as_ptr()) };
    }
  }
}

impl Drop for Handle {
  fn drop(&mut self) {
    // SAFETY: the handle is initialised, and closed once: this value is its only owner. libuv stops it first.
    unsafe { uv_close(self.raw.as_ptr(), closed) };
  }
}

fn libc_einval() -> c_int {
  22
}

unsafe extern "C" fn polled(handle: *mut UvHandle, _status: c_int, _events: c_int) {
  // SAFETY: libuv passes the handle that the callback was set on.
  unsafe { fire(handle) };
}

unsafe extern "C" fn prepared(handle: *mut UvHandle) {
  // SAFETY: as above.
  unsafe { fire(handle) };
}

unsafe extern "C" fn timed(handle: *mut UvHandle) {
  // SAFETY: as above.
  unsafe { fire(handle) };
}

/// # Safety
/// `handle` is one that [`Handle::new`] made, and has not been freed.
unsafe fn fire(handle: *mut UvHandle) {
  // SAFETY: the handle is alive.
  let data = unsafe { uv_handle_get_data(handle) }.cast::<HandleData>();
  // SAFETY: the data was set right after initialisation, before the handle could fire, and lives until it has closed.
  // Cloned, so that a callback which drops the handle does not pull its own code from under itself.
  let on_event = unsafe { Rc::clone(&(*data).on_event) };
  on_event();
}

unsafe extern "C" fn closed(handle: *mut UvHandle) {
  // SAFETY: the handle is alive until this function frees it.
  let data = unsafe { uv_handle_get_data(handle) }.cast::<HandleData>();
  // SAFETY: made by `Box::into_raw`, and taken back once: a handle closes once.
  let data = unsafe { Box::from_raw(data) };
  // SAFETY: allocated with this layout, and libuv is done with it.
  unsafe { dealloc(handle.cast(), data.layout) };
  (data.on_closed)();
}

/// Tells when a descriptor is readable.
pub(crate) struct Poll(Handle);

impl Poll {
  /// Watches `fd`. It may be closed before the handle is dropped, but its number must not be watched anew before. The
  /// handle does not hold the loop.
  ///
  /// # Safety
  /// `uv_loop` is the loop of this thread's environment.
  pub(crate) unsafe fn start(
    uv_loop: *mut UvLoop,
    fd: RawFd,
    on_event: Rc<dyn Fn()>,
    on_closed: Rc<dyn Fn()>,
  ) -> Result<Self, c_int> {
    // SAFETY: the loop is valid, the handle's memory is of the size that libuv asks for.
    let handle = Handle::new(UV_POLL, on_event, on_closed, |raw| unsafe { uv_poll_init(uv_loop, raw, fd) })?;
    handle.set_ref(false);
    // SAFETY: the handle is initialised.
    let status = unsafe { uv_poll_start(handle.raw.as_ptr(), UV_READABLE, polled) };
    if status < 0 {
      return Err(status);
    }
    Ok(Self(handle))
  }

  /// Whether the handle keeps the loop alive.
  pub(crate) fn set_ref(&self, hold: bool) {
    self.0.set_ref(hold);
  }
}

/// Calls each time before the loop would sleep. The handle does not hold the loop.
pub(crate) struct Prepare {
  _handle: Handle,
}

impl Prepare {
  /// Starts at once.
  ///
  /// # Safety
  /// As [`Poll::start`].
  pub(crate) unsafe fn start(
    uv_loop: *mut UvLoop,
    on_event: Rc<dyn Fn()>,
    on_closed: Rc<dyn Fn()>,
  ) -> Result<Self, c_int> {
    // SAFETY: as for a poll handle.
    let handle = Handle::new(UV_PREPARE, on_event, on_closed, |raw| unsafe { uv_prepare_init(uv_loop, raw) })?;
    handle.set_ref(false);
    // SAFETY: the handle is initialised.
    let status = unsafe { uv_prepare_start(handle.raw.as_ptr(), prepared) };
    if status < 0 {
      return Err(status);
    }
    Ok(Self { _handle: handle })
  }
}

/// Whether the loop has something to do at once, and will not sleep.
///
/// # Safety
/// `uv_loop` is the loop of this thread's environment.
pub(crate) unsafe fn is_busy(uv_loop: *const UvLoop) -> bool {
  // SAFETY: the caller's loop.
  unsafe { uv_backend_timeout(uv_loop) == 0 }
}

/// Makes the loop of a process that was just forked independent of its parent's, with the same handles.
///
/// # Safety
/// `uv_loop` is the loop of this thread, and not in the middle of looking for input and output.
pub(crate) unsafe fn fork_loop(uv_loop: *mut UvLoop) -> Result<(), c_int> {
  // SAFETY: the caller's loop.
  match unsafe { uv_loop_fork(uv_loop) } {
    0 => Ok(()),
    status => Err(status),
  }
}

/// Fires once after a time. The handle does not hold the loop.
pub(crate) struct Timer {
  handle: Handle,
  uv_loop: *mut UvLoop,
  /// When the timer fires, if it is armed.
  due: Rc<Cell<Option<Instant>>>,
}

impl Timer {
  /// A timer that is not armed.
  ///
  /// # Safety
  /// As [`Poll::start`].
  pub(crate) unsafe fn new(
    uv_loop: *mut UvLoop,
    on_event: Rc<dyn Fn()>,
    on_closed: Rc<dyn Fn()>,
  ) -> Result<Self, c_int> {
    let due = Rc::new(Cell::new(None));
    let fired = Rc::clone(&due);
    let on_event = move || {
      fired.set(None);
      on_event();
    };
    // SAFETY: as for a poll handle.
    let handle = Handle::new(UV_TIMER, Rc::new(on_event), on_closed, |raw| unsafe { uv_timer_init(uv_loop, raw) })?;
    handle.set_ref(false);
    Ok(Self { handle, uv_loop, due })
  }

  /// When the timer fires, if it is armed.
  pub(crate) fn due(&self) -> Option<Instant> {
    self.due.get()
  }

  /// Arms the timer to fire at `due`, or disarms it.
  pub(crate) fn arm(&self, due: Option<Instant>) {
    if self.due.replace(due) == due {
      return;
    }
    match due {
      Some(at) => {
        let left = at.saturating_duration_since(Instant::now());
        // Rounded up: a timer that fires too early would only be armed again.
        let milliseconds = u64::try_from(left.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
        // The loop's idea of the time is that of its last turn: a long computation since would cut the delay short.
        // SAFETY: the loop outlives its environment's handles.
        unsafe { uv_update_time(self.uv_loop) };
        // SAFETY: the handle is initialised and not closing.
        unsafe { uv_timer_start(self.handle.raw.as_ptr(), timed, milliseconds, 0) };
      }
      None => {
        // SAFETY: as above.
        unsafe { uv_timer_stop(self.handle.raw.as_ptr()) };
      }
    }
  }
}
