//! ArrayBuffers over the memory of lanes.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use millrace_pool::Loan;
use napi::bindgen_prelude::{Env, FromNapiValue, Unknown};
use napi::{check_status, sys};

/// ArrayBuffers over lanes that are not collected yet.
static LIVE: AtomicU32 = AtomicU32::new(0);

/// How many ArrayBuffers of this process lie in the memory of lanes.
pub(crate) fn live() -> u32 {
  LIVE.load(Ordering::Relaxed)
}

/// An ArrayBuffer whose memory is the content of `loan`, which ends when that is collected, or its environment. Where no
/// ArrayBuffer may lie outside of the engine's own memory (its sandbox) it is a copy.
///
/// # References
///  - [Node-API](https://nodejs.org/api/n-api.html#napi_create_external_arraybuffer)
pub(crate) fn array_buffer(env: &Env, loan: Loan) -> napi::Result<Unknown<'_>> {
  let (address, len) = (loan.as_ptr().cast::<c_void>(), loan.len());
  let hint = Box::into_raw(Box::new(loan)).cast::<c_void>();
  let mut value = ptr::null_mut();
  // SAFETY: the environment is the caller's. The memory is valid for as long as the loan lives, which is until `end` runs.
  let made = unsafe { sys::napi_create_external_arraybuffer(env.raw(), address, len, Some(end), hint, &mut value) };
  if made != sys::Status::napi_ok {
    // SAFETY: nothing was made, so nobody else will end it.
    let loan = unsafe { Box::from_raw(hint.cast::<Loan>()) };
    if made != sys::Status::napi_no_external_buffers_allowed {
      check_status!(made)?;
    }
    let mut memory = ptr::null_mut();
    // SAFETY: as above.
    let made = unsafe { sys::napi_create_arraybuffer(env.raw(), len, &mut memory, &mut value) };
    check_status!(made)?;
    // SAFETY: the loan still lives, and the new memory, of the same length, is nobody else's.
    unsafe { memory.cast::<u8>().copy_from_nonoverlapping(loan.as_ptr(), len) };
  }
  if made == sys::Status::napi_ok {
    LIVE.fetch_add(1, Ordering::Relaxed);
  }
  // SAFETY: a value of this environment, made above.
  unsafe { Unknown::from_napi_value(env.raw(), value) }
}

unsafe extern "C" fn end(_env: sys::napi_env, _data: *mut c_void, hint: *mut c_void) {
  // SAFETY: made by `array_buffer` for this ArrayBuffer, and finalized once.
  drop(unsafe { Box::from_raw(hint.cast::<Loan>()) });
  LIVE.fetch_sub(1, Ordering::Relaxed);
}
