//! Who prints the document of a run: the run, or the thread that ends a run which does not answer a signal.

use std::io::{self, Write};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

/// Who ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ender {
    /// The run itself, when it has ended, failed or answered a signal.
    Run,
    /// The thread that waits for signals, because the run does not answer. It ends the process.
    Signals,
}

/// How often a thread that ends the process looks whether the run still writes its document, and how often at most.
const LOOK: (Duration, u32) = (Duration::from_millis(200), 50);

/// Which thread prints the document of a run: the first one that claims it. Two documents on standard output would not be
/// valid JSON.
#[derive(Debug, Default)]
pub(super) struct Ending {
    ender: OnceLock<Ender>,
    /// The bytes of documents that were written.
    written: AtomicU64,
}

/// Counts what is written of a document.
pub(super) struct Counting<'a, W> {
    ending: &'a Ending,
    out: W,
}

impl<W: Write> Write for Counting<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.ending.written.fetch_add(written as u64, Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl Ending {
    /// Claims the end. Returns who has it.
    pub fn claim(&self, ender: Ender) -> Ender {
        *self.ender.get_or_init(|| ender)
    }

    /// Claims the end for the run. If the process is being ended, waits for its end: the run must print nothing more, and
    /// its exit code does not count.
    pub fn claim_for_run(&self) {
        while self.claim(Ender::Run) == Ender::Signals {
            thread::park();
        }
    }

    /// Counts what is written of a document, so that nobody ends the process in the middle of it.
    pub fn counting<W: Write>(&self, out: W) -> Counting<'_, W> {
        Counting { ending: self, out }
    }

    /// Waits as long as the run writes its document. A write to a pipe that nobody reads is not awaited.
    pub fn wait_while_written(&self) {
        self.wait_with(|| thread::sleep(LOOK.0));
    }

    fn wait_with(&self, mut pause: impl FnMut()) {
        let mut before = self.written.load(Relaxed);
        for _ in 0..LOOK.1 {
            pause();
            let written = self.written.load(Relaxed);
            if written == before {
                return;
            }
            before = written;
        }
    }

    /// Waits for the end of the process, if it is being ended.
    pub fn wait_if_signalled(&self) {
        if self.ender.get() == Some(&Ender::Signals) {
            self.claim_for_run();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_claims_the_end_first_has_it() {
        let ended = Ending::default();
        assert_eq!((ended.claim(Ender::Run), ended.claim(Ender::Signals)), (Ender::Run, Ender::Run));
        let signalled = Ending::default();
        assert_eq!((signalled.claim(Ender::Signals), signalled.claim(Ender::Run)), (Ender::Signals, Ender::Signals));
    }

    #[test]
    fn a_run_that_has_not_been_signalled_does_not_wait() {
        let ending = Ending::default();
        ending.wait_if_signalled();
        ending.claim_for_run();
        ending.claim_for_run();
        assert_eq!(ending.claim(Ender::Signals), Ender::Run);
        ending.wait_if_signalled();
    }
    #[test]
    fn the_process_does_not_end_while_a_document_is_written_but_does_not_wait_for_one_that_nobody_reads() {
        let ending = Ending::default();
        let (mut out, mut pauses) = (Vec::new(), 0);
        ending.wait_with(|| {
            pauses += 1;
            if pauses < 4 {
                ending.counting(&mut out).write_all(b"more").unwrap();
            }
        });
        assert_eq!((pauses, out.len()), (4, 12));
        let mut pauses = 0;
        ending.wait_with(|| {
            pauses += 1;
            ending.counting(io::sink()).write_all(b"more").unwrap();
        });
        assert_eq!(pauses, LOOK.1);
    }
}
