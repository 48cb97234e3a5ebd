//! The update of the pointer memory on the GPU: nearest pointers, threshold, means, ordered append, eviction. Nothing
//! is read back but [`STATUS_WORDS`] words: pose, counts, and whether all numbers are finite.
//! Texts: `shaders/kernels/pointer_*.wgsl`. CPU twin: `memory/host.rs`, `memory/cap.rs`.
//!
//! Every frame writes new buffers instead of changing old ones: a frame that fails leaves the memory as it was, and
//! earlier moments, which share buffers, stay what they were.

use super::{Buffer, Kernel, Text, launch, word};

/// Workgroups of 64 along x; beyond, along y.
const ACROSS: usize = 32_768;
/// Words of a row of `places`: x, y, z, frame of birth, frame of the last hit.
pub(crate) const ROW: usize = 5;
/// Words of the readback: 64 bytes.
pub(crate) const STATUS_WORDS: usize = 16;
/// Fewest rows that buffers have room for; then it doubles.
const LEAST_ROOM: usize = 256;

/// What one frame brings.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patches<'a> {
    /// `[patches, 3]`, world.
    pub(crate) means: &'a Buffer,
    /// `[patches, channels]`, channels a multiple of 4.
    pub(crate) features: &'a Buffer,
    /// `[7]`, passed on to the readback.
    pub(crate) pose: &'a Buffer,
    /// Patches, at least one.
    pub(crate) count: usize,
    /// Channels of a feature.
    pub(crate) channels: usize,
}

/// How patches enter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules {
    /// The diagonal of everything seen, divided by this, is the threshold; `None`: every patch is appended.
    pub(crate) merge_unit: Option<usize>,
    /// The frame's number.
    pub(crate) frame: u32,
    /// A word that no earlier frame had, returned in the status.
    pub(crate) stamp: u32,
    /// Most pointers, where the frame may exceed them.
    pub(crate) cap: Option<Cap>,
}

/// A limit on the pointers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cap {
    /// At most so many, at least one.
    pub(crate) pointers: usize,
    /// Whether those go that were not hit for longest; else those closest to a newer one.
    pub(crate) oldest: bool,
}

/// The memory after a frame, with room for more rows than there are, and what has to be read.
#[derive(Debug)]
pub(crate) struct Updated {
    /// `[room, ROW]`.
    pub(crate) places: Buffer,
    /// `[room, channels]`.
    pub(crate) features: Buffer,
    /// `[patches + 1, 2]`: nearest pointer and distance of every patch (`pointer_match.wgsl`).
    pub(crate) found: Buffer,
    /// `[STATUS_WORDS]`.
    pub(crate) status: Buffer,
}

/// Rows that buffers for `rows` rows have: doubling, so that few sizes occur.
pub(crate) fn room(rows: usize) -> usize {
    rows.max(LEAST_ROOM).next_power_of_two()
}

/// Takes `patches` into `old`: places `[count, ROW]`, features `[count, channels]`, and their number.
pub(crate) fn update(old: Option<(&Buffer, &Buffer, usize)>, patches: Patches<'_>, rules: Rules) -> Updated {
    let Patches { means, features: fresh, pose, count, channels } = patches;
    // Bindings may not be empty, nor the same buffer twice.
    let nothing = || (means.beside([1, ROW]), means.beside([1, channels]));
    let (old_places, old_features, pointers) = match old {
        Some((places, features, pointers)) => (places.clone(), features.clone(), pointers),
        None => {
            let (places, features) = nothing();
            (places, features, 0)
        }
    };
    let rows = pointers + count;

    let found = means.beside([count + 1, 2]);
    #[expect(clippy::cast_precision_loss, reason = "a small divisor")]
    let unit = rules.merge_unit.unwrap_or(1) as f32;
    let info = [word(count), word(pointers), (unit * unit).to_bits(), u32::from(rules.merge_unit.is_some())];
    launch(simple(Step::Match), over(count), &[means, &old_places], &[&found], &info);

    let places = means.beside([room(rows), ROW]);
    let plan = means.beside([2 * rows + count]);
    let status = means.beside([STATUS_WORDS]);
    let info = [word(count), word(pointers), rules.frame, rules.stamp];
    launch(simple(Step::Plan), over(rows), &[&found, means, &old_places, pose], &[&places, &plan, &status], &info);

    let (places, kept) = match rules.cap.filter(|cap| cap.pointers < rows) {
        Some(cap) => {
            let (places, kept) = evict(&places, &status, rows, cap);
            (places, Some((kept, cap.pointers)))
        }
        None => (places, None),
    };
    let made = kept.as_ref().map_or(rows, |(_, rows)| *rows);
    let features = means.beside([room(made), channels]);
    let quads = channels / 4;
    let info = [word(made), word(quads), word(rows), word(ACROSS * 64)];
    let inputs = [&old_features, fresh, &plan].into_iter().chain(kept.as_ref().map(|(kept, _)| kept));
    let kernel = Kernel {
        text: Text { flags: kept.as_ref().map(|_| "EVICTED").into_iter().collect(), ..simple(Step::Features).text },
        ..simple(Step::Features)
    };
    launch(kernel, over(made * quads), &inputs.collect::<Vec<_>>(), &[&features], &info);
    Updated { places, features, found, status }
}

/// The rows that stay, together, and which they were.
fn evict(places: &Buffer, status: &Buffer, rows: usize, cap: Cap) -> (Buffer, Buffer) {
    let (keys, stays) = (places.beside([rows]), places.beside([rows]));
    let (out, kept) = (places.beside([room(cap.pointers), ROW]), places.beside([cap.pointers]));
    let info = [word(rows), word(cap.pointers)];
    launch(ageing(cap.oldest), over(rows), &[places, status], &[&keys], &info);
    launch(simple(Step::Stays), over(rows), &[&keys, status], &[&stays], &info);
    launch(simple(Step::Keep), over(rows), &[places, &stays], &[status, &out, &kept], &info);
    (out, kept)
}

fn over(invocations: usize) -> [usize; 3] {
    let groups = invocations.div_ceil(64);
    [groups.min(ACROSS), groups.div_ceil(ACROSS), 1]
}

/// The kernels of an update, in order.
#[derive(Debug, Clone, Copy)]
enum Step {
    Match,
    Plan,
    Stays,
    Keep,
    Features,
}

fn simple(step: Step) -> Kernel {
    let (name, template) = match step {
        Step::Match => ("pointer_match", include_str!("../../../shaders/kernels/pointer_match.wgsl")),
        Step::Plan => ("pointer_plan", include_str!("../../../shaders/kernels/pointer_plan.wgsl")),
        Step::Stays => ("pointer_stays", include_str!("../../../shaders/kernels/pointer_stays.wgsl")),
        Step::Keep => ("pointer_keep", include_str!("../../../shaders/kernels/pointer_keep.wgsl")),
        Step::Features => ("pointer_features", include_str!("../../../shaders/kernels/pointer_features.wgsl")),
    };
    Kernel { name, text: Text { template, flags: vec![], numbers: vec![] }, group: [64, 1, 1] }
}

fn ageing(oldest: bool) -> Kernel {
    let template = include_str!("../../../shaders/kernels/pointer_keys.wgsl");
    let flags = oldest.then_some("OLDEST").into_iter().collect();
    Kernel { name: "pointer_keys", text: Text { template, flags, numbers: vec![] }, group: [64, 1, 1] }
}

#[cfg(test)]
mod tests {
    use super::super::tests::validate;
    use super::*;

    #[test]
    fn every_text_validates() {
        for step in [Step::Match, Step::Plan, Step::Stays, Step::Keep, Step::Features] {
            validate(&simple(step));
        }
        let mut evicted = simple(Step::Features);
        evicted.text.flags.push("EVICTED");
        validate(&evicted);
        validate(&ageing(true));
        validate(&ageing(false));
    }

    #[test]
    fn room_doubles() {
        assert_eq!([1, 256, 257, 5000].map(room), [256, 256, 512, 8192]);
    }
}
