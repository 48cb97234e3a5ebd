//! Named, timed steps, each run whatever became of the others unless it needs one of them; the table and the last line.

use std::time::{Duration, Instant};

use crate::counts::Counts;
use crate::shell::in_ci;

/// What a step found out about its own result.
#[derive(Debug)]
pub(crate) enum Verdict {
    /// A check that holds: counts as one.
    Holds,
    /// Tests ran; the message is that of the runner if it ended badly.
    Ran(Counts, Option<String>),
    /// A check that does not hold, or a step that could not be done.
    Fails(String),
    /// Something is not on this machine: skipped for a person, failed in CI.
    Missing(String),
    /// Something that the project can do without is not on this machine: skipped everywhere.
    Optional(String),
}

impl From<Result<(), String>> for Verdict {
    fn from(outcome: Result<(), String>) -> Self {
        outcome.map_or_else(Self::Fails, |()| Self::Holds)
    }
}

#[derive(Debug)]
struct Entry {
    name: &'static str,
    counts: Counts,
    took: Duration,
    note: String,
}

/// All steps so far.
#[derive(Debug, Default)]
pub(crate) struct Report {
    entries: Vec<Entry>,
}

impl Report {
    /// Runs a step unless one of `needs` was not passed.
    pub(crate) fn step(&mut self, name: &'static str, needs: &[&str], work: impl FnOnce() -> Verdict) {
        println!("\n== {name}");
        let started = Instant::now();
        let (counts, note) = match needs.iter().find(|needed| !self.passed(needed)) {
            Some(needed) => (Counts { skipped: 1, ..Counts::default() }, format!("needs `{needed}`")),
            None => judged(work(), in_ci()),
        };
        let entry = Entry { name, counts, took: started.elapsed(), note };
        println!("== {name}: {}", entry.word());
        self.entries.push(entry);
    }

    fn passed(&self, name: &str) -> bool {
        self.entries.iter().any(|entry| entry.name == name && entry.word() == "passed")
    }

    /// Prints the table and, alone on the last line, the sums; says whether nothing failed.
    pub(crate) fn finish(&self) -> bool {
        let mut sum = Counts::default();
        println!("\n{:<20} {:<8} {:>7} {:>7} {:>7} {:>7}", "step", "", "passed", "failed", "skipped", "time");
        for entry in &self.entries {
            let Counts { passed, failed, skipped } = entry.counts;
            let seconds = entry.took.as_secs();
            println!(
                "{:<20} {:<8} {passed:>7} {failed:>7} {skipped:>7} {seconds:>5} s  {}",
                entry.name,
                entry.word(),
                entry.note
            );
            sum.add(entry.counts);
        }
        let total: Duration = self.entries.iter().map(|entry| entry.took).sum();
        println!("{} min {:02} s\n", total.as_secs() / 60, total.as_secs() % 60);
        println!("{} passed, {} failed, {} skipped", sum.passed, sum.failed, sum.skipped);
        sum.failed == 0
    }
}

impl Entry {
    fn word(&self) -> &'static str {
        match self.counts {
            Counts { failed: 1.., .. } => "FAILED",
            Counts { passed: 1.., .. } => "passed",
            _ => "skipped",
        }
    }
}

fn judged(verdict: Verdict, ci: bool) -> (Counts, String) {
    let one_failed = Counts { failed: 1, ..Counts::default() };
    match verdict {
        Verdict::Holds => (Counts { passed: 1, ..Counts::default() }, String::new()),
        Verdict::Ran(counts, None) if counts.is_empty() => (one_failed, "no test ran".to_owned()),
        Verdict::Ran(counts, None) => (counts, String::new()),
        Verdict::Ran(mut counts, Some(note)) => {
            // A crash, a timeout or a file that does not compile counts even if no test reported it.
            counts.failed = counts.failed.max(1);
            (counts, note)
        }
        Verdict::Optional(note) => (Counts { skipped: 1, ..Counts::default() }, note),
        Verdict::Missing(note) if !ci => (Counts { skipped: 1, ..Counts::default() }, note),
        Verdict::Fails(note) | Verdict::Missing(note) => (one_failed, note),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: usize, failed: usize, skipped: usize) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn a_runner_that_ends_badly_without_a_failed_test_counts_as_one_failure() {
        assert_eq!(judged(Verdict::Ran(counts(3, 0, 0), Some("ended".into())), false).0, counts(3, 1, 0));
        assert_eq!(judged(Verdict::Ran(counts(3, 2, 0), Some("ended".into())), false).0, counts(3, 2, 0));
    }

    #[test]
    fn running_no_test_is_a_failure() {
        assert_eq!(judged(Verdict::Ran(counts(0, 0, 0), None), false).0, counts(0, 1, 0));
    }

    #[test]
    fn what_is_missing_is_skipped_for_a_person_and_failed_in_ci() {
        assert_eq!(judged(Verdict::Missing("no browser".into()), false).0, counts(0, 0, 1));
        assert_eq!(judged(Verdict::Missing("no browser".into()), true).0, counts(0, 1, 0));
        assert_eq!(judged(Verdict::Optional("no PyTorch".into()), true).0, counts(0, 0, 1));
    }

    #[test]
    fn a_step_whose_need_failed_is_skipped_and_not_run() {
        let mut report = Report::default();
        report.step("build", &[], || Verdict::Fails("broken".into()));
        let mut ran = false;
        report.step("e2e", &["build"], || {
            ran = true;
            Verdict::Holds
        });
        assert!(!ran);
        assert_eq!(report.entries[1].counts, counts(0, 0, 1));
    }
}
