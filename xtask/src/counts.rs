//! How many tests passed, read from what cargo, vitest and node print.

/// Tests by outcome.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
    pub(crate) skipped: usize,
}

impl Counts {
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }

    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// Whose output is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runner {
    /// `test result: ok. 5 passed; 0 failed; 1 ignored; ...`, once per test binary.
    Cargo,
    /// `Tests  1 failed | 4 passed | 2 skipped (7)`, once.
    Vitest,
    /// `# pass 5` (TAP) or `i pass 5` (spec), one line per outcome.
    Node,
    /// `== 1 failed, 4 passed, 2 skipped in 3.21s ==`, once.
    Pytest,
}

/// What one line of output adds.
pub(crate) fn counted(runner: Runner, line: &str) -> Counts {
    let line = without_colour(line);
    let line = line.trim();
    let mut counts = Counts::default();
    match runner {
        Runner::Cargo => {
            if let Some(result) = line.strip_prefix("test result:").and_then(|rest| rest.split_once(". ")) {
                numbers_before_words(result.1.split(';'), &mut counts);
            }
        }
        Runner::Vitest => {
            if let Some(result) = line.strip_prefix("Tests ") {
                numbers_before_words(result.split('(').next().unwrap_or_default().split('|'), &mut counts);
            }
        }
        Runner::Pytest => {
            if let Some((result, time)) = line.trim_matches(['=', ' ']).rsplit_once(" in ")
                && time.starts_with(|c: char| c.is_ascii_digit())
            {
                numbers_before_words(result.split(','), &mut counts);
            }
        }
        Runner::Node => {
            let mut words = line.split_whitespace();
            if let (Some("#" | "ℹ"), Some(word), Some(number), None) =
                (words.next(), words.next(), words.next(), words.next())
                && let Ok(number) = number.parse()
            {
                assign(word, number, &mut counts);
            }
        }
    }
    counts
}

fn numbers_before_words<'a>(parts: impl Iterator<Item = &'a str>, counts: &mut Counts) {
    for part in parts {
        let mut words = part.split_whitespace();
        if let (Some(number), Some(word)) = (words.next(), words.next())
            && let Ok(number) = number.parse()
        {
            assign(word, number, counts);
        }
    }
}

fn assign(word: &str, number: usize, counts: &mut Counts) {
    match word {
        "passed" | "pass" => counts.passed += number,
        "failed" | "fail" | "cancelled" => counts.failed += number,
        "ignored" | "skipped" | "todo" => counts.skipped += number,
        _ => {}
    }
}

/// The line without terminal escape sequences.
fn without_colour(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\u{1b}' {
            chars.by_ref().take_while(|c| !c.is_ascii_alphabetic()).for_each(drop);
        } else {
            plain.push(c);
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: usize, failed: usize, skipped: usize) -> Counts {
        Counts { passed, failed, skipped }
    }

    #[test]
    fn cargo_lines_are_counted() {
        let line = "test result: FAILED. 7 passed; 2 failed; 1 ignored; 0 measured; 3 filtered out; finished in 0.03s";
        assert_eq!(counted(Runner::Cargo, line), counts(7, 2, 1));
        assert_eq!(counted(Runner::Cargo, "test weights::hash ... ok"), counts(0, 0, 0));
    }

    #[test]
    fn vitest_lines_are_counted_with_colours() {
        let line = "\u{1b}[2m      Tests \u{1b}[22m \u{1b}[31m1 failed\u{1b}[39m | \u{1b}[32m4 passed\u{1b}[39m | 2 skipped (7)";
        assert_eq!(counted(Runner::Vitest, line), counts(4, 1, 2));
        assert_eq!(counted(Runner::Vitest, " Test Files  1 passed (1)"), counts(0, 0, 0));
    }

    #[test]
    fn pytest_lines_are_counted() {
        assert_eq!(counted(Runner::Pytest, "== 1 failed, 4 passed, 2 skipped in 3.21s =="), counts(4, 1, 2));
        assert_eq!(counted(Runner::Pytest, "70 passed in 82.10s (0:01:22)"), counts(70, 0, 0));
        assert_eq!(counted(Runner::Pytest, "12 passed in the first half"), counts(0, 0, 0));
    }

    #[test]
    fn node_lines_are_counted_in_both_forms() {
        assert_eq!(counted(Runner::Node, "# pass 5"), counts(5, 0, 0));
        assert_eq!(counted(Runner::Node, "ℹ fail 2"), counts(0, 2, 0));
        assert_eq!(counted(Runner::Node, "# cancelled 1"), counts(0, 1, 0));
        assert_eq!(counted(Runner::Node, "# skipped 3"), counts(0, 0, 3));
        assert_eq!(counted(Runner::Node, "# tests 11"), counts(0, 0, 0));
        assert_eq!(counted(Runner::Node, "# pass 5 of many"), counts(0, 0, 0));
    }
}
