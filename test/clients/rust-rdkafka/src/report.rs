//! One line a check, in the form every client suite prints: "ok - sentence" or "not ok - sentence: why".
//! Runs each check on a thread of its own, so that one that hangs fails after its time and the rest still run. A check
//! fails by a panic, whose place in the source is part of the line.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

const TIME_A_CHECK: Duration = Duration::from_secs(60);

pub type Check = Box<dyn FnOnce() + Send>;

pub struct Report {
    pub failed: usize,
}

thread_local! {
    static WHY: RefCell<Option<String>> = const { RefCell::new(None) };
}

impl Report {
    pub fn new() -> Report {
        panic::set_hook(Box::new(|panicked| {
            let said = panicked.payload_as_str().unwrap_or("no message");
            let place = panicked.location().map(|at| format!(" ({}:{})", at.file(), at.line()));
            let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
            WHY.set(Some(line + &place.unwrap_or_default()));
        }));
        Report { failed: 0 }
    }

    pub fn check(&mut self, sentence: impl Into<String>, check: impl FnOnce() + Send + 'static) {
        self.together(vec![(sentence.into(), Box::new(check))]);
    }

    /// Runs checks side by side that mostly wait, such as for rebalances; the lines come in the order given.
    pub fn together(&mut self, checks: Vec<(String, Check)>) {
        let end = Instant::now() + TIME_A_CHECK;
        let started: Vec<_> = checks.into_iter().map(|(sentence, check)| (sentence, start(check))).collect();
        for (sentence, outcome) in started {
            let why = outcome.recv_timeout(end.saturating_duration_since(Instant::now()));
            match why.unwrap_or_else(|_| Some(format!("no end after {TIME_A_CHECK:?}"))) {
                None => println!("ok - {sentence}"),
                Some(why) => {
                    self.failed += 1;
                    println!("not ok - {sentence}: {why}");
                }
            }
        }
    }
}

/// What comes is why the check failed, or nothing.
fn start(check: Check) -> Receiver<Option<String>> {
    let (answer, outcome) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let held = panic::catch_unwind(AssertUnwindSafe(check)).is_ok();
        let why = if held { None } else { WHY.take() };
        // Nobody listens any more when the check came too late.
        let _ = answer.send(why);
    });
    outcome
}

#[track_caller]
pub fn same_bytes(expected: Option<&[u8]>, found: Option<&[u8]>, what: &str) {
    let describe = |bytes: Option<&[u8]>| match bytes {
        None => "null".to_string(),
        Some(bytes) => format!("{} bytes starting with {:?}", bytes.len(), bytes.iter().take(16).collect::<Vec<_>>()),
    };
    assert!(expected == found, "{what} is {}, expected {}", describe(found), describe(expected));
}
