//! Errors of produced tensors against expected ones, by group, with the tolerance of each group.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::{Precision, Reference, References, Variant, VerifyReport};

/// Tensors that share a tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// Single operations.
    Unit,
    /// Encoder, decoder and memory tokens.
    Tokens,
    /// Raw and activated poses.
    Pose,
    /// Pointer positions and features, merge distances.
    Pointers,
    /// Point maps and confidences, and the dense heads that make them.
    Maps,
    /// Merge decisions, which must be exact.
    Decisions,
    /// Names this program does not produce.
    Unknown,
}

/// One compared tensor.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TensorReport {
    /// Name in `expected.safetensors`.
    pub name: String,
    /// Group it is judged in.
    pub group: Group,
    /// `max |a - b| / max |b|` (absolute for units, differing values for decisions).
    pub error: f64,
    /// Largest error that passes.
    pub tolerance: f64,
    /// Why it failed, if not by its error.
    pub problem: Option<String>,
}

impl TensorReport {
    fn passed(&self) -> bool {
        // Written so that an error that is not a number fails.
        self.problem.is_none() && self.error <= self.tolerance
    }
}

/// The worst of a group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GroupReport {
    /// The group.
    pub group: Group,
    /// Tensors in it.
    pub tensors: usize,
    /// Tensors that passed.
    pub passed: usize,
    /// The tensor with the largest error relative to its tolerance.
    pub worst: TensorReport,
}

/// A running comparison.
pub(crate) struct Comparison<'a> {
    expected: &'a References,
    precision: Precision,
    variant: Variant,
    reports: Vec<TensorReport>,
    seen: BTreeSet<String>,
    /// Frames of a tensor that the reference stores as one batch: rows compared so far.
    batches: BTreeMap<String, (f64, f64)>,
}

impl<'a> Comparison<'a> {
    pub(crate) fn new(expected: &'a References, precision: Precision, variant: Variant) -> Self {
        Self { expected, precision, variant, reports: Vec::new(), seen: BTreeSet::new(), batches: BTreeMap::new() }
    }

    /// Compares a tensor produced in frame `index` with every form of it that is expected.
    pub(crate) fn frame(&mut self, index: usize, name: &str, tensor: &Reference, scale: Option<f32>) {
        let prefix = match self.variant {
            Variant::F32 => format!("f{index}."),
            Variant::F16Rope => format!("cuda_f16.f{index}."),
        };
        for suffix in ["", ".sub", ".stats"] {
            let full = format!("{prefix}{name}{suffix}");
            if self.expected.get(&full).is_none() {
                continue;
            }
            match suffix {
                "" => self.check_scaled(&full, tensor, scale.unwrap_or(0.0)),
                ".sub" => self.check(&full, &subsample(name, tensor)),
                _ => self.check(&full, &statistics(tensor)),
            }
        }
        self.batch(index, name, tensor);
    }

    /// Encoder tensors that are stored for all frames at once, without frame prefix.
    fn batch(&mut self, index: usize, name: &str, tensor: &Reference) {
        let Some(expected) = self.expected.get(name).filter(|_| self.variant == Variant::F32) else { return };
        let rows = tensor.values.len();
        let Some(part) = expected.values.get(index * rows..(index + 1) * rows) else { return };
        let (worst, frames) = self.batches.entry(name.to_owned()).or_insert((0.0, 0.0));
        let scale = part.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        *worst = worse(*worst, relative_error(&tensor.values, part, f64::from(scale)));
        *frames += 1.0;
    }

    /// Compares one tensor under its full name.
    pub(crate) fn check(&mut self, name: &str, tensor: &Reference) {
        self.check_scaled(name, tensor, 0.0);
    }

    /// The error is relative to `at_least` or to the largest expected value, whichever is larger.
    fn check_scaled(&mut self, name: &str, tensor: &Reference, at_least: f32) {
        let Some(expected) = self.expected.get(name) else { return };
        let group = group_of(name);
        let mut report = self.report(name, group);
        if tensor.values.len() != expected.values.len() {
            report.problem = Some(format!("{} values, expected {}", tensor.values.len(), expected.values.len()));
        } else if group == Group::Decisions {
            #[expect(clippy::cast_precision_loss, reason = "a count of patches")]
            let differing = tensor.values.iter().zip(&expected.values).filter(|(a, b)| a != b).count() as f64;
            report.error = differing;
        } else {
            let largest = expected.values.iter().fold(at_least, |m, v| m.max(v.abs()));
            let scale = if group == Group::Unit { 1.0 } else { f64::from(largest) };
            report.error = relative_error(&tensor.values, &expected.values, scale);
        }
        self.seen.insert(name.to_owned());
        self.reports.push(report);
    }

    /// Marks an expected tensor that is an input of a unit test.
    pub(crate) fn given(&mut self, name: &str) {
        self.seen.insert(name.to_owned());
    }

    fn report(&self, name: &str, group: Group) -> TensorReport {
        let tolerance = tolerance(group, self.precision, self.variant);
        TensorReport { name: name.to_owned(), group, error: 0.0, tolerance, problem: None }
    }

    pub(crate) fn finish(mut self, pointers: Vec<usize>, seconds: Vec<f64>) -> VerifyReport {
        for (name, (error, frames)) in std::mem::take(&mut self.batches) {
            let mut report = self.report(&name, Group::Tokens);
            report.error = error;
            #[expect(clippy::cast_precision_loss, reason = "a count of frames")]
            let expected = self.expected.get(&name).and_then(|t| t.shape.first()).map_or(0.0, |n| *n as f64);
            if (frames - expected).abs() > 0.5 {
                report.problem = Some(format!("{frames} of {expected} frames could be compared"));
            }
            self.seen.insert(name);
            self.reports.push(report);
        }
        let missing: Vec<_> = self.expected.names().filter(|n| !self.seen.contains(*n)).map(str::to_owned).collect();
        for name in missing {
            let mut report = self.report(&name, Group::Unknown);
            report.problem = Some("expected, but nothing of this name was produced".into());
            self.reports.push(report);
        }
        let failures: Vec<_> = self.reports.iter().filter(|r| !r.passed()).cloned().collect();
        let mut groups: BTreeMap<Group, GroupReport> = BTreeMap::new();
        for report in &self.reports {
            let passed = usize::from(report.passed());
            let group = groups.entry(report.group).or_insert_with(|| GroupReport {
                group: report.group,
                tensors: 0,
                passed: 0,
                worst: report.clone(),
            });
            group.tensors += 1;
            group.passed += passed;
            if severity(report) > severity(&group.worst) {
                group.worst = report.clone();
            }
        }
        VerifyReport {
            passed: failures.is_empty() && !self.reports.is_empty(),
            compared: self.reports.len(),
            pointers,
            seconds,
            groups: groups.into_values().collect(),
            failures,
        }
    }
}

fn severity(report: &TensorReport) -> f64 {
    let ratio = report.error / report.tolerance.max(f64::MIN_POSITIVE);
    if report.problem.is_some() || ratio.is_nan() { f64::INFINITY } else { ratio }
}

/// Group of an expected tensor, by its name.
fn group_of(name: &str) -> Group {
    if name.starts_with("unit.") || name == "weights.sample" {
        return Group::Unit;
    }
    let name = name.strip_prefix("cuda_f16.").unwrap_or(name);
    // Behind the frame number, where there is one.
    let local = match name.split_once('.') {
        Some((frame, rest))
            if frame.len() > 1 && frame.starts_with('f') && frame[1..].bytes().all(|b| b.is_ascii_digit()) =>
        {
            rest
        }
        _ => name,
    };
    let starts = |prefixes: &[&str]| prefixes.iter().any(|p| local.starts_with(p));
    if starts(&["merge_nn_index", "merge_is_add"]) {
        Group::Decisions
    } else if starts(&["pose_raw", "out.camera_pose", "out.c2w"]) {
        Group::Pose
    } else if starts(&["ptr_", "new_patch_pos", "mem_pos_in", "img_pos_in", "merge_"]) {
        Group::Pointers
    } else if starts(&["out.", "dpt_"]) {
        Group::Maps
    } else {
        Group::Tokens
    }
}

/// Pass bars of the reference set: several times its own f32-against-f64 noise.
fn tolerance(group: Group, precision: Precision, variant: Variant) -> f64 {
    let (cpu, gpu): (f64, f64) = match group {
        Group::Unit => (2e-6, 2e-5),
        Group::Tokens | Group::Pose | Group::Pointers => (2e-5, 2e-4),
        Group::Maps => (5e-5, 5e-4),
        Group::Decisions | Group::Unknown => (0.0, 0.0),
    };
    // Rounding to half turns a last-bit difference into one of 5e-4 of a value; the variants themselves
    // differ by three to five times this bar.
    let widened = if variant == Variant::F16Rope { 1e-4_f64.max(cpu) } else { cpu };
    if precision == Precision::Cpu { widened } else { gpu.max(widened) }
}

fn relative_error(produced: &[f32], expected: &[f32], scale: f64) -> f64 {
    let worst = produced.iter().zip(expected).map(|(a, b)| (f64::from(*a) - f64::from(*b)).abs()).fold(0.0, worse);
    worst / scale.max(f64::MIN_POSITIVE)
}

/// The larger error; one that is not a number stays.
fn worse(a: f64, b: f64) -> f64 {
    if a.is_nan() || b.is_nan() { f64::NAN } else { a.max(b) }
}

/// The part of a tensor that a large reference set stores: maps by every fourth pixel, tokens by every
/// seventh row and sixteenth channel.
fn subsample(name: &str, tensor: &Reference) -> Reference {
    let dims = tensor.shape.iter().copied().filter(|d| *d != 1).collect::<Vec<_>>();
    let is_map = name.starts_with("out.");
    let (rows, columns, inner) = if is_map {
        let dim = |i: usize| dims.get(i).copied().unwrap_or(1);
        (dim(0), dim(1), dim(2))
    } else {
        let channels = dims.last().copied().unwrap_or(1);
        (tensor.values.len() / channels.max(1), channels, 1)
    };
    let pick = |row: usize, column: usize| {
        if is_map { row % 4 == 2 && column % 4 == 1 } else { row.is_multiple_of(7) && column.is_multiple_of(16) }
    };
    let cells = (0..rows).flat_map(|y| (0..columns).map(move |x| (y, x)));
    let values: Vec<f32> = cells
        .filter(|(y, x)| pick(*y, *x))
        .flat_map(|(y, x)| {
            let start = (y * columns + x) * inner;
            tensor.values.get(start..start + inner).unwrap_or_default().iter().copied()
        })
        .collect();
    let shape = vec![values.len()];
    Reference { values, shape }
}

/// Mean, standard deviation (n - 1) and largest magnitude.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "statistics of a map, stored as f32")]
fn statistics(tensor: &Reference) -> Reference {
    let n = tensor.values.len() as f64;
    let mean = tensor.values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
    let squares: f64 = tensor.values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum();
    let largest = tensor.values.iter().fold(0.0f32, |m, v| m.max(v.abs()));
    Reference { values: vec![mean as f32, (squares / (n - 1.0)).sqrt() as f32, largest], shape: vec![3] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_follow_names() {
        assert_eq!(group_of("f12.merge_is_add"), Group::Decisions);
        assert_eq!(group_of("f0.out.conf_self.sub"), Group::Maps);
        assert_eq!(group_of("cuda_f16.f0.ptr_pos"), Group::Pointers);
        assert_eq!(group_of("enc.block.0"), Group::Tokens);
    }

    #[test]
    fn an_error_that_is_not_a_number_fails() {
        assert!(relative_error(&[f32::NAN, 0.0], &[1.0, 1.0], 1.0).is_nan());
        let report =
            TensorReport { name: "x".into(), group: Group::Maps, error: f64::NAN, tolerance: 1.0, problem: None };
        assert!(!report.passed());
    }
}
