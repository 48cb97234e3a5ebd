//! Nearest neighbours in a fixed set of 3-D points: a k-d tree split at medians along the widest side.

use super::linear::Vec3;

const LEAF: usize = 12;

#[derive(Debug)]
enum Node {
    /// Points `from..to`.
    Leaf { from: usize, to: usize },
    /// Points with `axis` coordinate at most `at` are in the next node, the others in node `right`.
    Split { axis: usize, at: f64, right: usize },
}

/// A search structure over points. Points must be finite.
#[derive(Debug)]
pub struct KdTree {
    points: Vec<(Vec3, usize)>,
    nodes: Vec<Node>,
}

/// A point found by a search.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Neighbour {
    /// Its index in the set.
    pub index: usize,
    /// Squared distance.
    pub squared: f64,
}

impl KdTree {
    /// Builds the tree.
    #[must_use]
    pub fn new(points: &[Vec3]) -> Self {
        let mut tree =
            Self { points: points.iter().copied().enumerate().map(|(i, p)| (p, i)).collect(), nodes: Vec::new() };
        let mut points = std::mem::take(&mut tree.points);
        tree.build(&mut points, 0);
        tree.points = points;
        tree
    }

    fn build(&mut self, points: &mut [(Vec3, usize)], from: usize) {
        let number = self.nodes.len();
        self.nodes.push(Node::Leaf { from, to: from + points.len() });
        if points.len() <= LEAF {
            return;
        }
        let (mut low, mut high) = ([f64::INFINITY; 3], [f64::NEG_INFINITY; 3]);
        for (point, _) in points.iter() {
            for ((low, high), v) in low.iter_mut().zip(&mut high).zip(point) {
                (*low, *high) = (low.min(*v), high.max(*v));
            }
        }
        let mut axis = 0;
        for k in 1..3 {
            if high[k] - low[k] > high[axis] - low[axis] {
                axis = k;
            }
        }
        let middle = points.len() / 2;
        let (left, &mut (at, _), _) = points.select_nth_unstable_by(middle, |a, b| a.0[axis].total_cmp(&b.0[axis]));
        let left_count = left.len() + 1;
        let (left, right) = points.split_at_mut(left_count);
        self.build(left, from);
        let next = self.nodes.len();
        if let Some(node) = self.nodes.get_mut(number) {
            *node = Node::Split { axis, at: at[axis], right: next };
        }
        self.build(right, from + left_count);
    }

    /// The nearest point, if there is any.
    #[must_use]
    pub fn nearest(&self, query: Vec3) -> Option<Neighbour> {
        self.nearest_within(query, f64::INFINITY)
    }

    /// The nearest point whose squared distance is below `squared`, if there is any.
    #[must_use]
    pub fn nearest_within(&self, query: Vec3, squared: f64) -> Option<Neighbour> {
        let mut best = None;
        let mut limit = squared;
        self.descend(0, query, &mut limit, &mut |found, limit| {
            *limit = found.squared;
            best = Some(found);
        });
        best
    }

    /// The nearest `count` points, nearest first, into `found`.
    pub fn nearest_many(&self, query: Vec3, count: usize, found: &mut Vec<Neighbour>) {
        found.clear();
        if count == 0 {
            return;
        }
        let mut limit = f64::INFINITY;
        self.descend(0, query, &mut limit, &mut |new, limit| {
            let place = found.partition_point(|old| old.squared <= new.squared);
            if place < count {
                found.truncate(count - 1);
                found.insert(place, new);
                if let (true, Some(last)) = (found.len() == count, found.last()) {
                    *limit = last.squared;
                }
            }
        });
    }

    fn descend(&self, node: usize, query: Vec3, limit: &mut f64, found: &mut impl FnMut(Neighbour, &mut f64)) {
        match self.nodes.get(node) {
            None => {}
            Some(&Node::Leaf { from, to }) => {
                for &(point, index) in self.points.get(from..to).unwrap_or_default() {
                    let [x, y, z] = [point[0] - query[0], point[1] - query[1], point[2] - query[2]];
                    let squared = x * x + y * y + z * z;
                    if squared < *limit {
                        found(Neighbour { index, squared }, limit);
                    }
                }
            }
            Some(&Node::Split { axis, at, right }) => {
                let away = query[axis] - at;
                let (near, far) = if away <= 0.0 { (node + 1, right) } else { (right, node + 1) };
                self.descend(near, query, limit, found);
                if away * away < *limit {
                    self.descend(far, query, limit, found);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cloud(count: usize, seed: u32) -> Vec<Vec3> {
        let mut state = seed;
        let mut random = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(state >> 8) / f64::from(1 << 24)
        };
        // Coarse steps: many equal coordinates and some equal points.
        (0..count).map(|_| [0; 3].map(|_| (random() * 12.0).floor() / 4.0)).collect()
    }

    #[test]
    fn searches_agree_with_trying_every_point() {
        for (count, seed) in [(1, 1), (12, 2), (13, 3), (700, 4)] {
            let points = cloud(count, seed);
            let tree = KdTree::new(&points);
            let mut found = Vec::new();
            for query in cloud(60, seed + 100) {
                let query = query.map(|v| v * 1.3 - 0.2);
                let distance = |p: &Vec3| p.iter().zip(query).map(|(a, b)| (a - b) * (a - b)).sum::<f64>();
                let mut all: Vec<f64> = points.iter().map(distance).collect();
                all.sort_by(f64::total_cmp);
                assert_eq!(tree.nearest(query).unwrap().squared, all[0]);
                assert_eq!(tree.nearest_within(query, 0.02).map(|n| n.squared), (all[0] < 0.02).then_some(all[0]));
                tree.nearest_many(query, 9, &mut found);
                let squares: Vec<f64> = found.iter().map(|n| n.squared).collect();
                assert_eq!(squares, all[..all.len().min(9)], "{count} points, seed {seed}");
                assert!(found.iter().all(|n| distance(&points[n.index]) == n.squared));
            }
        }
        assert_eq!(KdTree::new(&[]).nearest([0.0; 3]), None);
    }
}
