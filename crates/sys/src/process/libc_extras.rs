//! Functions that some libcs do not have. They are looked up at run time: a reference to a missing function would keep
//! this library from being loaded.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::mem;

use libc::posix_spawn_file_actions_t;

/// `int (*)(posix_spawn_file_actions_t *, int from)`
#[cfg(target_os = "linux")]
pub(super) type AddCloseFrom = unsafe extern "C" fn(*mut posix_spawn_file_actions_t, c_int) -> c_int;

/// `int (*)(posix_spawn_file_actions_t *, const char *path)`
pub(super) type AddChangeDirectory = unsafe extern "C" fn(*mut posix_spawn_file_actions_t, *const c_char) -> c_int;

/// `posix_spawn_file_actions_addclosefrom_np`: glibc 2.34.
#[cfg(target_os = "linux")]
pub(super) fn add_close_from() -> Option<AddCloseFrom> {
  let address = look_up(c"posix_spawn_file_actions_addclosefrom_np");
  // SAFETY: null is `None`; else it is the address of a function of this type.
  unsafe { mem::transmute::<*mut c_void, Option<AddCloseFrom>>(address) }
}

/// `posix_spawn_file_actions_addchdir_np`: glibc 2.29, musl 1.1.24, macOS 10.15.
pub(super) fn add_change_directory() -> Option<AddChangeDirectory> {
  let address = look_up(c"posix_spawn_file_actions_addchdir_np");
  // SAFETY: null is `None`; else it is the address of a function of this type.
  unsafe { mem::transmute::<*mut c_void, Option<AddChangeDirectory>>(address) }
}

fn look_up(symbol: &CStr) -> *mut c_void {
  // SAFETY: asks the libraries that are loaded already; the name is a C string.
  unsafe { libc::dlsym(libc::RTLD_DEFAULT, symbol.as_ptr()) }
}
