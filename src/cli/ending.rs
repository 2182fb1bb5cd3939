//! Who prints the document of a run: the run, or the thread that ends a run which does not answer a signal.

use std::sync::OnceLock;
use std::thread;

/// Who ends a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ender {
    /// The run itself, when it has ended, failed or answered a signal.
    Run,
    /// The thread that waits for signals, because the run does not answer. It ends the process.
    Signals,
}

/// Which thread prints the document of a run: the first one that claims it. Two documents on standard output would not be
/// valid JSON.
#[derive(Debug, Default)]
pub(super) struct Ending(OnceLock<Ender>);

impl Ending {
    /// Claims the end. Returns who has it.
    pub fn claim(&self, ender: Ender) -> Ender {
        *self.0.get_or_init(|| ender)
    }

    /// Claims the end for the run. If the process is being ended, waits for its end: the run must print nothing more, and
    /// its exit code does not count.
    pub fn claim_for_run(&self) {
        while self.claim(Ender::Run) == Ender::Signals {
            thread::park();
        }
    }

    /// Waits for the end of the process, if it is being ended.
    pub fn wait_if_signalled(&self) {
        if self.0.get() == Some(&Ender::Signals) {
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
}
