//! The specification of a child: program, arguments, environment, descriptors.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::{BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use crate::{Error, Result};

/// What [`spawn`](crate::spawn) starts, and what the new process is given.
#[derive(Debug, Clone, Default)]
pub struct SpawnSpec<'fd> {
  /// The program file; not searched for in `PATH`. A relative path counts from `cwd`.
  pub program: PathBuf,
  /// The arguments after the program's name.
  pub args: Vec<OsString>,
  /// The whole environment of the child; `None` is a copy of this process's own.
  pub env: Option<Vec<(OsString, OsString)>>,
  /// Variables that the child has in any case, in place of those of the same names in `env`.
  pub set_env: Vec<(OsString, OsString)>,
  /// The working directory of the child; `None` is that of this process.
  pub cwd: Option<PathBuf>,
  /// Descriptors and the numbers they have in the child: 3 or greater, each number once.
  pub fds: Vec<(BorrowedFd<'fd>, RawFd)>,
  /// Whether stdout and stderr are those of this process, or `/dev/null`. stdin is always `/dev/null`.
  pub inherit_stdio: bool,
}

impl SpawnSpec<'_> {
  /// `argv`, the program first.
  pub(super) fn argv(&self) -> Result<Vec<CString>> {
    let program = std::iter::once(self.program.as_os_str());
    program.chain(self.args.iter().map(OsString::as_os_str)).map(c_string).collect()
  }

  /// `envp`, as `NAME=value`.
  pub(super) fn envp(&self) -> Result<Vec<CString>> {
    let base = self.env.clone().unwrap_or_else(|| std::env::vars_os().collect());
    let kept = base.iter().filter(|(name, _)| !self.set_env.iter().any(|(other, _)| other == name));
    kept.chain(&self.set_env).map(|(name, value)| assignment(name, value)).collect()
  }

  /// The lowest number above all targets; `EINVAL` if a target is one of the standard three or given twice.
  pub(super) fn above_targets(&self) -> Result<RawFd> {
    let mut above = 3;
    for (index, (_, target)) in self.fds.iter().enumerate() {
      if *target < 3 || self.fds[..index].iter().any(|(_, earlier)| earlier == target) {
        return Err(Error::from_errno("posix_spawn_file_actions_adddup2", libc::EINVAL));
      }
      above = above.max(target.saturating_add(1));
    }
    Ok(above)
  }
}

fn assignment(name: &OsStr, value: &OsStr) -> Result<CString> {
  let mut both = name.to_owned();
  both.push("=");
  both.push(value);
  c_string(&both)
}

/// `EINVAL` for text with a zero byte, which no program could be given.
pub(super) fn c_string(text: &OsStr) -> Result<CString> {
  CString::new(text.as_bytes()).map_err(|_| Error::from_errno("posix_spawn", libc::EINVAL))
}
