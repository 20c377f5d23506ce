//! How an environment (the main thread's, or a `worker_threads` thread's) ends with no handle open.
//!
//! libuv needs a turn of the loop to close a handle, and a thread's loop may not end with open handles. So an
//! asynchronous cleanup hook makes the environment's teardown wait until the last close callback has come. Reference:
//! <https://nodejs.org/api/n-api.html#napi_add_async_cleanup_hook>.

use std::cell::{Cell, RefCell};
use std::ffi::c_void;
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::Env;
use napi::{check_status, sys};

/// The handles of one owner, and the hook that stays until they have closed.
pub(crate) struct Cleanup {
  hook: Cell<sys::napi_async_cleanup_hook_handle>,
  /// The reference that the hook has, as [`Rc::into_raw`] gave it; null without a hook.
  hooked: Cell<*const Self>,
  open: Cell<usize>,
  /// No handle will be opened any more: the hook is removed when the last one has closed.
  ending: Cell<bool>,
  on_teardown: RefCell<Option<Box<dyn FnOnce()>>>,
}

impl Cleanup {
  /// Registers `on_teardown` to be called when the environment ends, unless [`Cleanup::end`] was called before.
  /// `on_teardown` must drop all handles.
  pub(crate) fn register(env: &Env, on_teardown: Box<dyn FnOnce()>) -> napi::Result<Rc<Self>> {
    let this = Rc::new(Self {
      hook: Cell::new(ptr::null_mut()),
      hooked: Cell::new(ptr::null()),
      open: Cell::new(0),
      ending: Cell::new(false),
      on_teardown: RefCell::new(Some(on_teardown)),
    });
    let hooked = Rc::into_raw(Rc::clone(&this));
    let data = hooked.cast_mut().cast::<c_void>();
    let mut hook = ptr::null_mut();
    // SAFETY: the environment is the caller's, and `data` stays valid until the hook is removed.
    let status = unsafe { sys::napi_add_async_cleanup_hook(env.raw(), Some(teardown), data, &mut hook) };
    if status != sys::Status::napi_ok {
      // SAFETY: no hook has taken this reference over.
      drop(unsafe { Rc::from_raw(hooked) });
    }
    check_status!(status)?;
    this.hook.set(hook);
    this.hooked.set(hooked);
    Ok(this)
  }

  /// Counts a handle that is about to be opened. The handle has to call the returned function when it has closed.
  pub(crate) fn handle_opened(self: &Rc<Self>) -> Rc<dyn Fn()> {
    self.open.set(self.open.get() + 1);
    let this = Rc::clone(self);
    Rc::new(move || this.handle_closed())
  }

  fn handle_closed(&self) {
    self.open.set(self.open.get() - 1);
    self.finish_if_closed();
  }

  /// All handles have been dropped, and there will be no others.
  pub(crate) fn end(&self) {
    self.on_teardown.take();
    self.ending.set(true);
    self.finish_if_closed();
  }

  fn finish_if_closed(&self) {
    let hook = self.hook.get();
    if !self.ending.get() || self.open.get() > 0 || hook.is_null() {
      return;
    }
    self.hook.set(ptr::null_mut());
    // SAFETY: registered, and removed once. On an environment that is ending this lets the teardown go on.
    unsafe { sys::napi_remove_async_cleanup_hook(hook) };
    // SAFETY: the reference that `register` made for the hook, taken back once, as there is no hook any more. Whoever
    // calls has another, so `self` stays valid.
    drop(unsafe { Rc::from_raw(self.hooked.replace(ptr::null())) });
  }
}

unsafe extern "C" fn teardown(_hook: sys::napi_async_cleanup_hook_handle, data: *mut c_void) {
  let this = data.cast::<Cleanup>().cast_const();
  // SAFETY: the pointer of `Rc::into_raw` in `register`, whose reference lasts until the hook is removed.
  unsafe { Rc::increment_strong_count(this) };
  // SAFETY: the reference just made.
  let this = unsafe { Rc::from_raw(this) };
  let on_teardown = this.on_teardown.take();
  if let Some(on_teardown) = on_teardown {
    on_teardown();
  }
  this.end();
}
