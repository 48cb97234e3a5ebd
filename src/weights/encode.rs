//! Values to stored bytes, and what the rounding costs.

use half::f16;

use super::bytes;
use super::manifest::Storage;
use crate::quant::quantise;

/// Squares that add up: the error of stored weights relative to the exact ones.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rounding {
    /// Sum of squared differences.
    pub squared_error: f64,
    /// Sum of squared values.
    pub squared: f64,
}

impl Rounding {
    fn between(exact: &[f32], stored: &[f32]) -> Self {
        let mut sums = Self::default();
        for (a, b) in exact.iter().zip(stored) {
            let (a, b) = (f64::from(*a), f64::from(*b));
            sums.squared_error += (a - b) * (a - b);
            sums.squared += a * a;
        }
        sums
    }

    /// Both together.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self { squared_error: self.squared_error + other.squared_error, squared: self.squared + other.squared }
    }

    /// Relative L2 error; 0 for a tensor of zeros.
    #[must_use]
    pub fn relative(self) -> f64 {
        if self.squared > 0.0 { (self.squared_error / self.squared).sqrt() } else { 0.0 }
    }
}

/// A tensor as it is stored.
pub(super) struct Encoded {
    pub(super) values: Vec<u8>,
    /// Empty unless packed.
    pub(super) scales: Vec<u8>,
    pub(super) rounding: Rounding,
}

/// Encodes a tensor whose rows have `columns` values.
pub(super) fn encode(storage: Storage, columns: usize, values: &[f32]) -> Encoded {
    let Some(bits) = storage.bits() else {
        let stored: Vec<u8> = match storage {
            Storage::F16 => values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect(),
            _ => values.iter().flat_map(|v| v.to_le_bytes()).collect(),
        };
        let rounding = match storage {
            Storage::F16 => Rounding::between(values, &bytes::from_f16(&stored)),
            _ => Rounding::between(values, values),
        };
        return Encoded { values: stored, scales: Vec::new(), rounding };
    };
    let packed = quantise(values, columns, bits);
    let rounding = Rounding::between(values, &packed.dequantise());
    Encoded {
        values: packed.words.iter().flat_map(|word| word.to_le_bytes()).collect(),
        scales: packed.scales.iter().flat_map(|scale| scale.to_le_bytes()).collect(),
        rounding,
    }
}
