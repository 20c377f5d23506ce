//! Tests with servers that misbehave: a real process that says nothing, and these tests in its place.

use std::fs::File;
use std::os::fd::AsFd;
use std::path::PathBuf;

use super::*;

const PATIENCE: Duration = Duration::from_secs(60);

fn shell(script: &str) -> (WorkerCommand, Vec<OsString>) {
  let command = WorkerCommand {
    program: PathBuf::from("/bin/sh"),
    args: Vec::new(),
    env: None,
    set_env: Vec::new(),
    cwd: None,
    inherit_stdio: false,
    depth: 1,
  };
  (command, vec![OsString::from("-c"), OsString::from(script)])
}

fn start(script: &str, patience: Duration) -> ForkServer {
  let (command, arguments) = shell(script);
  let capabilities = Capabilities::get().unwrap();
  ForkServer::start(&command, &arguments, capabilities, Instant::now() + patience).unwrap()
}

/// A server that sleeps, and the end of the connection to it that a real one would have. Each has options of its own.
fn silent(name: &str, patience: Duration) -> (ForkServer, Packets) {
  let mut server = start(&format!("sleep 1000 # {name}"), patience);
  let (control, end) = millrace_sys::packets().unwrap();
  server.control = Arc::new(control);
  (server, end)
}

/// Waits until the server is ready, gone, or late.
fn wait(server: &mut ForkServer) -> &Readiness {
  while *server.look(Instant::now()) == Readiness::Booting {
    std::thread::sleep(Duration::from_millis(1));
  }
  server.readiness()
}

fn ready(name: &str) -> (ForkServer, Packets) {
  let (mut server, end) = silent(name, PATIENCE);
  end.send(&[reply::READY, 0], &[]).unwrap();
  assert_eq!(wait(&mut server), &Readiness::Ready);
  (server, end)
}

fn fork(server: &mut ForkServer) -> Result<Child, ForkError> {
  let file = File::open("/dev/null").unwrap();
  let argument = LaneArgument { segment_len: 4096, host_pid: std::process::id(), worker_id: 1, depth: 1 };
  server.ask(&argument, &[file.as_fd(), file.as_fd(), file.as_fd(), file.as_fd()], Instant::now())?;
  loop {
    if *server.look(Instant::now()) == Readiness::Gone {
      return Err(ForkError::Gone);
    }
    if let Some(answer) = server.take_answer() {
      return answer;
    }
    std::thread::sleep(Duration::from_millis(1));
  }
}

#[test]
fn a_server_that_ends_is_gone_and_has_no_boot_failure_to_tell_of() {
  // Before it is connected to, or after.
  for _ in 0..20 {
    let mut server = start("exit 3", PATIENCE);
    assert_eq!(wait(&mut server), &Readiness::Gone);
    assert_eq!(server.boot_failure(), None);
  }
}

#[test]
fn a_server_that_says_nothing_is_gone_at_its_deadline() {
  let (mut server, end) = silent("nothing", Duration::from_millis(50));
  assert_eq!(server.look(Instant::now()), &Readiness::Booting);
  end.send(b"\x05file:///slow.mjs", &[]).unwrap();
  assert_eq!(wait(&mut server), &Readiness::Gone);
  let loading = "file:///slow.mjs".to_owned();
  assert_eq!(server.boot_failure(), Some(ServerFailure { timed_out: true, loading }));
  assert_eq!(server.deadline(), None);
}

#[test]
fn a_server_that_ends_while_it_loads_tells_what() {
  let (mut server, end) = silent("loads", PATIENCE);
  for module in ["file:///first.mjs", "file:///\u{e9}.mjs"] {
    end.send(&[&[reply::LOADING], module.as_bytes()].concat(), &[]).unwrap();
  }
  drop(end);
  assert_eq!(wait(&mut server), &Readiness::Gone);
  assert_eq!(server.boot_failure().unwrap().loading, "file:///\u{e9}.mjs");
}

#[test]
fn a_server_that_says_what_makes_no_sense_is_gone() {
  let nonsense: [&[&[u8]]; 4] =
    [&[&[99]], &[&[0; 5000]], &[&[reply::FORKED, 1, 2, 3, 4]], &[&[reply::READY], &[reply::READY]]];
  for (index, messages) in nonsense.iter().enumerate() {
    let (mut server, end) = silent(&format!("nonsense {index}"), PATIENCE);
    for message in *messages {
      end.send(message, &[]).unwrap();
      server.look(Instant::now());
    }
    assert_eq!(server.readiness(), &Readiness::Gone, "{messages:?}");
  }
}

#[test]
fn a_refusal_may_be_of_any_length_and_bytes() {
  let (mut server, end) = silent("refusal", PATIENCE);
  let mut message = vec![b'x'; MAX_MESSAGE + 1000];
  message[0] = reply::REFUSED;
  message[1] = 0xff;
  end.send(&message, &[]).unwrap();
  let Readiness::Refused(reasons) = wait(&mut server) else { panic!("{server:?}") };
  assert!(reasons.starts_with("\u{fffd}xx") && reasons.chars().count() == MAX_MESSAGE - 1);
}

#[test]
fn a_fork_that_is_answered_by_nonsense_or_not_at_all_finds_the_server_gone() {
  let answers: [&[u8]; 5] =
    [&[99], &[reply::FORKED], &[reply::FORKED, 1, 0, 0, 0], &[reply::FAILED, 1], &[reply::READY, 0]];
  for (index, answer) in answers.iter().enumerate() {
    let (mut server, end) = ready(&format!("answer {index}"));
    end.send(answer, &[]).unwrap();
    assert!(matches!(fork(&mut server), Err(ForkError::Gone)), "{answer:?}");
    assert_eq!(server.readiness(), &Readiness::Gone);
  }
  let (mut server, end) = ready("closed");
  drop(end);
  assert!(matches!(fork(&mut server), Err(ForkError::Gone)));
  let (mut server, _end) = ready("mute");
  assert!(matches!(fork(&mut server), Err(ForkError::Gone)));
}

#[test]
fn a_fork_that_the_system_refuses_leaves_the_server_as_it_is() {
  let (mut server, end) = ready("refuses");
  end.send(&with_number(reply::FAILED, 11), &[]).unwrap();
  let Err(ForkError::Failed(failure)) = fork(&mut server) else { panic!("{server:?}") };
  assert_eq!(failure, SpawnFailure { syscall: "fork", errno: Some(11) });
  assert_eq!(server.readiness(), &Readiness::Ready);
}

#[test]
fn a_server_is_shared_until_somebody_finds_it_gone() {
  let first = start("sleep 1000 # shared", PATIENCE);
  let mut second = start("sleep 1000 # shared", PATIENCE);
  assert_eq!(first.process.pid(), second.process.pid());
  let other = start("sleep 1000 # other", PATIENCE);
  assert_ne!(first.process.pid(), other.process.pid());
  second.deadline = Instant::now();
  assert_eq!(wait(&mut second), &Readiness::Gone);
  drop(second);
  let third = start("sleep 1000 # shared", PATIENCE);
  assert_ne!(first.process.pid(), third.process.pid());
  let pid = first.process.pid();
  drop(first);
  assert!(!PathBuf::from(format!("/proc/{pid}")).exists(), "it ends with the last that uses it");
}

#[test]
fn a_module_that_failed_spends_a_server_once_a_worker_has_told_of_it() {
  let (mut server, end) = silent("incomplete", PATIENCE);
  end.send(&[reply::READY, 1], &[]).unwrap();
  assert_eq!(wait(&mut server), &Readiness::Ready);
  assert!(!server.is_spent);
  server.note_failed_start();
  assert!(server.is_spent);
  let (mut complete, _end) = ready("complete");
  complete.note_failed_start();
  assert!(!complete.is_spent);
}
