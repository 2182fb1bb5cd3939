//! Dependent round trips: every call is held until the program can send no further one without an answer. Then all
//! are answered at once, which is one round. No clock decides: how long a call or a machine takes changes nothing.

use super::cloud::Cloud;
use std::process::{Child, Command, Output, Stdio};

/// Looks in a row that have to show the program at rest. Too few would count a round twice, never one less.
const LOOKS: usize = 8;

impl Cloud {
    /// Runs a command to its end and counts its rounds.
    pub fn in_rounds(&self, mut command: Command) -> (Output, usize) {
        self.locked(|world| world.waiting = Some(0));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let (mut rounds, mut looks, mut arrived) = (0, 0, 0);
        while child.try_wait().expect("the binary can be waited for").is_none() {
            let (calls, waiting) = self.locked(|world| (world.calls.len(), world.waiting.unwrap_or(0)));
            let rests = waiting > 0 && calls == arrived && is_asleep(&child);
            (looks, arrived) = (if rests { looks + 1 } else { 0 }, calls);
            if looks >= LOOKS && self.nothing_is_on_its_way() {
                self.end_round();
                (looks, rounds) = (0, rounds + 1);
            }
            std::thread::yield_now();
        }
        self.locked(|world| world.waiting = None);
        (child.wait_with_output().expect("the binary ends"), rounds)
    }

    /// Neither side of any connection of this server has bytes that were not read yet.
    fn nothing_is_on_its_way(&self) -> bool {
        let port = self.endpoint().rsplit(':').next().and_then(|port| port.parse::<u16>().ok()).expect("a port");
        let port = format!(":{port:04X}");
        let table = std::fs::read_to_string("/proc/net/tcp").expect("the table of connections");
        table.lines().skip(1).map(|line| line.split_whitespace().collect::<Vec<_>>()).all(|columns| {
            let ours = columns[1].ends_with(&port) || columns[2].ends_with(&port);
            !ours || columns[4] == "00000000:00000000"
        })
    }
}

/// Whether every thread of the program waits for something.
fn is_asleep(child: &Child) -> bool {
    let Ok(threads) = std::fs::read_dir(format!("/proc/{}/task", child.id())) else { return false };
    threads.flatten().all(|thread| {
        let stat = std::fs::read_to_string(thread.path().join("stat")).unwrap_or_default();
        stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('S'))
    })
}
