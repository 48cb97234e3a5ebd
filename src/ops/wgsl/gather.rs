//! Rows of the pointer memory on the GPU: kept ones, and means of new ones, in one pass.
//! Text: `shaders/kernels/gather_mean.wgsl`. CPU twin: `Plan::features` on the CPU (`memory.rs`).

use super::{Buffer, Kernel, Text, launch, word};

/// Workgroups of 64 along x; the shader knows the number.
const ACROSS: usize = 32_768;

/// `rows` rows of `channels` (a multiple of 4), each a row of `old` or a mean of rows of `fresh`, as `plan` says:
/// `[rows, 2]` words (row, 0) or (place of the first item in the plan, count), then items.
pub(crate) fn gather_mean(old: &Buffer, fresh: &Buffer, plan: &Buffer, [rows, channels]: [usize; 2]) -> Buffer {
    let y = old.beside([rows, channels]);
    let groups = (rows * channels / 4).div_ceil(64);
    let groups = [groups.min(ACROSS), groups.div_ceil(ACROSS), 1];
    launch(gathering(), groups, &[old, fresh, plan], &[&y], &[word(rows), word(channels / 4)]);
    y
}

fn gathering() -> Kernel {
    let template = include_str!("../../../shaders/kernels/gather_mean.wgsl");
    Kernel { name: "gather_mean", text: Text { template, flags: vec![], numbers: vec![] }, group: [64, 1, 1] }
}

#[cfg(test)]
mod tests {
    use super::super::tests::validate;

    #[test]
    fn every_text_validates() {
        validate(&super::gathering());
    }
}
