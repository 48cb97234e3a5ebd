//! The points of formats that want few, evenly thinned.

use crate::cloud::{Cloud, Selection};

/// At most `most` of the wanted points: position and colour. Every frame loses alike.
pub(super) fn thinned(
    cloud: &Cloud,
    wanted: impl Into<Selection>,
    scale: f32,
    most: usize,
) -> Vec<([f32; 3], [u8; 3])> {
    let points = cloud.selected(wanted.into());
    let total = points.clone().count();
    let kept = total.min(most) as u64;
    let total = total.max(1) as u64;
    let keep = |index: u64| (index + 1) * kept / total > index * kept / total;
    let chosen = points.zip(0_u64..).filter(|&(_, index)| keep(index));
    chosen.map(|((_, point), _)| (point.position.map(|v| v * scale), point.color())).collect()
}

#[cfg(test)]
mod tests {
    use super::thinned;
    use crate::cloud::{Chunk, Cloud, PackedPoint};

    #[test]
    fn thinning_keeps_the_number_asked_for_spread_over_all_frames() {
        let mut cloud = Cloud::default();
        for frame in 0..4 {
            let points = (0..250).map(|i| PackedPoint::new([frame as f32, i as f32, 0.0], [0; 3], 1.0)).collect();
            cloud.push(Chunk::new(frame, points));
        }
        let points = thinned(&cloud, 1.0, 2.0, 100);
        assert_eq!(points.len(), 100);
        assert_eq!(points.iter().filter(|(p, _)| p[0] == 6.0).count(), 25);
        assert_eq!(thinned(&cloud, 1.0, 1.0, 5000).len(), 1000);
        assert_eq!(thinned(&cloud, 2.0, 1.0, 5000).len(), 0);
    }
}
