//! Results as a table for people (Markdown) and as JSON.

use std::fmt::Write;

use serde::{Serialize, Serializer, ser::SerializeMap};

/// Named numbers in order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Metrics(pub Vec<(&'static str, f64)>);

impl Metrics {
    /// The value of a metric.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(n, _)| *n == name).map(|(_, v)| *v)
    }
}

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// What a row stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// The prediction under test.
    Prediction,
    /// Something trivial that it must beat.
    Baseline,
    /// A bound from the ground truth itself.
    Reference,
}

/// One line of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// What was evaluated.
    pub name: String,
    /// What it stands for.
    pub kind: Kind,
    /// Its metrics.
    pub metrics: Metrics,
    /// Its weight in means over sequences.
    pub weight: f64,
}

/// The rows of one sequence.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SequenceReport {
    /// The sequence.
    pub sequence: String,
    /// Frames that took part.
    pub frames: usize,
    /// Frames that were left out, with the reasons.
    pub skipped: Vec<String>,
    /// What the reader of the layout remarked.
    pub notes: Vec<String>,
    /// Results and baselines.
    pub rows: Vec<Row>,
}

/// A whole evaluation.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Program and version.
    pub generator: String,
    /// The task.
    pub task: &'static str,
    /// The layout.
    pub layout: &'static str,
    /// The data folder.
    pub data: String,
    /// What made the predictions.
    pub predictions: String,
    /// False if they come from a network that was never trained; absent for a folder.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trained: Option<bool>,
    /// How means over sequences are weighted.
    pub weighting: &'static str,
    /// Means over sequences.
    pub overall: Vec<Row>,
    /// Each sequence.
    pub sequences: Vec<SequenceReport>,
}

/// Means over sequences of rows of equal name, in order of first appearance; a metric counts where it is finite.
#[must_use]
pub fn overall(sequences: &[SequenceReport]) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    for row in sequences.iter().flat_map(|s| &s.rows) {
        if !rows.iter().any(|known| known.name == row.name) {
            rows.push(row.clone());
        }
    }
    for mean in &mut rows {
        let same = || sequences.iter().flat_map(|s| &s.rows).filter(|row| row.name == mean.name);
        let average = |metric: &'static str| {
            let values = same().filter_map(|row| Some((row.metrics.get(metric)?, row.weight)));
            let finite = values.filter(|(value, _)| value.is_finite());
            let (sum, weight) =
                finite.fold((0.0, 0.0), |(sum, all), (value, weight)| (sum + value * weight, all + weight));
            (metric, sum / weight)
        };
        mean.metrics = Metrics(mean.metrics.0.iter().map(|(metric, _)| average(metric)).collect());
        mean.weight = same().map(|row| row.weight).sum();
    }
    rows
}

/// A Markdown table: one line per row, one column per metric.
#[must_use]
pub fn table(rows: &[Row]) -> String {
    let mut names: Vec<&'static str> = Vec::new();
    for (name, _) in rows.iter().flat_map(|row| &row.metrics.0) {
        if !names.contains(name) {
            names.push(name);
        }
    }
    let mut out = String::new();
    let _ = writeln!(out, "| | {} |", names.join(" | "));
    let _ = writeln!(out, "|---|{}", "---|".repeat(names.len()));
    for row in rows {
        let name = if row.kind == Kind::Prediction { format!("**{}**", row.name) } else { row.name.clone() };
        let cells: Vec<String> =
            names.iter().map(|name| row.metrics.get(name).map_or_else(String::new, cell)).collect();
        let _ = writeln!(out, "| {name} | {} |", cells.join(" | "));
    }
    out
}

fn cell(value: f64) -> String {
    if value.is_nan() {
        "-".to_owned()
    } else if value.abs() >= 1000.0 {
        format!("{value:.3e}")
    } else if value.abs() >= 100.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.4}")
    }
}

impl Report {
    /// The report for people.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut out = String::new();
        let frames: usize = self.sequences.iter().map(|s| s.frames).sum();
        let skipped: usize = self.sequences.iter().map(|s| s.skipped.len()).sum();
        let _ = writeln!(out, "## {}: {} ({})\n", self.task, self.data, self.layout);
        let _ = writeln!(out, "Predictions: {}.", self.predictions);
        let _ = write!(out, "{} sequences, {frames} frames", self.sequences.len());
        let _ = if skipped > 0 { write!(out, ", {skipped} left out") } else { Ok(()) };
        let _ = writeln!(out, "; means {}.\n\n{}", self.weighting, table(&self.overall));
        if self.sequences.len() > 1 {
            for sequence in &self.sequences {
                let _ = writeln!(
                    out,
                    "### {} ({} frames)\n\n{}",
                    sequence.sequence,
                    sequence.frames,
                    table(&sequence.rows)
                );
            }
        }
        for sequence in &self.sequences {
            for remark in sequence.notes.iter().chain(sequence.skipped.iter().take(5)) {
                let _ = writeln!(out, "- {}: {remark}", sequence.sequence);
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sequence(value: f64, weight: f64) -> SequenceReport {
        let metrics = Metrics(vec![("AbsRel", value), ("delta", f64::NAN)]);
        let rows = vec![Row { name: "prediction".to_owned(), kind: Kind::Prediction, metrics, weight }];
        SequenceReport { sequence: "s".to_owned(), frames: 1, skipped: vec![], notes: vec![], rows }
    }

    #[test]
    fn means_are_weighted_and_ignore_what_is_no_number() {
        let rows = overall(&[sequence(0.1, 100.0), sequence(0.4, 300.0), sequence(f64::NAN, 50.0)]);
        assert_eq!(rows.len(), 1);
        assert!((rows[0].metrics.get("AbsRel").unwrap() - 0.325).abs() < 1e-12);
        assert!(rows[0].metrics.get("delta").unwrap().is_nan());
        assert_eq!(table(&rows), "| | AbsRel | delta |\n|---|---|---|\n| **prediction** | 0.3250 | - |\n");
    }
}
