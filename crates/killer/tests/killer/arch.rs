//! The parts of tracing that depend on the processor: the instruction pointer, and a stop at an address.

use std::ptr;

use libc::{c_long, pid_t};

pub(crate) use registers::{atomics_can_be_stepped, program_counter};

/// The instruction that traps, in the bytes that replace the one at a breakpoint.
#[cfg(target_arch = "x86_64")]
const TRAP: [u8; 1] = [0xcc];
#[cfg(target_arch = "aarch64")]
const TRAP: [u8; 4] = 0xd420_0000_u32.to_le_bytes();

/// A place where a process can be made to stop. The text of a forked process is its own as soon as it is written to, so
/// this changes it for no other.
pub(crate) struct Breakpoint {
  pid: pid_t,
  address: usize,
  /// Where the words are that the system reads and writes.
  word: usize,
  original: c_long,
  armed: c_long,
}

impl Breakpoint {
  /// For the instruction at `address` of a process that is stopped. `None` if that place cannot be changed in one
  /// piece.
  pub(crate) fn at(pid: pid_t, address: usize) -> Option<Self> {
    let word = address / size_of::<c_long>() * size_of::<c_long>();
    let at = address - word..address - word + TRAP.len();
    // SAFETY: reads a word of another process, which is stopped; an address that it has not makes the call fail.
    let original = unsafe { libc::ptrace(libc::PTRACE_PEEKTEXT, pid, word, ptr::null_mut::<u8>()) };
    let mut bytes = original.to_ne_bytes();
    bytes.get_mut(at)?.copy_from_slice(&TRAP);
    Some(Self { pid, address, word, original, armed: c_long::from_ne_bytes(bytes) })
  }

  /// From now on the process stops there.
  pub(crate) fn arm(&self) -> bool {
    poke(self.pid, self.word, self.armed)
  }

  /// The process has stopped in a trap: if it is this one, it is about to execute the instruction that was there
  /// before.
  pub(crate) fn disarm(&self) -> bool {
    registers::leave_trap(self.pid, self.address) && poke(self.pid, self.word, self.original)
  }
}

fn poke(pid: pid_t, word: usize, value: c_long) -> bool {
  // SAFETY: writes to the memory of another process, which is stopped.
  unsafe { libc::ptrace(libc::PTRACE_POKETEXT, pid, word, value) == 0 }
}

#[cfg(target_arch = "x86_64")]
mod registers {
  use std::{mem, ptr};

  use libc::pid_t;

  const RIP: usize = mem::offset_of!(libc::user, regs) + mem::offset_of!(libc::user_regs_struct, rip);

  /// Where a stopped process goes on.
  pub(crate) fn program_counter(pid: pid_t) -> usize {
    // SAFETY: reads a register of another process, which is stopped.
    let rip = unsafe { libc::ptrace(libc::PTRACE_PEEKUSER, pid, RIP, ptr::null_mut::<u8>()) };
    rip as usize
  }

  /// Back from behind the trap to the instruction that it replaced, if it is this trap that the process has run into.
  pub(crate) fn leave_trap(pid: pid_t, address: usize) -> bool {
    // SAFETY: writes a register of another process, which is stopped.
    program_counter(pid) == address + 1 && unsafe { libc::ptrace(libc::PTRACE_POKEUSER, pid, RIP, address) == 0 }
  }

  /// Whether a process that is stopped after each instruction ever gets past an atomic operation.
  pub(crate) fn atomics_can_be_stepped() -> bool {
    true
  }
}

#[cfg(target_arch = "aarch64")]
mod registers {
  use libc::pid_t;

  /// x0 to x30, the stack pointer, the program counter, the state.
  const REGISTERS: usize = 34;
  const PC: usize = 32;
  /// The general registers (NT_PRSTATUS).
  const GENERAL: usize = 1;

  /// Where a stopped process goes on.
  pub(crate) fn program_counter(pid: pid_t) -> usize {
    let mut registers = [0_u64; REGISTERS];
    let mut io = libc::iovec { iov_base: registers.as_mut_ptr().cast(), iov_len: size_of_val(&registers) };
    // SAFETY: reads the registers of another process, which is stopped, into memory that lives through the call.
    unsafe { libc::ptrace(libc::PTRACE_GETREGSET, pid, GENERAL, &raw mut io) };
    registers[PC] as usize
  }

  /// The trap leaves the program counter where it is.
  pub(crate) fn leave_trap(pid: pid_t, address: usize) -> bool {
    program_counter(pid) == address
  }

  /// Whether a process that is stopped after each instruction ever gets past an atomic operation. Without the atomic
  /// instructions of Armv8.1 it does not: it loads and stores exclusively, and each stop ends the exclusiveness.
  pub(crate) fn atomics_can_be_stepped() -> bool {
    std::arch::is_aarch64_feature_detected!("lse")
  }
}
