//! The two ways to make a nameless file in memory: `memfd_create` and `shm_open`.

use std::hash::{BuildHasher, RandomState};
use std::os::fd::OwnedFd;

use rustix::fs::{Mode, ftruncate};
use rustix::io::Errno;
use rustix::shm;

use crate::{Error, Result};

/// A sealed memfd of `len` bytes.
#[cfg(target_os = "linux")]
pub(super) fn memfd(len: usize) -> Result<OwnedFd> {
  use rustix::fs::{MemfdFlags, SealFlags, fcntl_add_seals, memfd_create};

  let flags = MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING;
  let fd = match memfd_create(c"millrace", flags | MemfdFlags::NOEXEC_SEAL) {
    // Older than Linux 6.3, which does not know the flag and has no setting that demands it.
    Err(Errno::INVAL) => memfd_create(c"millrace", flags),
    other => other,
  };
  let fd = fd.map_err(Error::at("memfd_create"))?;
  ftruncate(&fd, len as u64).map_err(Error::at("ftruncate"))?;
  fcntl_add_seals(&fd, SealFlags::SHRINK | SealFlags::GROW | SealFlags::SEAL).map_err(Error::at("fcntl"))?;
  Ok(fd)
}

#[cfg(not(target_os = "linux"))]
pub(super) fn memfd(_len: usize) -> Result<OwnedFd> {
  Err(Error::missing("memfd_create"))
}

/// A POSIX shared memory object of `len` bytes whose name is gone when this returns.
pub(super) fn shm(len: usize) -> Result<OwnedFd> {
  loop {
    // Short, as macOS allows 31 characters; not guessable, so nobody can keep us from creating it.
    let name = format!("/millrace-{:016x}", RandomState::new().hash_one(std::process::id()));
    let flags = shm::OFlags::CREATE | shm::OFlags::EXCL | shm::OFlags::RDWR;
    let fd = match shm::open(name.as_str(), flags, Mode::RUSR | Mode::WUSR) {
      Err(Errno::EXIST) => continue,
      other => other.map_err(Error::at("shm_open"))?,
    };
    shm::unlink(name.as_str()).map_err(Error::at("shm_unlink"))?;
    // `shm_open` sets FD_CLOEXEC by itself on all systems that follow POSIX; it costs nothing to be sure.
    crate::fd::set_cloexec(&fd)?;
    ftruncate(&fd, len as u64).map_err(Error::at("ftruncate"))?;
    return Ok(fd);
  }
}
