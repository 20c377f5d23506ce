//! Settings of the C library's heap, for a worker process.

/// Blocks below this size are used again without a system call: glibc's maximum for it.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const REUSED_BELOW: libc::c_int = 32 << 20;

/// Free memory that is kept at the end of the heap, for the next large block.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
const KEPT_FREE: libc::c_int = 64 << 20;

/// Makes the heap use freed memory again instead of giving it back to the system at once.
///
/// By default glibc maps each block of 128 KiB and more by itself and unmaps it when it is freed, so that each buffer
/// that a task gets consists of pages that the kernel has yet to clear: for 1 MiB that takes longer than all copying of
/// a call. The setting is the whole process's: only for a process of our own. Other C libraries have no such setting.
///
/// # References
///  - [glibc](https://man7.org/linux/man-pages/man3/mallopt.3.html)
pub fn reuse_heap_memory() {
  #[cfg(all(target_os = "linux", target_env = "gnu"))]
  for (parameter, bytes) in [(libc::M_MMAP_THRESHOLD, REUSED_BELOW), (libc::M_TRIM_THRESHOLD, KEPT_FREE)] {
    // SAFETY: glibc stores one aligned word, under the lock of the first arena; a thread that allocates from another
    // arena meanwhile sees the old number or the new one, and works with either. A number that it refuses changes
    // nothing.
    unsafe { libc::mallopt(parameter, bytes) };
  }
}

/// Gives the free memory of the heap back to the system.
///
/// # References
///  - [glibc](https://man7.org/linux/man-pages/man3/malloc_trim.3.html)
pub fn trim_heap() {
  #[cfg(all(target_os = "linux", target_env = "gnu"))]
  // SAFETY: may be called at any time, from any thread.
  unsafe {
    libc::malloc_trim(0);
  }
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
  use std::hint::black_box;

  use super::*;
  use crate::resident_bytes;

  #[test]
  fn freed_blocks_stay_until_the_heap_is_trimmed() {
    reuse_heap_memory();
    let resident = || resident_bytes(std::process::id()).unwrap();
    let mut blocks: Vec<_> = (0..24).map(|_| black_box(vec![1_u8; 2 << 20])).collect();
    let full = resident();
    // The end of the heap of a thread that is not the first is not given back: so one stays there.
    let last = blocks.pop();
    drop(blocks);
    trim_heap();
    let trimmed = resident();
    assert!(trimmed + (32 << 20) < full, "{full} -> {trimmed}");
    drop(last);
  }
}
