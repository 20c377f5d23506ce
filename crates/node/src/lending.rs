//! ArrayBuffers over the memory of lanes.
//!
//! Such a buffer holds a [`Loan`], which ends when the buffer is collected. Until then the loan can be found by the
//! buffer's address, so that a call or a result takes the memory along without a copy; then the buffer is detached.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::ptr::{self, NonNull};
use std::rc::Rc;

use millrace_pool::Loan;
use napi::bindgen_prelude::{Env, FromNapiValue, Object, Unknown};
use napi::{JsValue, check_status, sys};
use napi_derive::napi;

thread_local! {
  /// The loans of this environment's buffers, by address, until the buffers are collected. An environment has a thread
  /// of its own.
  static LOANS: RefCell<HashMap<usize, Rc<Loan>>> = RefCell::default();
}

/// How many ArrayBuffers of this environment lie in the memory of lanes and are not collected yet.
#[napi]
pub fn lent_buffers() -> u32 {
  LOANS.with_borrow(|loans| loans.len() as u32)
}

/// An ArrayBuffer whose memory is the content of `loan`. The loan ends when the ArrayBuffer is collected, at the latest
/// with the environment. An engine with a sandbox allows no ArrayBuffer outside of its own memory: there the content is
/// copied.
///
/// # References
///  - [Node-API](https://nodejs.org/api/n-api.html#napi_create_external_arraybuffer)
pub(crate) fn array_buffer(env: &Env, loan: Loan) -> napi::Result<Unknown<'_>> {
  let loan = Rc::new(loan);
  let (address, len) = (loan.as_ptr().cast::<c_void>(), loan.len());
  let hint = Rc::into_raw(Rc::clone(&loan)).cast_mut().cast::<c_void>();
  let mut value = ptr::null_mut();
  // SAFETY: the environment is the caller's. The memory is valid for as long as the loan lives, which is until `end`
  // runs.
  let made = unsafe { sys::napi_create_external_arraybuffer(env.raw(), address, len, Some(end), hint, &mut value) };
  if made == sys::Status::napi_ok {
    LOANS.with_borrow_mut(|loans| loans.insert(address as usize, loan));
  } else {
    // SAFETY: no ArrayBuffer was made, so `end` will not run.
    drop(unsafe { Rc::from_raw(hint.cast_const().cast::<Loan>()) });
    if made != sys::Status::napi_no_external_buffers_allowed {
      check_status!(made)?;
    }
    let mut memory = ptr::null_mut();
    // SAFETY: as above.
    let made = unsafe { sys::napi_create_arraybuffer(env.raw(), len, &mut memory, &mut value) };
    check_status!(made)?;
    // SAFETY: the loan still lives, and the new memory, of the same length, is nobody else's. What is copied is
    // arbitrary if the other process writes to it meanwhile, which it must not.
    unsafe { memory.cast::<u8>().copy_from_nonoverlapping(loan.as_ptr(), len) };
  }
  // SAFETY: a value of this environment, made above.
  unsafe { Unknown::from_napi_value(env.raw(), value) }
}

/// An ArrayBuffer over memory that stays as long as this process.
///
/// # Safety
/// From `address` on, `len` bytes are readable and writable as long as this process lives.
///
/// # Errors
/// Where the engine allows no ArrayBuffer outside of its own memory.
pub(crate) unsafe fn permanent_array_buffer(env: &Env, address: NonNull<u8>, len: usize) -> napi::Result<Unknown<'_>> {
  let mut value = ptr::null_mut();
  let memory = address.as_ptr().cast::<c_void>();
  // SAFETY: the environment is the caller's, and the caller vouches for the memory. Nothing is to be done at the end.
  let made =
    unsafe { sys::napi_create_external_arraybuffer(env.raw(), memory, len, None, ptr::null_mut(), &mut value) };
  check_status!(made)?;
  // SAFETY: a value of this environment, made above.
  unsafe { Unknown::from_napi_value(env.raw(), value) }
}

unsafe extern "C" fn end(_env: sys::napi_env, data: *mut c_void, hint: *mut c_void) {
  // SAFETY: made by `array_buffer` for this ArrayBuffer, and finalized once.
  let loan = unsafe { Rc::from_raw(hint.cast_const().cast::<Loan>()) };
  // At the end of the thread there may be no table any more.
  let _ = LOANS.try_with(|loans| {
    let mut loans = loans.borrow_mut();
    // A block that was passed on may have come back meanwhile, and have another buffer at the same address.
    if loans.get(&(data as usize)).is_some_and(|other| Rc::ptr_eq(other, &loan)) {
      loans.remove(&(data as usize));
    }
  });
}

/// The loan in whose memory an ArrayBuffer lies, if there is one.
pub(crate) fn loan_of(buffer: &Object<'_>) -> napi::Result<Option<Rc<Loan>>> {
  let address = address_of(buffer)?;
  Ok(LOANS.with_borrow(|loans| loans.get(&address).cloned()))
}

/// Detaches an ArrayBuffer: neither the buffer nor its views have memory any more.
///
/// # Errors
/// When the buffer cannot be detached, such as that of a WebAssembly memory.
///
/// # References
///  - [Node-API](https://nodejs.org/api/n-api.html#napi_detach_arraybuffer)
pub(crate) fn detach(buffer: &Object<'_>) -> napi::Result<()> {
  let address = address_of(buffer)?;
  let value = buffer.value();
  // SAFETY: an ArrayBuffer of this environment: it was looked at.
  let detached = unsafe { sys::napi_detach_arraybuffer(value.env, value.value) };
  check_status!(detached)?;
  LOANS.with_borrow_mut(|loans| loans.remove(&address));
  Ok(())
}

fn address_of(buffer: &Object<'_>) -> napi::Result<usize> {
  let value = buffer.value();
  let (mut address, mut len) = (ptr::null_mut(), 0);
  // SAFETY: a value of this environment, which this asks whether it is an ArrayBuffer.
  let looked = unsafe { sys::napi_get_arraybuffer_info(value.env, value.value, &mut address, &mut len) };
  check_status!(looked)?;
  Ok(address as usize)
}

/// Detaches an ArrayBuffer. False: it cannot be detached.
#[napi(js_name = "detachBuffer")]
pub fn detach_buffer(#[napi(ts_arg_type = "ArrayBuffer")] buffer: Object<'_>) -> bool {
  detach(&buffer).is_ok()
}

/// Whether an ArrayBuffer lies in the memory of a lane.
#[napi(js_name = "liesInLane")]
pub fn lies_in_lane(#[napi(ts_arg_type = "ArrayBuffer")] buffer: Object<'_>) -> napi::Result<bool> {
  Ok(loan_of(&buffer)?.is_some())
}
