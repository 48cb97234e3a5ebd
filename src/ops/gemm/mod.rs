//! Matrix products with weights that are laid out once: what the CPU backend spends its time on in wasm.
//!
//! `C[m, n] = A[m, k] B[k, n] + bias[n]`. `B` is cut into panels of 8 columns, `[panel][k][8]`, when the weights are
//! loaded; `A` into tiles of 4 rows, `[tile][k][4]`, for each product. A tile meets a panel in 8 registers of 4
//! lanes. burn's product is the twin (compared in tests).

mod attention;
mod conv;
mod lanes;

pub(crate) use attention::attend;
pub(crate) use conv::Kernels;
use lanes::F4;

/// Rows of a tile.
const ROWS: usize = 4;
/// Columns of a panel.
const COLUMNS: usize = 8;

/// A matrix `[k, n]` in panels.
#[derive(Debug, Clone)]
pub(crate) struct Panels {
    /// `[ceil(n / 8)][k][8]`, zero beyond `n`.
    values: Vec<f32>,
    depth: usize,
    columns: usize,
}

impl Panels {
    /// Lays out `[depth, columns]` given by its elements.
    pub(crate) fn new(depth: usize, columns: usize, element: impl Fn(usize, usize) -> f32) -> Self {
        let mut values = vec![0.0; columns.div_ceil(COLUMNS) * depth * COLUMNS];
        for (panel, values) in values.chunks_mut((depth * COLUMNS).max(1)).enumerate() {
            for (k, row) in values.chunks_mut(COLUMNS).enumerate() {
                for (slot, column) in row.iter_mut().zip(panel * COLUMNS..columns) {
                    *slot = element(k, column);
                }
            }
        }
        Self { values, depth, columns }
    }

    /// Columns of the product.
    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// `C = A B + bias`, row-major, into `out`; `bias` may be empty for none.
    pub(crate) fn multiply(&self, tiles: &Tiles, bias: &[f32], out: &mut [f32]) {
        debug_assert_eq!(tiles.depth, self.depth);
        let (depth, columns) = (self.depth.max(1), self.columns.max(1));
        for (panel, values) in self.values.chunks(depth * COLUMNS).enumerate() {
            let (values, _) = values.as_chunks::<COLUMNS>();
            let first = panel * COLUMNS;
            let width = COLUMNS.min(columns - first);
            let mut start = [0.0; COLUMNS];
            for (slot, bias) in start.iter_mut().zip(bias.iter().skip(first)) {
                *slot = *bias;
            }
            let start = [start; ROWS];
            let rows = out.chunks_mut(columns * ROWS);
            for (tile, rows) in tiles.values.chunks(depth * ROWS).zip(rows) {
                let product = tile_by_panel(tile.as_chunks::<ROWS>().0, values, &start);
                for (row, product) in rows.chunks_mut(columns).zip(&product) {
                    if let Some(slots) = row.get_mut(first..first + width) {
                        for (slot, value) in slots.iter_mut().zip(product) {
                            *slot = *value;
                        }
                    }
                }
            }
        }
    }
}

/// A left factor in tiles.
#[derive(Debug, Clone)]
pub(crate) struct Tiles {
    /// `[ceil(m / 4)][k][4]`, zero beyond `m`.
    values: Vec<f32>,
    depth: usize,
}

impl Tiles {
    /// Lays out rows of `depth` values.
    pub(crate) fn new<'r>(depth: usize, rows: impl ExactSizeIterator<Item = &'r [f32]>) -> Self {
        let mut values = vec![0.0; rows.len().div_ceil(ROWS) * depth * ROWS];
        let mut rows = rows;
        for tile in values.chunks_mut((depth * ROWS).max(1)) {
            let none: &[f32] = &[];
            let [a, b, c, d] = std::array::from_fn(|_| rows.next().unwrap_or(none));
            if [a, b, c, d].iter().all(|row| row.len() == depth) {
                for ((((slots, a), b), c), d) in tile.as_chunks_mut::<ROWS>().0.iter_mut().zip(a).zip(b).zip(c).zip(d) {
                    *slots = [*a, *b, *c, *d];
                }
            } else {
                for (r, row) in [a, b, c, d].into_iter().enumerate() {
                    for (slots, value) in tile.as_chunks_mut::<ROWS>().0.iter_mut().zip(row) {
                        if let Some(slot) = slots.get_mut(r) {
                            *slot = *value;
                        }
                    }
                }
            }
        }
        Self { values, depth }
    }
}

/// The product of one tile and one panel, added to `start`.
#[inline]
fn tile_by_panel(
    tile: &[[f32; ROWS]],
    panel: &[[f32; COLUMNS]],
    start: &[[f32; COLUMNS]; ROWS],
) -> [[f32; COLUMNS]; ROWS] {
    let mut sums = start.each_ref().map(halves);
    for (a, b) in tile.iter().zip(panel) {
        let b = halves(b);
        for (sums, a) in sums.iter_mut().zip(a) {
            let a = F4::splat(*a);
            for (sum, b) in sums.iter_mut().zip(b) {
                *sum = sum.add_product(a, b);
            }
        }
    }
    sums.map(joined)
}

#[inline(always)]
fn halves(row: &[f32; COLUMNS]) -> [F4; 2] {
    match row.as_chunks::<4>().0 {
        [left, right] => [F4::load(left), F4::load(right)],
        _ => [F4::splat(0.0); 2],
    }
}

#[inline(always)]
fn joined([left, right]: [F4; 2]) -> [f32; COLUMNS] {
    let ([a, b, c, d], [e, f, g, h]) = (left.array(), right.array());
    [a, b, c, d, e, f, g, h]
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};

    use super::*;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| (((i + seed) * 7919) % 2003) as f32 / 1000.0 - 1.0).collect()
    }

    #[test]
    fn product_is_the_twin_of_burns_for_any_size() {
        let sizes = [(1, 1, 1), (3, 5, 7), (4, 8, 8), (5, 16, 9), (9, 33, 23), (70, 192, 40), (2, 700, 17)];
        for (rows, depth, columns) in sizes {
            let (a, b, bias) = (values(rows * depth, 1), values(depth * columns, 5), values(columns, 3));
            let panels = Panels::new(depth, columns, |k, n| b[k * columns + n]);
            assert_eq!(panels.columns(), columns);
            let mut found = vec![f32::NAN; rows * columns];
            panels.multiply(&Tiles::new(depth, a.chunks(depth)), &bias, &mut found);
            let tensor = |v: Vec<f32>, shape: [usize; 2]| -> Tensor<2> {
                Tensor::from_data(TensorData::new(v, shape), &Device::flex())
            };
            let product = tensor(a, [rows, depth]).matmul(tensor(b, [depth, columns])) + tensor(bias, [1, columns]);
            let expected = product.into_data().try_into_vec::<f32>().unwrap();
            let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(worst < 2e-6 * depth as f32, "{rows} {depth} {columns}: {worst}");
        }
    }
}
