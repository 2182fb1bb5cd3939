//! Dependent round trips: every call is held until the program can send no further one without an answer. Then all
//! are answered at once, which is one round. No clock decides: how long a call or a machine takes changes nothing.

use super::cloud::Cloud;
use std::fs::{read_dir, read_to_string};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

impl Cloud {
    /// Runs a command to its end and counts its rounds.
    pub fn in_rounds(&self, mut command: Command) -> (Output, usize) {
        self.locked(|world| world.waiting = Some(0));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut rounds = 0;
        while child.try_wait().expect("the binary can be waited for").is_none() {
            if self.locked(|world| world.waiting > Some(0)) && self.is_at_rest(&child) {
                self.end_round();
                rounds += 1;
            }
            std::thread::yield_now();
        }
        self.locked(|world| world.waiting = None);
        (child.wait_with_output().expect("the binary ends"), rounds)
    }

    /// Whether neither the program nor this server does anything more without an end of the round: all their threads
    /// are asleep before and after a look at the connections, on which nothing is on its way, and none has run
    /// meanwhile.
    fn is_at_rest(&self, child: &Child) -> bool {
        let asleep = || Some((asleep(program(child))?, asleep(self.workers())?));
        let before = asleep();
        before.is_some() && self.nothing_is_on_its_way() && asleep() == before
    }

    /// The threads of this server, among those of the tests.
    fn workers(&self) -> impl Iterator<Item = PathBuf> {
        let name = self.name();
        threads(Path::new("/proc/self/task"))
            .filter(move |thread| read_to_string(thread.join("comm")).is_ok_and(|comm| comm.trim_end() == name))
    }

    /// Neither side of any connection of this server has bytes that were not read yet.
    fn nothing_is_on_its_way(&self) -> bool {
        let port = format!(":{:04X}", self.port());
        let table = read_to_string("/proc/net/tcp").expect("the table of connections");
        table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>()).all(|columns| {
            let ours = columns[1].ends_with(&port) || columns[2].ends_with(&port);
            !ours || columns[4] == "00000000:00000000"
        })
    }
}

fn program(child: &Child) -> impl Iterator<Item = PathBuf> {
    threads(Path::new(&format!("/proc/{}/task", child.id())))
}

fn threads(tasks: &Path) -> impl Iterator<Item = PathBuf> + use<> {
    read_dir(tasks).into_iter().flatten().flatten().map(|thread| thread.path())
}

/// How often each thread has fallen asleep, or nothing when one is awake: these numbers grow with every wink.
fn asleep(threads: impl Iterator<Item = PathBuf>) -> Option<Vec<(PathBuf, Vec<String>)>> {
    let all = threads.map(|thread| {
        let status = read_to_string(thread.join("status")).ok()?;
        let lines = |name: &str| status.lines().filter(|line| line.contains(name)).map(str::to_owned).collect();
        let rests = status.lines().any(|line| line.starts_with("State:\tS"));
        rests.then(|| (thread, lines("voluntary_ctxt_switches")))
    });
    all.collect::<Option<Vec<_>>>().filter(|all| !all.is_empty())
}
