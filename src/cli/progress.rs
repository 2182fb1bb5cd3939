//! Shows the progress of a step: a line that is redrawn on a terminal, otherwise a line every 10 seconds.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressStyle};

use super::printer::say;
use crate::copy::Reading;
use crate::model::words::counted;
use crate::run::Step;

/// The interval of a line that is redrawn.
const FRAME: Duration = Duration::from_millis(200);
/// The interval of lines without a terminal. The log of a one-hour build stays readable.
pub(super) const LINE: Duration = Duration::from_secs(10);
/// The characters of a bar.
const BAR: usize = 20;

/// Shows the progress of a step until it is dropped. A thread of its own draws it: a long computation does not stop it.
#[derive(Debug)]
pub(super) struct Progress {
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Progress {
    /// Starts to show a step. `line` returns its progress after some time, with a bar if there is room for one.
    pub fn show(line: impl Fn(Duration, bool) -> String + Send + 'static) -> Self {
        let drawn = is_terminal().then(bar);
        let interval = if drawn.is_some() { FRAME } else { LINE };
        Self::every(interval, drawn, line)
    }

    /// Shows a line again and again: in a bar, or else each time on a line of its own.
    fn every(
        interval: Duration,
        drawn: Option<ProgressBar>,
        line: impl Fn(Duration, bool) -> String + Send + 'static,
    ) -> Self {
        let (stop, stopped) = channel();
        let started = Instant::now();
        let draw = move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                let line = line(started.elapsed(), drawn.is_some());
                match &drawn {
                    Some(bar) => bar.set_message(line),
                    None => say(&line),
                }
            }
            if let Some(bar) = &drawn {
                bar.finish_and_clear();
            }
        };
        // Without a thread there is no progress, and the run goes on.
        let thread = thread::Builder::new().name("progress".into()).spawn(draw).ok();
        Self { stop: Some(stop), thread }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take() {
            // Ignore errors: the thread has printed a panic.
            let _ = thread.join();
        }
    }
}

/// Whether a line can be redrawn.
fn is_terminal() -> bool {
    std::io::stderr().is_terminal() && can_redraw(std::env::var_os("TERM").as_deref())
}

fn can_redraw(term: Option<&OsStr>) -> bool {
    term.is_none_or(|term| term != "dumb")
}

/// A line that is cut at the width of the terminal, and never wraps.
fn bar() -> ProgressBar {
    let style = ProgressStyle::with_template("{wide_msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new_spinner().with_style(style)
}

/// The progress of a step that counts objects.
pub(super) fn counting(step: Step, count: u64) -> String {
    let objects = counted(count, "object");
    match step {
        Step::Listing => format!("listing the artifacts: {objects} so far"),
        Step::Checking => format!("checking the artifacts: {objects} so far"),
    }
}

/// The progress of a copy.
pub(super) fn copying(reading: &Reading, elapsed: Duration, with_bar: bool) -> String {
    let to_do = to_do(reading);
    let left = to_do.saturating_sub(reading.bytes_done);
    let rate = reading.bytes_done as f64 / elapsed.as_secs_f64().max(0.001);
    let (speed, eta) = match reading.bytes_done {
        0 => (String::new(), "time left unknown".to_owned()),
        _ => {
            let eta = HumanDuration(Duration::from_secs_f64(left as f64 / rate));
            (format!(", {}/s", HumanBytes(rate as u64)), format!("{eta} left"))
        }
    };
    let (done, all) = (HumanBytes(reading.bytes_done), HumanBytes(to_do));
    let bar = if with_bar { format!("{} ", drawn(reading.bytes_done, to_do)) } else { String::new() };
    format!("{bar}copying {}{}, {done} of {all}{speed}, {eta}", objects(reading), images(reading))
}

fn drawn(done: u64, all: u64) -> String {
    let full = (done as f64 / all.max(1) as f64 * BAR as f64) as usize;
    let full = full.min(BAR);
    let head = if full < BAR { ">" } else { "" };
    format!("[{}{head}{}]", "=".repeat(full), " ".repeat(BAR - full - head.len()))
}

/// The progress of the groups of a pattern, and of the copies of those that have begun.
pub(super) fn all_groups((ended, count): (u64, usize), copies: impl Iterator<Item = Reading>) -> String {
    let (done, all) = copies.fold((0, 0), |(done, all), copy| (done + copy.bytes_done, all + to_do(&copy)));
    let copied = match all {
        0 => String::new(),
        all => format!(", {} of {} copied", HumanBytes(done), HumanBytes(all)),
    };
    format!("{ended} of {count} groups done{copied}")
}

/// What a copy has done, at its end; nothing if it had nothing to do or has failed.
pub(super) fn copied(reading: &Reading, elapsed: Duration) -> Option<String> {
    let (objects, images) = (reading.objects_done, reading.images_done);
    let is_complete =
        objects + reading.objects_there >= reading.objects && images + reading.images_there >= reading.images;
    let copied = match (objects, images) {
        (0, 0) => return None,
        (_, 0) => counted(objects, "object"),
        (0, _) => counted(images, "image"),
        _ => format!("{} and {}", counted(objects, "object"), counted(images, "image")),
    };
    if !is_complete {
        return None;
    }
    let seconds = elapsed.as_secs_f64();
    let rate = HumanBytes((reading.bytes_done as f64 / seconds.max(0.001)) as u64);
    let how = match reading.bytes_streamed {
        0 => "by S3".to_owned(),
        streamed if streamed >= reading.bytes_done => "streamed".to_owned(),
        streamed => format!("by S3, {} of them streamed", HumanBytes(streamed)),
    };
    let bytes = HumanBytes(reading.bytes_done);
    // The layers of the images were there.
    let speed = if (objects, reading.bytes_done) == (0, 0) { String::new() } else { format!(" ({rate}/s, {how})") };
    Some(format!("copied {copied}, {bytes}, in {seconds:.1} s{speed}"))
}

/// The bytes that this run has to copy, without objects that were copied before and resumed parts.
fn to_do(reading: &Reading) -> u64 {
    reading.bytes.saturating_sub(reading.bytes_there).saturating_sub(reading.bytes_resumed)
}

fn objects(reading: &Reading) -> String {
    let there =
        if reading.objects_there > 0 { format!(" (+{} already copied)", reading.objects_there) } else { String::new() };
    let resumed = match reading.bytes_resumed {
        0 => String::new(),
        bytes => format!(" (+{} resumed)", HumanBytes(bytes)),
    };
    let all = reading.objects.saturating_sub(reading.objects_there);
    format!("{}/{all} objects{there}{resumed}", reading.objects_done)
}

/// The images, if there are some.
fn images(reading: &Reading) -> String {
    let there =
        if reading.images_there > 0 { format!(" (+{} already copied)", reading.images_there) } else { String::new() };
    match reading.images {
        0 => String::new(),
        images => format!(", {}/{} images{there}", reading.images_done, images.saturating_sub(reading.images_there)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copy::Meter;

    #[tokio::test]
    async fn progress_is_shown_while_the_only_thread_of_the_run_computes() {
        let (drawn, lines) = channel();
        let progress = Progress::every(Duration::from_millis(1), Some(ProgressBar::hidden()), move |_, _| {
            drawn.send(()).expect("the test listens");
            String::new()
        });
        // The runtime has this thread only, which does nothing else until three lines have been drawn.
        for _ in 0..3 {
            lines.recv_timeout(Duration::from_secs(60)).expect("a line");
        }
        drop(progress);
    }

    #[test]
    fn a_dumb_terminal_cannot_redraw_a_line() {
        assert!(can_redraw(None) && can_redraw(Some("xterm".as_ref())) && !can_redraw(Some("dumb".as_ref())));
    }

    #[test]
    fn a_line_of_a_listing_has_the_number_of_objects() {
        assert_eq!(counting(Step::Listing, 1), "listing the artifacts: 1 object so far");
        assert_eq!(counting(Step::Checking, 2000), "checking the artifacts: 2000 objects so far");
    }

    #[test]
    fn a_line_has_objects_bytes_rate_and_time_left_without_earlier_copies() {
        let meter = Meter::default();
        meter.expect(4, 4096);
        meter.found(1024);
        meter.arrived(1024);
        meter.completed();
        let second = Duration::from_secs(1);
        let text = "copying 1/3 objects (+1 already copied), 1.00 KiB of 3.00 KiB, 1.00 KiB/s, 2 seconds left";
        assert_eq!(copying(&meter.read(), second, false), text);
        assert_eq!(copying(&meter.read(), second, true), format!("[======>             ] {text}"));
    }

    #[test]
    fn images_are_counted_beside_the_objects_and_their_layers_in_bytes_only() {
        let meter = Meter::default();
        meter.expect(1, 1024);
        meter.expect_images(3, 4096);
        meter.found_images(1, 1024);
        meter.streamed(2048);
        meter.completed();
        meter.image_completed();
        let text = copying(&meter.read(), Duration::from_secs(1), false);
        let says =
            "copying 1/1 objects, 1/2 images (+1 already copied), 2.00 KiB of 4.00 KiB, 2.00 KiB/s, 1 second left";
        assert_eq!(text, says);
        assert_eq!(copied(&meter.read(), Duration::from_secs(2)), None, "an image is missing: the copy has failed");
        meter.streamed(2048);
        meter.image_completed();
        let text = copied(&meter.read(), Duration::from_secs(2));
        let says = "copied 1 object and 2 images, 4.00 KiB, in 2.0 s (2.00 KiB/s, streamed)";
        assert_eq!(text.as_deref(), Some(says));
    }

    #[test]
    fn resumed_bytes_are_neither_done_nor_to_do() {
        let meter = Meter::default();
        meter.expect(1, 4096);
        meter.resumed(1024);
        meter.arrived(1024);
        let text = copying(&meter.read(), Duration::from_secs(1), false);
        assert_eq!(text, "copying 0/1 objects (+1.00 KiB resumed), 1.00 KiB of 3.00 KiB, 1.00 KiB/s, 2 seconds left");
    }

    #[test]
    fn rate_and_time_left_are_unknown_before_the_first_byte() {
        let text = copying(&Meter::default().read(), Duration::ZERO, true);
        assert_eq!(text, "[>                   ] copying 0/0 objects, 0 B of 0 B, time left unknown");
    }

    #[test]
    fn an_image_whose_layers_were_there_has_neither_a_speed_nor_a_mode() {
        let meter = Meter::default();
        meter.expect_images(1, 2048);
        meter.found_images(0, 2048);
        meter.image_completed();
        let text = copied(&meter.read(), Duration::from_secs(2));
        assert_eq!(text.as_deref(), Some("copied 1 image, 0 B, in 2.0 s"));
    }

    #[test]
    fn the_end_says_what_was_copied_in_which_time_and_how() {
        let meter = Meter::default();
        meter.expect(3, 4096);
        meter.found(1024);
        meter.arrived(1024);
        meter.completed();
        assert_eq!(copied(&meter.read(), Duration::from_secs(2)), None, "an object is missing: the copy has failed");
        meter.streamed(2048);
        meter.completed();
        let text = copied(&meter.read(), Duration::from_secs(2));
        let says = "copied 2 objects, 3.00 KiB, in 2.0 s (1.50 KiB/s, by S3, 2.00 KiB of them streamed)";
        assert_eq!(text.as_deref(), Some(says));
    }
}
