//! Counts dependent round trips: every call is held until the program sends no further one, then all are answered at
//! once, which ends a round.
//!
//! A busy machine only delays the end of a round. The program is done sending when, at several looks in a row, no call
//! has arrived since the last look, all threads of the program and of this server sleep, and the program has used no
//! processor time; and when no connection holds bytes that were not read yet.

use super::PATIENCE;
use super::cloud::Cloud;
use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// Looks in a row at which nothing moves.
const LOOKS: usize = 3;
/// Between two looks: the kernel counts processor time in steps of 10 ms.
const BETWEEN_LOOKS: Duration = Duration::from_millis(5);

/// The operations that arrived in each round.
pub type Rounds = Vec<Vec<String>>;

/// What moves while the program still works.
#[derive(PartialEq, Eq)]
struct Progress {
    arrived: usize,
    processor_time: u64,
}

impl Cloud {
    /// Runs a command to its end, round by round.
    pub fn in_rounds(&self, mut command: Command) -> (Output, Rounds) {
        let mut answered = self.locked(|world| {
            world.waiting = Some(0);
            world.calls.len()
        });
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut rounds = Rounds::new();
        let mut deadline = Instant::now() + PATIENCE;
        while child.try_wait().expect("the binary can be waited for").is_none() {
            if self.waits_for_answers(&child) {
                let operations: Vec<String> = self.calls().drain(answered..).map(|call| call.operation).collect();
                answered += operations.len();
                rounds.push(operations);
                self.end_round();
                deadline = Instant::now() + PATIENCE;
            }
            if Instant::now() > deadline {
                child.kill().expect("the binary is killed");
                panic!("round {} does not end after {} s: {rounds:?}", rounds.len() + 1, PATIENCE.as_secs());
            }
        }
        self.locked(|world| world.waiting = None);
        (child.wait_with_output().expect("the binary ends"), rounds)
    }

    /// Whether calls are held, and the program sends no further one until they are answered.
    fn waits_for_answers(&self, child: &Child) -> bool {
        let first = self.at_rest(child);
        let rests = first.is_some() && (1..LOOKS).all(|_| self.at_rest(child) == first);
        rests && self.no_bytes_are_unread() && self.at_rest(child) == first
    }

    /// How far the program is, after a pause; nothing if no call is held or a thread is awake.
    fn at_rest(&self, child: &Child) -> Option<Progress> {
        std::thread::sleep(BETWEEN_LOOKS);
        let arrived = self.locked(|world| (world.waiting > Some(0)).then_some(world.calls.len()))?;
        let program = PathBuf::from(format!("/proc/{}", child.id()));
        let asleep = sleep(threads(&program.join("task"))) && sleep(self.workers());
        let processor_time = processor_time(&program)?;
        asleep.then_some(Progress { arrived, processor_time })
    }

    /// The threads of this server, among those of the tests.
    fn workers(&self) -> impl Iterator<Item = PathBuf> {
        let name = self.name();
        threads(Path::new("/proc/self/task"))
            .filter(move |thread| read_to_string(thread.join("comm")).is_ok_and(|comm| comm.trim_end() == name))
    }

    /// Whether each side of every connection to this server has read what the other side sent.
    fn no_bytes_are_unread(&self) -> bool {
        let port = format!(":{:04X}", self.port());
        let table = read_to_string("/proc/net/tcp").expect("the table of connections");
        table.lines().filter(|line| line.contains(&port)).all(|line| {
            let columns: Vec<&str> = line.split_whitespace().collect();
            let ours = columns[1].ends_with(&port) || columns[2].ends_with(&port);
            !ours || columns[4] == "00000000:00000000"
        })
    }
}

fn threads(tasks: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    read_dir(tasks).into_iter().flatten().flatten().map(|thread| thread.path())
}

/// Whether all threads sleep. A thread that has ended since it was listed counts as awake.
fn sleep(mut threads: impl Iterator<Item = PathBuf>) -> bool {
    threads.all(|thread| fields(&thread).is_some_and(|fields| fields[0] == "S"))
}

/// The time that a process has run in its own code and in the kernel, in ticks.
fn processor_time(process: &Path) -> Option<u64> {
    let fields = fields(process)?;
    Some(fields[11].parse::<u64>().ok()? + fields[12].parse::<u64>().ok()?)
}

/// The fields of a `stat` file from the state on: what is before it ends with the name in parentheses.
fn fields(process: &Path) -> Option<Vec<String>> {
    let stat = read_to_string(process.join("stat")).ok()?;
    let (_, fields) = stat.rsplit_once(") ")?;
    Some(fields.split(' ').map(str::to_owned).collect())
}
