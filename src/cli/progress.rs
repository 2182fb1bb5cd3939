//! Shows the progress of a copy: a bar on a terminal, otherwise a line every 10 seconds.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanBytes, HumanDuration, ProgressBar, ProgressStyle};
use tokio::task::{AbortHandle, spawn};
use tokio::time::{Instant, interval_at};

use super::printer::say;
use crate::copy::{Meter, Reading};

/// The interval of a progress bar.
const FRAME: Duration = Duration::from_millis(100);
/// The interval of lines without a terminal. The log of a one-hour build stays readable.
pub(super) const LINE: Duration = Duration::from_secs(10);

/// Shows the progress of a meter until it is dropped.
#[derive(Debug)]
pub(super) struct Progress {
    task: AbortHandle,
    bar: Option<ProgressBar>,
}

impl Progress {
    /// Starts to show the progress of a meter.
    pub fn show(meter: Arc<Meter>) -> Self {
        if std::io::stderr().is_terminal() {
            let bar = Bar::new();
            let drawn = bar.bar.clone();
            let task = spawn(each(FRAME, move || bar.draw(&meter.read()))).abort_handle();
            return Self { task, bar: Some(drawn) };
        }
        let started = Instant::now();
        let task = spawn(each(LINE, move || say(&line(&meter.read(), started.elapsed())))).abort_handle();
        Self { task, bar: None }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

async fn each(interval: Duration, show: impl Fn()) {
    let mut ticks = interval_at(Instant::now() + interval, interval);
    loop {
        ticks.tick().await;
        show();
    }
}

struct Bar {
    bar: ProgressBar,
}

impl Bar {
    fn new() -> Self {
        let template = "copying {msg}  [{bar:30}] {bytes}/{total_bytes}  {bytes_per_sec}  {eta} left";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        Self { bar: ProgressBar::new(0).with_style(style.progress_chars("=> ")) }
    }

    fn draw(&self, reading: &Reading) {
        self.bar.set_length(to_do(reading));
        self.bar.set_position(reading.bytes_done);
        self.bar.set_message(objects(reading));
    }
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

fn line(reading: &Reading, elapsed: Duration) -> String {
    let to_do = to_do(reading);
    let left = to_do.saturating_sub(reading.bytes_done);
    let rate = reading.bytes_done as f64 / elapsed.as_secs_f64().max(0.001);
    let eta = match reading.bytes_done {
        0 => "unknown".to_owned(),
        _ => HumanDuration(Duration::from_secs_f64(left as f64 / rate)).to_string(),
    };
    let (done, all) = (HumanBytes(reading.bytes_done), HumanBytes(to_do));
    format!("copying {}, {done} of {all}, {}/s, {eta} left", objects(reading), HumanBytes(rate as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_objects_bytes_rate_and_time_left_without_earlier_copies() {
        let meter = Meter::default();
        meter.expect(4, 4096);
        meter.found(1024);
        meter.arrived(1024);
        meter.completed();
        let text = line(&meter.read(), Duration::from_secs(1));
        assert_eq!(text, "copying 1/3 objects (+1 already copied), 1.00 KiB of 3.00 KiB, 1.00 KiB/s, 2 seconds left");
    }

    #[test]
    fn resumed_bytes_are_neither_done_nor_to_do() {
        let meter = Meter::default();
        meter.expect(1, 4096);
        meter.resumed(1024);
        meter.arrived(1024);
        let text = line(&meter.read(), Duration::from_secs(1));
        assert_eq!(text, "copying 0/1 objects (+1.00 KiB resumed), 1.00 KiB of 3.00 KiB, 1.00 KiB/s, 2 seconds left");
    }

    #[test]
    fn the_time_left_is_unknown_before_the_first_byte() {
        assert!(line(&Meter::default().read(), Duration::ZERO).ends_with("unknown left"));
    }
}
