//! The numbers that both sides of the binding use: each is written once, here, and JavaScript asks for all of them by
//! `wireNumbers()`, so that a test can compare them with those of the TypeScript layer.
//!
//! JavaScript sees a group and its numbers by the same names in camel case: [`call_record::HEAD_LENGTH`] is
//! `wireNumbers().callRecord.headLength`.

use std::collections::HashMap;

use napi_derive::napi;

/// Declares modules of constants, and [`GROUPS`], a list of the same for [`wire_numbers`].
macro_rules! groups {
  ($(
    $(#[$group_doc:meta])*
    mod $group:ident: $type:ty { $($(#[$doc:meta])* $name:ident = $value:expr;)* }
  )*) => {
    $(
      $(#[$group_doc])*
      pub(crate) mod $group {
        $($(#[$doc])* pub(crate) const $name: $type = $value;)*
        pub(super) const ALL: &[(&str, f64)] = &[$((stringify!($name), $name as f64)),*];
      }
    )*
    const GROUPS: &[(&str, &[(&str, f64)])] = &[$((stringify!($group), $group::ALL)),*];
  };
}

groups! {
  /// How a call ended, and why a worker sends a notice: the answers that the manager itself understands.
  mod status: u8 {
    OK = millrace_pool::status::OK;
    ERROR = millrace_pool::status::ERROR;
    EXIT = millrace_pool::status::EXIT;
    STRAY_RETIRING = millrace_pool::status::STRAY_RETIRING;
  }

  /// Bits among the flags of a call.
  mod call_flag: u16 {
    /// Items, each with an outcome of its own: the one flag that the manager itself understands.
    CHUNK = millrace_pool::CHUNK;
    UNARY = 2;
    MOVED = 4;
    TIMED = 8;
    LABELLED = 16;
  }

  /// Why no call was taken, in place of its number, which is never negative.
  mod refused: i32 {
    /// The pool takes no more calls.
    CLOSED = -1;
    /// The pool is broken.
    BROKEN = -2;
    /// As many calls wait as may.
    QUEUE_FULL = -3;
    /// No worker could be started.
    SPAWN = -4;
    /// The payload is larger than an arena.
    TOO_LARGE = -5;
  }

  /// Words that JavaScript leaves for the native function that it is about to call.
  mod register: usize {
    /// The number of the task, for a call.
    TASK = 0;
    /// How the call ended, for a result.
    STATUS = 0;
    /// How the payload is encoded.
    CODEC = 1;
    /// The owner's bits.
    FLAGS = 2;
    /// Bytes of the payload at the start of the outbox.
    LENGTH = 3;
    /// How many words there are.
    COUNT = 4;
  }

  /// Words of the record of a call, at the start of a worker's inbox. The payload follows, or, if its content is
  /// elsewhere (see [`inbox`]), the head alone.
  mod call_record: usize {
    TASK = 0;
    CODEC = 1;
    FLAGS = 2;
    /// Bytes of the payload: two words, the lower first.
    LENGTH = 3;
    /// Where the payload begins in the inbox, or `inbox::ELSEWHERE`.
    OFFSET = 5;
    /// The call's public number: two words, the lower first.
    TASK_ID = 6;
    /// Bytes of the head.
    HEAD_LENGTH = 8;
    /// The index of the call among the words of chunks, for a chunk.
    CHUNK = 9;
    /// Words of a record.
    WORDS = 10;
  }

  /// Words of the record of a result. A host's inbox begins with the records of one drain, and their payloads, or the
  /// heads of payloads whose content is elsewhere (see [`inbox`]), are behind.
  mod result_record: usize {
    /// The number of the call.
    CALL = 0;
    STATUS = 1;
    CODEC = 2;
    FLAGS = 3;
    /// Bytes of the payload: two words, the lower first.
    LENGTH = 4;
    /// Where the payload begins in the inbox, or `inbox::ELSEWHERE`.
    OFFSET = 6;
    /// The worker's process.
    PID = 7;
    /// How long the call ran.
    RAN_MICROSECONDS = 8;
    /// Where the head begins in the inbox.
    HEAD_OFFSET = 9;
    /// Bytes of the head.
    HEAD_LENGTH = 10;
    /// Words of a record.
    WORDS = 11;
  }

  /// The journal of a worker's lane.
  mod journal: u32 {
    /// The word with the number of bytes.
    END = 0;
    /// The word with the time at which the present item began.
    BEGAN = 1;
    /// The word of the first chunk; that of others by their index behind.
    CHUNKS = 32;
    /// Bytes of outcomes.
    BYTES = millrace_pool::JOURNAL_BYTES as u32;
    /// Most items of a chunk.
    ITEMS = millrace_pool::CHUNK_ITEMS;
  }

  /// Bits among the flags of a call that are for the host's manager.
  mod host_flag: u32 {
    /// The call goes on with work that was accepted before: the queue's bound does not count.
    FURTHER = 1 << 15;
  }

  /// The number of attempts before the present one, among the flags of a call.
  mod earlier: u32 {
    /// The lowest bit.
    SHIFT = millrace_pool::earlier::SHIFT;
    /// The largest number: it stays.
    MOST = millrace_pool::earlier::MOST as u32;
  }

  /// What an inbox holds.
  mod inbox: u32 {
    /// In place of an offset: the content of the payload, all but its head, has to be fetched or borrowed.
    ELSEWHERE = u32::MAX;
  }

  /// What is added to the number of results that a drain returns.
  mod drained: i32 {
    /// There are events as well.
    EVENTS = 1 << 16;
  }

  /// What a worker has taken.
  mod taken: i32 {
    /// No call: the host rings when there is one.
    NOTHING = 0;
    /// A call of a task.
    TASK = 1;
    /// What a task number stands for.
    DEFINE = 2;
    /// What a worker needs before its first call.
    BOOT = 3;
    /// No call, and none will come.
    STOP = 4;
  }

  /// What has become of a result.
  mod committed: i32 {
    /// It is committed.
    DONE = 0;
    /// There is no room until the host has read earlier results.
    NO_ROOM = 1;
    /// The payload is larger than an arena.
    TOO_LARGE = 2;
    /// The machine has no memory for the payload.
    NO_MEMORY = 3;
    /// The buffer cannot move: a copy has to be committed.
    NOT_MOVED = -1;
  }

  /// How far a worker's life has come.
  mod phase: u32 {
    /// It takes calls.
    READY = 1;
    /// It leaves after the call that it runs.
    RETIRING = 2;
    /// It leaves.
    LEAVING = 3;
  }

  /// When a pool holds the event loop.
  mod hold: u32 {
    /// While calls are unfinished.
    UNFINISHED = 0;
    /// Always.
    ALWAYS = 1;
    /// Never.
    NEVER = 2;
  }

  /// What the host of a fork server wants.
  mod fork_request: i32 {
    /// Nothing more for now.
    NOTHING = 0;
    /// A worker.
    FORK = 1;
    /// Nothing ever: the host is gone, or has no use for the server.
    CLOSED = 2;
  }

  /// The manager's own limits, which its owner tells of or keeps to.
  mod limits: u32 {
    /// As many failed starts in a row break a pool.
    FAILED_STARTS = millrace_pool::MAX_FAILED_STARTS;
    /// Milliseconds in which a worker that was asked to leave has to end, else it is killed.
    KILL_AFTER_MS = millrace_pool::KILL_AFTER.as_millis() as u32;
  }
}

/// Writes a number of 64 bits to two words of a record, the lower first.
pub(crate) fn put_wide<const N: usize>(record: &mut [u32; N], at: usize, value: u64) {
  record[at] = value as u32;
  record[at + 1] = (value >> 32) as u32;
}

/// All numbers that both sides of the binding use, by group and name.
#[napi(ts_return_type = "Record<string, Record<string, number>>")]
pub fn wire_numbers() -> HashMap<String, HashMap<String, f64>> {
  let named = |&(name, value): &(&str, f64)| (camel_case(name), value);
  GROUPS.iter().map(|&(group, all)| (camel_case(group), all.iter().map(named).collect())).collect()
}

/// `HEAD_LENGTH` and `head_length` as `headLength`.
fn camel_case(name: &str) -> String {
  let mut words = name.split('_').map(str::to_ascii_lowercase);
  let first = words.next().unwrap_or_default();
  words.fold(first, |camel, word| camel + &word[..1].to_ascii_uppercase() + &word[1..])
}
