//! The surface where the distance is zero, by surface nets: one vertex per cell that the surface passes, one
//! quadrilateral per crossed edge. Vertices lie within their cell, so within a voxel of the zero.

use std::collections::HashMap;

use super::{
    Mesh,
    volume::{EDGE, Volume, Voxel, split},
};
use crate::export::{ExportError, Watch};

/// Neighbouring samples that differ by more than this (in truncations) belong to two surfaces back to back.
const JUMP: f32 = 1.2;
/// Connected parts of fewer triangles are dust.
const DUST: usize = 60;
const NO_VERTEX: u32 = u32::MAX;
const CORNERS: [[i32; 3]; 8] = [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 1], [1, 0, 1], [0, 1, 1], [1, 1, 1]];
/// The 12 edges of a cell, as pairs of corners.
const EDGES: [(usize, usize); 12] =
    [(0, 1), (2, 3), (4, 5), (6, 7), (0, 2), (1, 3), (4, 6), (5, 7), (0, 4), (1, 5), (2, 6), (3, 7)];

fn plus(a: [i32; 3], b: [i32; 3]) -> [i32; 3] {
    std::array::from_fn(|i| a[i] + b[i])
}

/// Samples by voxel, remembering the blocks around one place.
struct Around<'a> {
    place: [i32; 3],
    /// The block and its neighbours towards +x, +y, +z; x fastest.
    blocks: [Option<&'a [Voxel]>; 8],
}

impl<'a> Around<'a> {
    fn new(volume: &'a Volume, place: [i32; 3]) -> Self {
        Self { place, blocks: CORNERS.map(|corner| volume.voxels(plus(place, corner))) }
    }

    /// The sample at a voxel of the block or, one further, of a neighbour; `None` where nothing was seen.
    fn get(&self, at: [i32; 3]) -> Option<&'a Voxel> {
        let (place, number) = split(at);
        let [x, y, z] = std::array::from_fn(|i| place[i] - self.place[i]);
        let block = self.blocks.get(usize::try_from(x + 2 * y + 4 * z).ok()?)?.as_ref()?;
        block.get(number).filter(|voxel| voxel.is_seen())
    }
}

/// Extracts the mesh.
pub(super) async fn extract(volume: &Volume, watch: &mut Watch<'_>) -> Result<Mesh, ExportError> {
    let places = volume.places();
    let mut mesh = Mesh { voxel: volume.voxel(), ..Mesh::default() };
    let mut vertices: HashMap<[i32; 3], Box<[u32]>> = HashMap::new();
    for (i, &place) in places.iter().enumerate() {
        if let Some(numbers) = block_vertices(volume, place, &mut mesh) {
            vertices.insert(place, numbers);
        }
        if i % 256 == 0 {
            watch.item(i, 2 * places.len()).await?;
        }
    }
    for (i, &place) in places.iter().enumerate() {
        block_faces(volume, place, &vertices, &mut mesh);
        if i % 256 == 0 {
            watch.item(places.len() + i, 2 * places.len()).await?;
        }
    }
    drop(vertices);
    let mut mesh = without_dust(mesh);
    if mesh.triangles.is_empty() {
        return Err(ExportError::NoSurface);
    }
    mesh.normals = normals(&mesh);
    watch.at(1.0).await?;
    Ok(mesh)
}

fn cells(place: [i32; 3]) -> impl Iterator<Item = [i32; 3]> {
    let corner = place.map(|v| v * EDGE);
    let range = 0..EDGE;
    range.clone().flat_map(move |z| {
        let range = 0..EDGE;
        range.clone().flat_map(move |y| (0..EDGE).map(move |x| plus(corner, [x, y, z])))
    })
}

/// Appends the vertices of a block's cells; their numbers by cell, if there are any.
fn block_vertices(volume: &Volume, place: [i32; 3], mesh: &mut Mesh) -> Option<Box<[u32]>> {
    let around = Around::new(volume, place);
    let mut numbers: Option<Box<[u32]>> = None;
    for (cell, at) in cells(place).enumerate() {
        let Some((position, color)) = vertex(volume, &around, at) else { continue };
        let number = u32::try_from(mesh.positions.len()).ok()?;
        mesh.positions.push(position);
        mesh.colors.push(color);
        let numbers = numbers.get_or_insert_with(|| vec![NO_VERTEX; (EDGE * EDGE * EDGE) as usize].into());
        if let Some(slot) = numbers.get_mut(cell) {
            *slot = number;
        }
    }
    numbers
}

/// The vertex of the cell whose lowest corner is the sample `at`: the mean of where its edges are crossed.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an average of bytes")]
fn vertex(volume: &Volume, around: &Around<'_>, at: [i32; 3]) -> Option<([f32; 3], [u8; 3])> {
    let first = around.get(at)?;
    let mut samples = [first; 8];
    for (sample, corner) in samples.iter_mut().zip(CORNERS) {
        *sample = around.get(plus(at, corner))?;
    }
    let distances = samples.map(Voxel::distance);
    let inside = distances.iter().filter(|d| **d < 0.0).count();
    if inside == 0 || inside == 8 {
        return None;
    }
    let (mut sum, mut color, mut count) = ([0.0; 3], [0.0; 3], 0.0);
    for (a, b) in EDGES {
        let (from, to) = (distances[a], distances[b]);
        if (from < 0.0) == (to < 0.0) || (from - to).abs() > JUMP {
            continue;
        }
        let share = from / (from - to);
        let (ca, cb) = (samples[a].color(), samples[b].color());
        for i in 0..3 {
            sum[i] += CORNERS[a][i] as f32 + share * (CORNERS[b][i] - CORNERS[a][i]) as f32;
            color[i] += ca[i] + share * (cb[i] - ca[i]);
        }
        count += 1.0;
    }
    if count == 0.0 {
        return None;
    }
    let corner = volume.position(at);
    let position = std::array::from_fn(|i| corner[i] + sum[i] / count * volume.voxel());
    Some((position, color.map(|c| (c / count).round() as u8)))
}

/// Appends two triangles for every crossed edge that begins in a block.
fn block_faces(volume: &Volume, place: [i32; 3], vertices: &HashMap<[i32; 3], Box<[u32]>>, mesh: &mut Mesh) {
    let around = Around::new(volume, place);
    let number = |at: [i32; 3]| {
        let (place, cell) = split(at);
        vertices.get(&place).and_then(|numbers| numbers.get(cell)).copied().filter(|&n| n != NO_VERTEX)
    };
    for at in cells(place) {
        let Some(from) = around.get(at).map(Voxel::distance) else { continue };
        for axis in 0..3 {
            let unit = |k: usize| std::array::from_fn::<i32, 3, _>(|i| i32::from(i == (axis + k) % 3));
            let Some(to) = around.get(plus(at, unit(0))).map(Voxel::distance) else { continue };
            if (from < 0.0) == (to < 0.0) || (from - to).abs() > JUMP {
                continue;
            }
            let (b, c) = (unit(1).map(|v| -v), unit(2).map(|v| -v));
            // Around the edge, counter-clockwise seen from its far end.
            let ring = [plus(plus(at, b), c), plus(at, c), at, plus(at, b)].map(number);
            let [Some(p), Some(q), Some(r), Some(s)] = ring else { continue };
            // The far end is where the cameras were if it lies before the surface.
            let [p, q, r, s] = if to >= 0.0 { [p, q, r, s] } else { [s, r, q, p] };
            let length = |a: u32, b: u32| squared(mesh.positions.get(a as usize), mesh.positions.get(b as usize));
            let two = if length(p, r) <= length(q, s) { [[p, q, r], [p, r, s]] } else { [[p, q, s], [q, r, s]] };
            mesh.triangles.extend(two);
        }
    }
}

fn squared(a: Option<&[f32; 3]>, b: Option<&[f32; 3]>) -> f32 {
    a.zip(b).map_or(0.0, |(a, b)| a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum())
}

/// Leaves out connected parts that are too small, unless all are, and vertices that no triangle uses.
fn without_dust(mesh: Mesh) -> Mesh {
    let mut parent: Vec<u32> = (0..mesh.positions.len() as u32).collect();
    fn root(parent: &mut [u32], mut at: u32) -> u32 {
        while let Some(&up) = parent.get(at as usize).filter(|&&up| up != at) {
            let above = parent.get(up as usize).copied().unwrap_or(up);
            if let Some(slot) = parent.get_mut(at as usize) {
                *slot = above;
            }
            at = above;
        }
        at
    }
    for &[a, b, c] in &mesh.triangles {
        for other in [b, c] {
            let (x, y) = (root(&mut parent, a), root(&mut parent, other));
            if let Some(slot) = parent.get_mut(x as usize) {
                *slot = y;
            }
        }
    }
    let mut sizes: HashMap<u32, usize> = HashMap::new();
    for &[a, ..] in &mesh.triangles {
        *sizes.entry(root(&mut parent, a)).or_default() += 1;
    }
    let least = sizes.values().copied().max().unwrap_or(0).min(DUST);
    let mut renumbered = vec![NO_VERTEX; mesh.positions.len()];
    let mut out = Mesh { voxel: mesh.voxel, ..Mesh::default() };
    for triangle in &mesh.triangles {
        if sizes.get(&root(&mut parent, triangle[0])).copied().unwrap_or(0) < least {
            continue;
        }
        let triangle = triangle.map(|vertex| {
            let Some(slot) = renumbered.get_mut(vertex as usize) else { return NO_VERTEX };
            if *slot == NO_VERTEX {
                *slot = out.positions.len() as u32;
                out.positions.extend(mesh.positions.get(vertex as usize));
                out.colors.extend(mesh.colors.get(vertex as usize));
            }
            *slot
        });
        out.triangles.push(triangle);
    }
    out
}

/// Unit normals, the mean of the triangles around each vertex weighted by area.
fn normals(mesh: &Mesh) -> Vec<[f32; 3]> {
    let mut normals = vec![[0.0_f32; 3]; mesh.positions.len()];
    for triangle in &mesh.triangles {
        let [Some(p), Some(q), Some(r)] = triangle.map(|vertex| mesh.positions.get(vertex as usize)) else { continue };
        let [u, v]: [[f32; 3]; 2] = [q, r].map(|end| std::array::from_fn(|i| end[i] - p[i]));
        let face = [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];
        for &vertex in triangle {
            if let Some(normal) = normals.get_mut(vertex as usize) {
                *normal = std::array::from_fn(|i| normal[i] + face[i]);
            }
        }
    }
    for normal in &mut normals {
        let length = normal.iter().map(|v| v * v).sum::<f32>().sqrt();
        *normal = if length > 0.0 { normal.map(|v| v / length) } else { [0.0, 0.0, -1.0] };
    }
    normals
}
