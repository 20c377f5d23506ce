//! Memory outside of V8's heap that objects of the heap keep, as V8 is told of it.

use napi::bindgen_prelude::Env;
use napi_derive::napi;

/// Tells V8 that objects of its heap keep so many bytes more outside of the heap, or fewer. V8 collects garbage the
/// sooner the more memory such objects keep.
#[napi]
pub fn adjust_external_memory(env: Env, bytes: i64) -> napi::Result<()> {
  env.adjust_external_memory(bytes).map(|_| ())
}
