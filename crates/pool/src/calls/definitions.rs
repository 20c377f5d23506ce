//! What the numbers of tasks mean to workers.

/// What a worker is sent before its first call of a task.
#[derive(Debug, Default)]
pub(crate) struct TaskDefinition {
  bytes: Box<[u8]>,
  /// Grows when the number is used for another task. 0 stands for "not sent" in the books of a lane.
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

/// The definitions of a pool's tasks, by number.
#[derive(Debug, Default)]
pub(crate) struct TaskDefinitions(Vec<TaskDefinition>);

impl TaskDefinitions {
  pub(crate) fn get(&self, task: u32) -> Option<&TaskDefinition> {
    self.0.get(task as usize)
  }

  pub(crate) fn define(&mut self, task: u32, bytes: Box<[u8]>) {
    let index = task as usize;
    if self.0.len() <= index {
      self.0.resize_with(index + 1, TaskDefinition::default);
    }
    let version = self.0[index].version.wrapping_add(1).max(1);
    self.0[index] = TaskDefinition { bytes, version };
  }
}
