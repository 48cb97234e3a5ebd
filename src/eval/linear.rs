//! The little linear algebra that evaluation needs, in f64: symmetric eigenvectors (Jacobi), the rotation
//! nearest to a matrix, rigid and similarity alignment of point pairs (Umeyama's least squares).

/// A point or direction.
pub type Vec3 = [f64; 3];
/// A row-major 3x3 matrix.
pub type Mat3 = [[f64; 3]; 3];

/// The identity.
pub const IDENTITY: Mat3 = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// `a - b`.
#[must_use]
pub fn sub(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

/// `a + b`.
#[must_use]
pub fn add(a: Vec3, b: Vec3) -> Vec3 {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// The inner product.
#[must_use]
pub fn dot(a: Vec3, b: Vec3) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

/// The length.
#[must_use]
pub fn norm(a: Vec3) -> f64 {
    dot(a, a).sqrt()
}

/// `m v`.
#[must_use]
pub fn apply(m: &Mat3, v: Vec3) -> Vec3 {
    m.map(|row| dot(row, v))
}

/// The transposed matrix.
#[must_use]
pub fn transpose(m: &Mat3) -> Mat3 {
    std::array::from_fn(|i| std::array::from_fn(|j| m[j][i]))
}

/// `a b`.
#[must_use]
pub fn multiply(a: &Mat3, b: &Mat3) -> Mat3 {
    let columns = transpose(b);
    a.map(|row| columns.map(|column| dot(row, column)))
}

/// The determinant.
#[must_use]
pub fn determinant(m: &Mat3) -> f64 {
    m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0])
        + m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0])
}

/// The angle of a rotation, degrees. Exact to rounding near 0 and near 180, where the arc cosine of the trace is not.
#[must_use]
pub fn angle_degrees(r: &Mat3) -> f64 {
    let axis = [r[2][1] - r[1][2], r[0][2] - r[2][0], r[1][0] - r[0][1]];
    let cosine = r[0][0] + r[1][1] + r[2][2] - 1.0;
    norm(axis).atan2(cosine).to_degrees()
}

/// The rotation matrix of a unit quaternion (w, x, y, z).
#[must_use]
pub fn rotation_of([w, x, y, z]: [f64; 4]) -> Mat3 {
    [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ]
}

/// Eigenvalues, rising, and their unit eigenvectors, by cyclic Jacobi rotations.
#[must_use]
pub fn eigen_symmetric<const N: usize>(mut m: [[f64; N]; N]) -> ([f64; N], [[f64; N]; N]) {
    let mut vectors: [[f64; N]; N] = std::array::from_fn(|i| std::array::from_fn(|j| f64::from(u8::from(i == j))));
    for _ in 0..50 {
        let off: f64 = (0..N).flat_map(|i| (0..i).map(move |j| (i, j))).map(|(i, j)| m[i][j] * m[i][j]).sum();
        let diagonal: f64 = (0..N).map(|i| m[i][i] * m[i][i]).sum();
        if off <= 1e-32 * diagonal {
            break;
        }
        for p in 0..N {
            for q in p + 1..N {
                if m[p][q] == 0.0 {
                    continue;
                }
                let theta = (m[q][q] - m[p][p]) / (2.0 * m[p][q]);
                let t = theta.signum() / (theta.abs() + theta.hypot(1.0));
                let c = 1.0 / t.hypot(1.0);
                let s = t * c;
                for row in &mut m {
                    (row[p], row[q]) = (c * row[p] - s * row[q], s * row[p] + c * row[q]);
                }
                for rows in [&mut m, &mut vectors] {
                    let (a, b) = (rows[p], rows[q]);
                    rows[p] = std::array::from_fn(|k| c * a[k] - s * b[k]);
                    rows[q] = std::array::from_fn(|k| s * a[k] + c * b[k]);
                }
            }
        }
    }
    let mut order: [usize; N] = std::array::from_fn(|i| i);
    order.sort_by(|&a, &b| m[a][a].total_cmp(&m[b][b]));
    (order.map(|i| m[i][i]), order.map(|i| vectors[i]))
}

/// The rotation R that maximises trace(R^T m): Horn's quaternion form of the orthogonal Procrustes problem.
/// Never a reflection, and defined for planar data.
#[must_use]
pub fn nearest_rotation(m: &Mat3) -> Mat3 {
    // In Horn's notation S_ab sums source a times target b; m sums target times source.
    let s = |a: usize, b: usize| m[b][a];
    let n = [
        [s(0, 0) + s(1, 1) + s(2, 2), s(1, 2) - s(2, 1), s(2, 0) - s(0, 2), s(0, 1) - s(1, 0)],
        [s(1, 2) - s(2, 1), s(0, 0) - s(1, 1) - s(2, 2), s(0, 1) + s(1, 0), s(2, 0) + s(0, 2)],
        [s(2, 0) - s(0, 2), s(0, 1) + s(1, 0), -s(0, 0) + s(1, 1) - s(2, 2), s(1, 2) + s(2, 1)],
        [s(0, 1) - s(1, 0), s(2, 0) + s(0, 2), s(1, 2) + s(2, 1), -s(0, 0) - s(1, 1) + s(2, 2)],
    ];
    let (_, vectors) = eigen_symmetric(n);
    rotation_of(vectors[3])
}

/// `x -> scale * rotation x + translation`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Similarity {
    /// Scale.
    pub scale: f64,
    /// Rotation.
    pub rotation: Mat3,
    /// Translation, applied last.
    pub translation: Vec3,
}

impl Similarity {
    /// Leaves everything where it is.
    pub const IDENTITY: Self = Self { scale: 1.0, rotation: IDENTITY, translation: [0.0; 3] };

    /// The image of a point.
    #[must_use]
    pub fn apply(&self, point: Vec3) -> Vec3 {
        add(apply(&self.rotation, point).map(|v| v * self.scale), self.translation)
    }

    /// `self` after `inner`.
    #[must_use]
    pub fn after(&self, inner: &Self) -> Self {
        Self {
            scale: self.scale * inner.scale,
            rotation: multiply(&self.rotation, &inner.rotation),
            translation: self.apply(inner.translation),
        }
    }
}

/// The similarity (or, without `scaled`, the rigid motion) that takes `source` closest to `target` in the least
/// squares sense (Umeyama 1991). Pairs beyond the shorter list are ignored. A source without extent is moved to
/// the target's centre with scale 1; `None` without pairs.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of points")]
pub fn umeyama(source: &[Vec3], target: &[Vec3], scaled: bool) -> Option<Similarity> {
    let count = source.len().min(target.len());
    if count == 0 {
        return None;
    }
    let mean =
        |points: &[Vec3]| points.iter().take(count).fold([0.0; 3], |sum, &p| add(sum, p)).map(|v| v / count as f64);
    let (source_mean, target_mean) = (mean(source), mean(target));
    let (mut covariance, mut variance) = ([[0.0; 3]; 3], 0.0);
    for (&x, &y) in source.iter().zip(target) {
        let (x, y) = (sub(x, source_mean), sub(y, target_mean));
        variance += dot(x, x);
        for (row, yi) in covariance.iter_mut().zip(y) {
            for (value, xj) in row.iter_mut().zip(x) {
                *value += yi * xj;
            }
        }
    }
    // Coordinates of the order of the rounding error have no direction.
    let reach = dot(source_mean, source_mean) * count as f64;
    let flat = variance <= 1e-24 * reach.max(1e-300);
    let rotation = if flat { IDENTITY } else { nearest_rotation(&covariance) };
    let explained: f64 = (0..3).map(|i| dot(covariance[i], rotation[i])).sum();
    let scale = if scaled && !flat { explained / variance } else { 1.0 };
    let moved = apply(&rotation, source_mean).map(|v| v * scale);
    Some(Similarity { scale, rotation, translation: sub(target_mean, moved) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(axis: Vec3, degrees: f64) -> Mat3 {
        let length = norm(axis);
        let (s, c) = (degrees.to_radians() / 2.0).sin_cos();
        rotation_of([c, axis[0] / length * s, axis[1] / length * s, axis[2] / length * s])
    }

    #[test]
    fn eigenvectors_of_a_known_matrix_come_out() {
        let (values, vectors) = eigen_symmetric([[2.0, 1.0, 0.0], [1.0, 2.0, 0.0], [0.0, 0.0, 5.0]]);
        for (value, expected) in values.iter().zip([1.0, 3.0, 5.0]) {
            assert!((value - expected).abs() < 1e-12);
        }
        assert!((vectors[0][0] + vectors[0][1]).abs() < 1e-12 && (vectors[2][2].abs() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn angles_are_exact_at_both_ends() {
        for degrees in [0.0, 1e-7, 0.5, 90.0, 179.9999, 180.0] {
            assert!((angle_degrees(&turn([1.0, -2.0, 0.3], degrees)) - degrees).abs() < 1e-9, "{degrees}");
        }
    }

    #[test]
    fn a_known_similarity_is_recovered_even_from_planar_points() {
        let truth = Similarity { scale: 2.5, rotation: turn([0.2, 1.0, -0.4], 131.0), translation: [3.0, -1.0, 0.25] };
        for flatten in [1.0, 0.0] {
            let source: Vec<Vec3> = (0..20_i32)
                .map(|i| [f64::from(i).sin(), (f64::from(i) * 1.7).cos(), flatten * f64::from(i % 7)])
                .collect();
            let target: Vec<Vec3> = source.iter().map(|&p| truth.apply(p)).collect();
            let found = umeyama(&source, &target, true).unwrap();
            assert!((found.scale - 2.5).abs() < 1e-9);
            for &p in &source {
                assert!(norm(sub(found.apply(p), truth.apply(p))) < 1e-9);
            }
        }
    }

    #[test]
    fn mirrored_points_are_never_matched_by_a_reflection() {
        let source: Vec<Vec3> =
            (0..9_i32).map(|i| [f64::from(i % 3), f64::from(i / 3), f64::from(i * i % 5)]).collect();
        let target: Vec<Vec3> = source.iter().map(|&[x, y, z]| [-x, y, z]).collect();
        let found = umeyama(&source, &target, false).unwrap();
        assert!((determinant(&found.rotation) - 1.0).abs() < 1e-9 && (found.scale - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_source_without_extent_goes_to_the_middle() {
        let found = umeyama(&[[1.0, 2.0, 3.0]; 3], &[[0.0; 3], [1.0; 3], [2.0; 3]], true).unwrap();
        assert!(norm(sub(found.apply([1.0, 2.0, 3.0]), [1.0; 3])) < 1e-12);
        assert_eq!(umeyama(&[], &[], true), None);
    }
}
