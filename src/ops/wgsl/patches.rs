//! Pixels cut into patches on the GPU, and the mean point of every patch.
//! Texts: `shaders/kernels/patches.wgsl`, `patch_means.wgsl`. CPU twins: `ops/patches.rs`.

use super::{Buffer, Kernel, Text, launch, word};

/// Workgroups of 64 along x; beyond, along y.
const ACROSS: usize = 32_768;

/// `[rows * columns, 3 * side * side]` of a map `[rows * side, columns * side, 3]`; `bytes`: of 8-bit values, four to a
/// word, which become -1 to 1.
pub(crate) fn cut(x: &Buffer, [rows, columns]: [usize; 2], side: usize, bytes: bool) -> Buffer {
    let (patches, width) = (rows * columns, 3 * side * side);
    let y = x.beside([patches, width]);
    let groups = (patches * width).div_ceil(64);
    let groups = [groups.min(ACROSS), groups.div_ceil(ACROSS), 1];
    let info = [patches * width, columns, side, ACROSS * 64].map(word);
    launch(cutting(bytes), groups, &[x], &[&y], &info);
    y
}

/// `[rows * columns, 3]`: the mean of each patch of a map `[rows * side, columns * side, 3]`.
pub(crate) fn means(x: &Buffer, [rows, columns]: [usize; 2], side: usize) -> Buffer {
    let patches = rows * columns;
    let y = x.beside([patches, 3]);
    launch(averaging(), [(3 * patches).div_ceil(64), 1, 1], &[x], &[&y], &[patches, columns, side].map(word));
    y
}

fn cutting(bytes: bool) -> Kernel {
    let template = include_str!("../../../shaders/kernels/patches.wgsl");
    let flags = bytes.then_some("IMAGE").into_iter().collect();
    Kernel { name: "patches", text: Text { template, flags, numbers: vec![] }, group: [64, 1, 1] }
}

fn averaging() -> Kernel {
    let template = include_str!("../../../shaders/kernels/patch_means.wgsl");
    Kernel { name: "patch_means", text: Text { template, flags: vec![], numbers: vec![] }, group: [64, 1, 1] }
}

#[cfg(test)]
mod tests {
    use super::super::tests::validate;
    use super::*;

    #[test]
    fn every_text_validates() {
        validate(&cutting(true));
        validate(&cutting(false));
        validate(&averaging());
    }
}
