//! Bounding volume hierarchy over solids, traversed by packets of eight rays.

use super::math::{V3, splat, v3};
use super::shape::{FAR, LANES, NONE, Packet, Prim};

#[derive(Debug, Clone, Copy)]
pub(super) struct Node {
    pub(super) lo: V3,
    pub(super) hi: V3,
    /// Leaf: first solid. Inner: first of two adjacent children.
    pub(super) first: u32,
    /// Solids of a leaf; 0 for an inner node.
    pub(super) count: u16,
    pub(super) axis: u16,
}

/// The hierarchy; solid `i` of `prims` has the identity `offset + i`.
#[derive(Debug, Clone)]
pub(super) struct Bvh {
    pub(super) nodes: Vec<Node>,
    pub(super) prims: Vec<Prim>,
    offset: u32,
}

const LEAF: usize = 3;
const BINS: usize = 12;

impl Bvh {
    /// Builds the hierarchy; solids are reordered.
    pub(super) fn new(prims: Vec<Prim>, offset: u32) -> Self {
        let bounds: Vec<(V3, V3)> = prims.iter().map(Prim::bounds).collect();
        let mut order: Vec<u32> = (0..prims.len() as u32).collect();
        let mut nodes = vec![Node { lo: V3::ZERO, hi: V3::ZERO, first: 0, count: 0, axis: 0 }];
        if !prims.is_empty() {
            build(&mut nodes, 0, &mut order, 0, &bounds);
        }
        let sorted = order.iter().map(|&i| prims[i as usize]).collect();
        Self { nodes, prims: sorted, offset }
    }

    /// Nearest hits.
    pub(super) fn trace(&self, rays: &mut Packet) {
        self.dispatch(rays, false);
    }

    /// Marks rays blocked before their reach by setting their `t` to -1. Lanes with negative `t` are ignored.
    pub(super) fn occlude(&self, rays: &mut Packet) {
        self.dispatch(rays, true);
    }

    fn dispatch(&self, rays: &mut Packet, shadow: bool) {
        if self.prims.is_empty() {
            return;
        }
        #[cfg(target_arch = "x86_64")]
        if std::arch::is_x86_feature_detected!("avx2") {
            // SAFETY: the processor has AVX2, as just asked.
            unsafe { self.traverse_avx2(rays, shadow) };
            return;
        }
        self.traverse(rays, shadow);
    }

    /// The same code compiled for AVX2; without fused multiply-add the bits are those of the baseline.
    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn traverse_avx2(&self, rays: &mut Packet, shadow: bool) {
        if shadow {
            self.traverse(rays, true);
        } else {
            self.traverse(rays, false);
        }
    }

    #[inline(always)]
    fn traverse(&self, rays: &mut Packet, shadow: bool) {
        let forward = [rays.d[0][0] > 0.0, rays.d[1][0] > 0.0, rays.d[2][0] > 0.0];
        let mut stack = [0u32; 64];
        let mut depth = 1;
        while depth > 0 {
            depth -= 1;
            let node = &self.nodes[stack[depth] as usize];
            if !reaches(node, rays) {
                continue;
            }
            if node.count == 0 {
                let far_second = u32::from(forward[node.axis as usize]);
                if depth + 2 <= stack.len() {
                    stack[depth] = node.first + far_second;
                    stack[depth + 1] = node.first + (1 - far_second);
                    depth += 2;
                }
                continue;
            }
            for i in node.first..node.first + u32::from(node.count) {
                let prim = &self.prims[i as usize];
                if shadow {
                    if prim.casts_shadow {
                        prim.intersect(i + self.offset, rays);
                    }
                } else {
                    prim.intersect(i + self.offset, rays);
                }
            }
            if shadow {
                let mut open = 0u32;
                for k in 0..LANES {
                    rays.t[k] = if rays.id[k] == NONE { rays.t[k] } else { -1.0 };
                    open |= u32::from(rays.t[k] > 0.0);
                }
                if open == 0 {
                    return;
                }
            }
        }
    }

    /// True if no (boxed) solid is within `margin` of the point.
    pub(super) fn clear(&self, p: V3, margin: f32) -> bool {
        if self.prims.is_empty() {
            return true;
        }
        let m = splat(margin);
        let mut stack = vec![0u32];
        while let Some(i) = stack.pop() {
            let node = &self.nodes[i as usize];
            let (lo, hi) = (node.lo - m, node.hi + m);
            if p.x < lo.x || p.y < lo.y || p.z < lo.z || p.x > hi.x || p.y > hi.y || p.z > hi.z {
                continue;
            }
            if node.count == 0 {
                stack.extend([node.first, node.first + 1]);
            } else {
                let leaf = &self.prims[node.first as usize..node.first as usize + node.count as usize];
                if leaf.iter().any(|s| s.distance(p) < margin) {
                    return false;
                }
            }
        }
        true
    }
}

#[inline(always)]
fn reaches(node: &Node, rays: &Packet) -> bool {
    let lo = [node.lo.x, node.lo.y, node.lo.z];
    let hi = [node.hi.x, node.hi.y, node.hi.z];
    let mut any = 0u32;
    for i in 0..LANES {
        let mut near = 0.0f32;
        let mut far = rays.t[i];
        for k in 0..3 {
            let a = (lo[k] - rays.o[k][i]) * rays.inv[k][i];
            let b = (hi[k] - rays.o[k][i]) * rays.inv[k][i];
            let (s, l) = if a < b { (a, b) } else { (b, a) };
            near = if s > near { s } else { near };
            far = if l < far { l } else { far };
        }
        any |= u32::from(near <= far);
    }
    any != 0
}

fn build(nodes: &mut Vec<Node>, at: usize, order: &mut [u32], base: u32, bounds: &[(V3, V3)]) {
    let mut lo = splat(FAR);
    let mut hi = splat(-FAR);
    let mut centre_lo = lo;
    let mut centre_hi = hi;
    for &i in order.iter() {
        let (a, b) = bounds[i as usize];
        lo = lo.min(a);
        hi = hi.max(b);
        centre_lo = centre_lo.min((a + b) * 0.5);
        centre_hi = centre_hi.max((a + b) * 0.5);
    }
    let (axis, split) = if order.len() > LEAF { best_split(order, bounds, centre_lo, centre_hi) } else { (0, 0) };
    if split == 0 {
        nodes[at] = Node { lo, hi, first: base, count: order.len() as u16, axis: 0 };
        return;
    }
    let first = nodes.len();
    let blank = Node { lo, hi, first: 0, count: 0, axis: 0 };
    nodes.extend([blank, blank]);
    nodes[at] = Node { lo, hi, first: first as u32, count: 0, axis: axis as u16 };
    let (left, right) = order.split_at_mut(split);
    build(nodes, first, left, base, bounds);
    build(nodes, first + 1, right, base + split as u32, bounds);
}

/// Partitions `order` by the surface area heuristic over bins and returns the axis and the left count.
fn best_split(order: &mut [u32], bounds: &[(V3, V3)], lo: V3, hi: V3) -> (usize, usize) {
    let centre = |i: u32, k: usize| {
        let (a, b) = bounds[i as usize];
        0.5 * (a.axis(k) + b.axis(k))
    };
    let area = |a: V3, b: V3| {
        let d = (b - a).max(V3::ZERO);
        d.x * d.y + d.y * d.z + d.z * d.x
    };
    let mut best = (FAR, 0, 0);
    for k in 0..3 {
        let width = hi.axis(k) - lo.axis(k);
        if width < 1e-5 {
            continue;
        }
        let bin = |i: u32| (((centre(i, k) - lo.axis(k)) / width * BINS as f32) as usize).min(BINS - 1);
        let mut boxes = [(v3(FAR, FAR, FAR), v3(-FAR, -FAR, -FAR), 0usize); BINS];
        for &i in order.iter() {
            let slot = &mut boxes[bin(i)];
            let (a, b) = bounds[i as usize];
            *slot = (slot.0.min(a), slot.1.max(b), slot.2 + 1);
        }
        for cut in 1..BINS {
            let side = |part: &[(V3, V3, usize)]| {
                part.iter().fold((splat(FAR), splat(-FAR), 0), |s, b| (s.0.min(b.0), s.1.max(b.1), s.2 + b.2))
            };
            let (l, r) = (side(&boxes[..cut]), side(&boxes[cut..]));
            if l.2 == 0 || r.2 == 0 {
                continue;
            }
            let cost = area(l.0, l.1) * l.2 as f32 + area(r.0, r.1) * r.2 as f32;
            if cost < best.0 {
                best = (cost, k, cut);
            }
        }
    }
    let (cost, k, cut) = best;
    if cost >= FAR {
        // All centres coincide: halves keep leaves small.
        return (0, order.len() / 2);
    }
    let width = hi.axis(k) - lo.axis(k);
    let bin = |i: u32| (((centre(i, k) - lo.axis(k)) / width * BINS as f32) as usize).min(BINS - 1);
    order.sort_by_key(|&i| bin(i));
    (k, order.iter().filter(|&&i| bin(i) < cut).count())
}

#[cfg(test)]
mod tests {
    use super::super::math::{Axes, Rng};
    use super::super::shape::Shape;
    use super::*;

    fn scene(r: &mut Rng, n: usize) -> Vec<Prim> {
        (0..n)
            .map(|i| {
                let axes = if r.chance(0.5) { Axes::IDENTITY } else { Axes::random(r) };
                Prim {
                    shape: [Shape::Block, Shape::Ellipsoid, Shape::Frustum][i % 3],
                    centre: v3(r.range(-5.0, 5.0), r.range(-5.0, 5.0), r.range(-5.0, 5.0)),
                    half: v3(r.range(0.02, 0.5), r.range(0.02, 0.5), r.range(0.02, 0.5)),
                    axes,
                    aligned: axes == Axes::IDENTITY,
                    world_uv: false,
                    casts_shadow: true,
                    material: 0,
                }
            })
            .collect()
    }

    #[test]
    fn hierarchy_finds_the_same_hits_as_trying_every_solid_and_both_instruction_sets_agree() {
        let mut r = Rng::new(11);
        let bvh = Bvh::new(scene(&mut r, 300), 0);
        for _ in 0..300 {
            let mut rays = Packet::new();
            for lane in 0..LANES {
                let o = v3(r.range(-8.0, 8.0), r.range(-8.0, 8.0), r.range(-8.0, 8.0));
                rays.set(lane, o, v3(r.normal(), r.normal(), r.normal()), 9.0);
            }
            let (mut brute, mut plain, mut shadow) = (rays.clone(), rays.clone(), rays.clone());
            for (i, p) in bvh.prims.iter().enumerate() {
                p.intersect(i as u32, &mut brute);
            }
            bvh.trace(&mut rays);
            bvh.traverse(&mut plain, false);
            bvh.occlude(&mut shadow);
            assert_eq!(rays.id, brute.id);
            assert_eq!(rays.t, brute.t);
            assert_eq!(plain.id, rays.id);
            assert_eq!(plain.t.map(f32::to_bits), rays.t.map(f32::to_bits));
            for k in 0..LANES {
                assert_eq!(shadow.t[k] < 0.0, rays.id[k] != NONE);
            }
        }
    }
}
