//! The moment at which V8 gives up because the heap of a worker is full: the host hears of it.
//!
//! Node aborts then, and to the host an abort is like any other. V8 calls a function before. Node-API does not know
//! that function, so it is set through V8's own interface, by its names in the executable: these are the same in Node
//! 20 to 26. In an executable without them the host hears of an abort only.

use std::ffi::c_void;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicU32, Ordering};

use millrace_pool::WorkerPhase;
use millrace_sys::exported_symbol;

/// `v8::NearHeapLimitCallback`: is given the limit, and returns another one.
type NearHeapLimit = extern "C" fn(data: *mut c_void, limit: usize, initial: usize) -> usize;

/// `v8::Isolate::GetCurrent()`.
type GetCurrent = unsafe extern "C" fn() -> *mut c_void;

/// `isolate->AddNearHeapLimitCallback(callback, data)`.
type AddNearHeapLimitCallback = unsafe extern "C" fn(isolate: *mut c_void, callback: NearHeapLimit, data: *mut c_void);

/// Has [`WorkerPhase::OutOfMemory`] stored when the heap of this thread's isolate is full. Of several such functions V8
/// calls the one that was set last.
///
/// # Safety
/// `phase` is an aligned word of memory that stays as long as this process, and is accessed by atomic operations only.
/// This thread runs an isolate.
pub(crate) unsafe fn note_full_heap(phase: NonNull<u32>) {
  let (Some(current), Some(add)) = (
    exported_symbol(c"_ZN2v87Isolate10GetCurrentEv"),
    exported_symbol(c"_ZN2v87Isolate24AddNearHeapLimitCallbackEPFmPvmmES1_"),
  ) else {
    return;
  };
  // SAFETY: the mangled name says that the function takes nothing, and V8 documents that it returns a pointer.
  let current = unsafe { std::mem::transmute::<NonNull<c_void>, GetCurrent>(current) };
  // SAFETY: the mangled name has these parameters behind the object; the function returns nothing.
  let add = unsafe { std::mem::transmute::<NonNull<c_void>, AddNearHeapLimitCallback>(add) };
  // SAFETY: no requirements.
  let isolate = unsafe { current() };
  if !isolate.is_null() {
    // SAFETY: the isolate is this thread's. The callback takes any word for which the caller vouches.
    unsafe { add(isolate, near_heap_limit, phase.as_ptr().cast()) };
  }
}

/// V8 has no room left, also after its last collections. It aborts when it gets back no higher limit.
extern "C" fn near_heap_limit(phase: *mut c_void, limit: usize, _initial: usize) -> usize {
  // SAFETY: `note_full_heap` was given this word, which is aligned, stays, and is accessed by atomic operations only.
  let phase = unsafe { AtomicU32::from_ptr(phase.cast()) };
  // The host looks when this process has ended: no other store is published with this one.
  phase.store(WorkerPhase::OutOfMemory as u32, Ordering::Relaxed);
  limit
}
