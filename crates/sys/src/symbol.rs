//! Functions of this program that may be missing: looked up by name at run time.

use std::ffi::{CStr, c_void};
use std::ptr::NonNull;

/// The address of a symbol that the program or one of its libraries exports; `None` if there is none.
///
/// # References
///  - [POSIX](https://pubs.opengroup.org/onlinepubs/9799919799/functions/dlsym.html)
pub fn exported_symbol(name: &CStr) -> Option<NonNull<c_void>> {
  // SAFETY: the name ends in a null byte, and the handle is the one that stands for the whole program.
  NonNull::new(unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) })
}

#[cfg(test)]
mod tests {
  use super::*;

  #[test]
  fn a_function_of_the_system_is_found_and_another_name_is_not() {
    assert!(exported_symbol(c"getpid").is_some());
    assert_eq!(exported_symbol(c"millrace_has_no_such_function"), None);
  }
}
