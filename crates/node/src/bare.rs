//! Bare functions: JavaScript functions without arguments, straight on Node-API.
//!
//! A method of a napi-rs class looks up the wrapped value and the type tag of its receiver, and keeps books on borrows:
//! about 150 ns, more than the rest of a small call takes. The few functions that run once a call, or once a batch of
//! results, are bare: the value that such a function works on is bound to the function, and its arguments are numbers
//! that JavaScript has written into a buffer which both sides share.

use std::ffi::{CString, c_void};
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::{Env, FromNapiValue, Function};
use napi::{check_status, sys};

/// The body of a bare function. Its error is thrown in JavaScript.
type Body<T> = fn(&T) -> napi::Result<i32>;

struct Bound<T> {
  target: Rc<T>,
  body: Body<T>,
}

/// A JavaScript function that calls `body` with `target`. The function keeps `target` alive.
pub(crate) fn bare_function<'env, T: 'static>(
  env: &'env Env,
  target: &Rc<T>,
  body: Body<T>,
) -> napi::Result<Function<'env, (), i32>> {
  let data = Box::into_raw(Box::new(Bound { target: Rc::clone(target), body })).cast::<c_void>();
  let mut function = ptr::null_mut();
  // SAFETY: the environment is the caller's, and `data` lives at least as long as the function: see below.
  let made = unsafe { sys::napi_create_function(env.raw(), ptr::null(), 0, Some(invoke::<T>), data, &mut function) };
  if made != sys::Status::napi_ok {
    // SAFETY: no function has it.
    drop(unsafe { Box::from_raw(data.cast::<Bound<T>>()) });
  }
  check_status!(made)?;
  // SAFETY: the data is freed by this finalizer alone, when the function is collected; never, if that cannot be
  // arranged.
  let kept =
    unsafe { sys::napi_add_finalizer(env.raw(), function, data, Some(release::<T>), ptr::null_mut(), ptr::null_mut()) };
  check_status!(kept)?;
  // SAFETY: a function of this environment, made above.
  unsafe { Function::from_napi_value(env.raw(), function) }
}

unsafe extern "C" fn invoke<T>(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value {
  let mut data = ptr::null_mut();
  // SAFETY: called by Node-API with an environment and an info that are valid meanwhile, with which this cannot fail;
  // only the data is asked for.
  unsafe {
    sys::napi_get_cb_info(env, info, ptr::null_mut(), ptr::null_mut(), ptr::null_mut(), &mut data);
  }
  // SAFETY: the data that `bare_function` gave this very function, which is alive while it is called.
  let bound = unsafe { &*data.cast_const().cast::<Bound<T>>() };
  let mut result = ptr::null_mut();
  match (bound.body)(&bound.target) {
    // SAFETY: as above.
    Ok(number) => unsafe { sys::napi_create_int32(env, number, &mut result) },
    Err(error) => {
      let message = CString::new(error.reason.as_bytes()).unwrap_or_default();
      // SAFETY: as above; the message is copied.
      unsafe { sys::napi_throw_error(env, ptr::null(), message.as_ptr()) }
    }
  };
  result
}

unsafe extern "C" fn release<T>(_env: sys::napi_env, data: *mut c_void, _hint: *mut c_void) {
  // SAFETY: made by `bare_function` for this function, and finalized once.
  drop(unsafe { Box::from_raw(data.cast::<Bound<T>>()) });
}
