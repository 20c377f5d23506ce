//! The resident memory of a process.

#[cfg(target_os = "linux")]
use std::{fs::File, io::Read};

/// The resident set of the process `pid` in bytes, pages of shared segments included; `None` if there is no such
/// process, or this process may not look at it.
///
/// # References
///  - [Linux](https://man7.org/linux/man-pages/man5/proc_pid_statm.5.html)
#[cfg(target_os = "linux")]
pub fn resident_bytes(pid: u32) -> Option<u64> {
  // Three system calls and no allocation but the path: pools with a limit ask for this while calls run.
  let mut statm = [0; 128];
  let len = File::open(format!("/proc/{pid}/statm")).ok()?.read(&mut statm).ok()?;
  let pages: u64 = std::str::from_utf8(&statm[..len]).ok()?.split_ascii_whitespace().nth(1)?.parse().ok()?;
  Some(pages * rustix::param::page_size() as u64)
}

/// The resident set of the process `pid` in bytes, pages of shared segments included; `None` if there is no such
/// process, or this process may not look at it.
///
/// # References
///  - [Apple](https://opensource.apple.com/source/xnu/xnu-2422.1.72/libsyscall/wrappers/libproc/libproc.h.auto.html)
#[cfg(target_os = "macos")]
pub fn resident_bytes(pid: u32) -> Option<u64> {
  use std::mem::MaybeUninit;

  const SIZE: libc::c_int = size_of::<libc::proc_taskinfo>() as libc::c_int;
  let mut info = MaybeUninit::<libc::proc_taskinfo>::uninit();
  let pid = libc::c_int::try_from(pid).ok()?;
  // SAFETY: the buffer is `SIZE` bytes of writable memory, and the call writes no more than that.
  let written = unsafe { libc::proc_pidinfo(pid, libc::PROC_PIDTASKINFO, 0, info.as_mut_ptr().cast(), SIZE) };
  if written != SIZE {
    return None;
  }
  // SAFETY: the call wrote the whole structure, which is plain integers.
  Some(unsafe { info.assume_init() }.pti_resident_size)
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn the_own_process_is_between_a_page_and_the_address_space() {
    let bytes = resident_bytes(std::process::id()).unwrap();
    assert!((4096..1 << 47).contains(&bytes), "{bytes}");
  }

  #[test]
  fn touched_memory_becomes_resident() {
    let before = resident_bytes(std::process::id()).unwrap();
    let touched = std::hint::black_box(vec![1_u8; 64 << 20]);
    let after = resident_bytes(std::process::id()).unwrap();
    assert!(after > before + (32 << 20), "{before} -> {after}");
    drop(touched);
  }

  #[test]
  fn a_process_that_does_not_exist_has_no_memory() {
    assert_eq!(resident_bytes(u32::MAX), None);
  }
}
