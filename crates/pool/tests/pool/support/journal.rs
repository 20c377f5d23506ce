//! What ran, as the workers themselves say: one record in a file for each call, appended before the call does anything.
//!
//! A record is one short append inside of a page, which is whole or is not there, also when its writer is killed.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

const RECORD: usize = 16;

/// A call that a worker began to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Started {
  pub key: u64,
  pub pid: u32,
}

pub struct Journal(File);

impl Journal {
  pub fn open(dir: &Path) -> Self {
    Self(OpenOptions::new().create(true).append(true).open(dir.join("journal")).unwrap())
  }

  pub fn note(&mut self, started: Started) {
    let mut record = [0; RECORD];
    record[..8].copy_from_slice(&started.key.to_le_bytes());
    record[8..12].copy_from_slice(&started.pid.to_le_bytes());
    self.0.write_all(&record).unwrap();
  }

  /// All records so far, oldest first.
  pub fn read(dir: &Path) -> Vec<Started> {
    let bytes = std::fs::read(dir.join("journal")).unwrap_or_default();
    let records = bytes.chunks_exact(RECORD);
    assert!(records.remainder().is_empty(), "half a record");
    let started = |record: &[u8]| Started {
      key: u64::from_le_bytes(record[..8].try_into().unwrap()),
      pid: u32::from_le_bytes(record[8..12].try_into().unwrap()),
    };
    records.map(started).collect()
  }
}
