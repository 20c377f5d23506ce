//! Calls of a JavaScript function from a libuv callback.

use std::ptr;

use napi::bindgen_prelude::{Env, Function, JsValue};
use napi::{Status, check_status, sys};

/// A JavaScript function without arguments, held for as long as this lives.
pub(crate) struct Callback {
  env: sys::napi_env,
  reference: sys::napi_ref,
}

impl Callback {
  pub(crate) fn new(env: &Env, function: &Function<'_, (), ()>) -> napi::Result<Self> {
    let mut reference = ptr::null_mut();
    // SAFETY: both belong to this environment, on whose thread we are.
    let status = unsafe { sys::napi_create_reference(env.raw(), function.raw(), 1, &mut reference) };
    check_status!(status)?;
    Ok(Self { env: env.raw(), reference })
  }

  /// Calls the function as the event loop calls a callback: microtasks run afterwards, and an exception is an uncaught
  /// one. Must not be called from within JavaScript.
  pub(crate) fn call(&self) {
    let mut scope = ptr::null_mut();
    // SAFETY: the environment is alive: its cleanup closes the handles that lead here first.
    if unsafe { sys::napi_open_handle_scope(self.env, &mut scope) } != sys::Status::napi_ok {
      return;
    }
    self.call_in_scope();
    // SAFETY: opened above.
    unsafe { sys::napi_close_handle_scope(self.env, scope) };
  }

  fn call_in_scope(&self) {
    let mut function = ptr::null_mut();
    // SAFETY: the reference is strong, so its value is there.
    if unsafe { sys::napi_get_reference_value(self.env, self.reference, &mut function) } != sys::Status::napi_ok {
      return;
    }
    let mut receiver = ptr::null_mut();
    // SAFETY: a handle scope is open.
    if unsafe { sys::napi_get_global(self.env, &mut receiver) } != sys::Status::napi_ok {
      return;
    }
    let mut result = ptr::null_mut();
    // SAFETY: no arguments are passed; a null async context is what a callback without a history has.
    let status =
      unsafe { sys::napi_make_callback(self.env, ptr::null_mut(), receiver, function, 0, ptr::null(), &mut result) };
    if status == sys::Status::napi_pending_exception {
      self.report_exception();
    }
  }

  fn report_exception(&self) {
    let mut error = ptr::null_mut();
    // SAFETY: an exception is pending.
    if unsafe { sys::napi_get_and_clear_last_exception(self.env, &mut error) } == sys::Status::napi_ok {
      // SAFETY: a value of the open scope.
      unsafe { sys::napi_fatal_exception(self.env, error) };
    }
  }
}

impl Drop for Callback {
  fn drop(&mut self) {
    // SAFETY: created in this environment and deleted once, on its thread.
    unsafe { sys::napi_delete_reference(self.env, self.reference) };
  }
}

/// The loop of an environment.
pub(crate) fn event_loop(env: &Env) -> napi::Result<*mut crate::uv::UvLoop> {
  let mut uv_loop = ptr::null_mut();
  // SAFETY: the environment is the caller's.
  let status = unsafe { sys::napi_get_uv_event_loop(env.raw(), &mut uv_loop) };
  check_status!(status)?;
  Ok(uv_loop.cast())
}

/// An error of libuv's as one of Node-API's.
pub(crate) fn uv_error(what: &str, status: i32) -> napi::Error {
  napi::Error::new(Status::GenericFailure, format!("{what} failed with libuv error {status}"))
}
