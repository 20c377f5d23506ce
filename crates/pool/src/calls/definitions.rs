//! Messages to workers that are no calls of the owner: the boot call, and the definitions of tasks.

/// The call that each worker is sent first.
#[derive(Debug)]
pub(crate) struct BootCall {
  /// The encoding of the payload.
  pub(crate) codec: u8,
  pub(crate) payload: Box<[u8]>,
}

/// The meaning of a task's number, sent to a worker before its first call of that number.
#[derive(Debug, Default)]
pub(crate) struct TaskDefinition {
  bytes: Box<[u8]>,
  /// Grows when the number gets or loses a meaning. 0 stands for "not sent" in the books of a lane.
  version: u32,
}

impl TaskDefinition {
  pub(crate) fn bytes(&self) -> &[u8] {
    &self.bytes
  }

  pub(crate) fn version(&self) -> u32 {
    self.version
  }
}

/// The boot call and all definitions of one pool.
#[derive(Debug)]
pub(crate) struct Definitions {
  boot: BootCall,
  /// By the numbers of tasks.
  tasks: Vec<TaskDefinition>,
  /// How many meanings of numbers were replaced or forgotten: workers that were told of one still have it.
  outdated: u64,
}

impl Definitions {
  pub(crate) fn new(boot: BootCall) -> Self {
    Self { boot, tasks: Vec::new(), outdated: 0 }
  }

  pub(crate) fn boot(&self) -> &BootCall {
    &self.boot
  }

  pub(crate) fn task(&self, task: u32) -> Option<&TaskDefinition> {
    self.tasks.get(task as usize)
  }

  pub(crate) fn define_task(&mut self, task: u32, bytes: Box<[u8]>) {
    let index = task as usize;
    if self.tasks.len() <= index {
      self.tasks.resize_with(index + 1, TaskDefinition::default);
    }
    let old = self.tasks[index].version;
    if old > 0 {
      self.outdated += 1;
    }
    self.tasks[index] = TaskDefinition { bytes, version: old.wrapping_add(1).max(1) };
  }

  /// The number means nothing until it is defined again.
  pub(crate) fn forget_task(&mut self, task: u32) {
    if self.task(task).is_some() {
      self.define_task(task, Box::default());
    }
  }

  /// Changes when a worker may have been told of a meaning that no call needs any more.
  pub(crate) fn outdated(&self) -> u64 {
    self.outdated
  }
}
