//! Transforms of glTF nodes: column-major 4x4 matrices, f64.

use super::json::Node;
use crate::geometry::Pose;

/// A node's place in the world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Transform([f64; 16]);

impl Transform {
    pub(super) const IDENTITY: Self =
        Self([1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);

    /// A node's own transform, within its parent.
    pub(super) fn of(node: &Node) -> Self {
        if let Some(matrix) = node.matrix {
            return Self(matrix);
        }
        let ([tx, ty, tz], [x, y, z, w]) =
            (node.translation.unwrap_or_default(), node.rotation.unwrap_or([0.0, 0.0, 0.0, 1.0]));
        let [sx, sy, sz] = node.scale.unwrap_or([1.0; 3]);
        let rows = [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ];
        let column = |i: usize, s: f64| [rows[0][i] * s, rows[1][i] * s, rows[2][i] * s, 0.0];
        let columns = [column(0, sx), column(1, sy), column(2, sz), [tx, ty, tz, 1.0]];
        Self(std::array::from_fn(|i| columns[i / 4][i % 4]))
    }

    /// `self` after `inner`.
    pub(super) fn after(&self, inner: &Self) -> Self {
        let (a, b) = (&self.0, &inner.0);
        Self(std::array::from_fn(|i| (0..4).map(|k| a[i % 4 + 4 * k] * b[k + 4 * (i / 4)]).sum()))
    }

    /// Moves a point; exact where there is nothing to move.
    pub(super) fn point(&self, p: [f32; 3]) -> [f32; 3] {
        if *self == Self::IDENTITY {
            return p;
        }
        let [x, y, z] = p.map(f64::from);
        std::array::from_fn(|r| (self.0[r] * x + self.0[r + 4] * y + self.0[r + 8] * z + self.0[r + 12]) as f32)
    }

    /// The rigid part as a pose, in glTF's axes; `None` where the matrix has none.
    pub(super) fn pose(&self) -> Option<Pose> {
        let m = &self.0;
        let column = |i: usize| {
            let c = [m[4 * i], m[4 * i + 1], m[4 * i + 2]];
            let norm = c.iter().map(|v| v * v).sum::<f64>().sqrt();
            (norm.is_finite() && norm > 1e-9).then(|| c.map(|v| v / norm))
        };
        let (a, b, c) = (column(0)?, column(1)?, column(2)?);
        let quaternion = quaternion([a, b, c]);
        let norm = quaternion.iter().map(|v| v * v).sum::<f64>().sqrt();
        let signed = if quaternion[0] < 0.0 { -norm } else { norm };
        let rotation = quaternion.map(|v| (v / signed) as f32);
        let pose = Pose { translation: [m[12] as f32, m[13] as f32, m[14] as f32], rotation };
        pose.is_finite().then_some(pose)
    }
}

/// (w, x, y, z) of the rotation with columns `c`, from its largest part.
fn quaternion(c: [[f64; 3]; 3]) -> [f64; 4] {
    let m = |row: usize, column: usize| c[column][row];
    let trace = m(0, 0) + m(1, 1) + m(2, 2);
    if trace > 0.0 {
        let s = 2.0 * (trace + 1.0).sqrt();
        return [0.25 * s, (m(2, 1) - m(1, 2)) / s, (m(0, 2) - m(2, 0)) / s, (m(1, 0) - m(0, 1)) / s];
    }
    let i = if m(0, 0) > m(1, 1) && m(0, 0) > m(2, 2) {
        0
    } else if m(1, 1) > m(2, 2) {
        1
    } else {
        2
    };
    let (j, k) = ((i + 1) % 3, (i + 2) % 3);
    let s = 2.0 * (1.0 + m(i, i) - m(j, j) - m(k, k)).max(1e-12).sqrt();
    let mut q = [(m(k, j) - m(j, k)) / s, 0.0, 0.0, 0.0];
    q[1 + i] = 0.25 * s;
    q[1 + j] = (m(j, i) + m(i, j)) / s;
    q[1 + k] = (m(k, i) + m(i, k)) / s;
    q
}
