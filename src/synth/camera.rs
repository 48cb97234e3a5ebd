//! Hand-held camera paths that keep clear of geometry and keep overlap between neighbouring frames.

use super::furniture;
use super::math::{Rng, V3, atan2, ln, sin_cos, v3};
use super::shape::{FAR, LANES, NONE, Packet, Prim, Shape};
use super::world::{Builder, Group, Mover, World};

/// Least distance from the camera to the (boxed) solids, metres.
pub(super) const CLEARANCE: f32 = 0.12;
/// Least share of a coarse grid of a frame's points that the frame before must see, and the other way round.
pub(super) const LEAST_OVERLAP: f32 = 0.45;
/// Depth beyond which nothing is written, metres.
pub(super) const FARTHEST: f32 = 65.0;

/// Pinhole lens. Pixel centres are whole numbers; the principal point is the image centre.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lens {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) focal: f32,
}

impl Lens {
    /// Draws a focal length for a horizontal field of view of 45 to 80 degrees.
    pub(super) fn random(r: &mut Rng, width: usize, height: usize) -> Self {
        // A phone held upright keeps its lens: its narrow side is the horizontal one.
        let widest = if height > width { 62.0 } else { 80.0 };
        let fov = r.range(45.0, widest).to_radians();
        let (s, c) = sin_cos(0.5 * fov);
        Self { width, height, focal: 0.5 * width as f32 * c / s }
    }
    pub(super) fn centre(&self) -> (f32, f32) {
        (0.5 * (self.width as f32 - 1.0), 0.5 * (self.height as f32 - 1.0))
    }
}

/// A camera with OpenCV axes in world coordinates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Camera {
    pub(super) position: V3,
    pub(super) right: V3,
    pub(super) down: V3,
    pub(super) forward: V3,
}

impl Camera {
    /// Ray through an image position, with unit z in the camera frame.
    #[inline(always)]
    pub(super) fn ray(&self, lens: &Lens, x: f32, y: f32) -> V3 {
        let (cx, cy) = lens.centre();
        self.forward + self.right * ((x - cx) / lens.focal) + self.down * ((y - cy) / lens.focal)
    }
    /// Image position and depth of a world point.
    #[inline(always)]
    pub(super) fn project(&self, lens: &Lens, p: V3) -> (f32, f32, f32) {
        let d = p - self.position;
        let z = d.dot(self.forward);
        let (cx, cy) = lens.centre();
        let iz = lens.focal / z.max(1e-4);
        (d.dot(self.right) * iz + cx, d.dot(self.down) * iz + cy, z)
    }
    /// Camera-to-world matrix, row-major.
    pub(super) fn matrix(&self) -> [f32; 16] {
        let (a, b, c, t) = (self.right, self.down, self.forward, self.position);
        [a.x, b.x, c.x, t.x, a.y, b.y, c.y, t.y, a.z, b.z, c.z, t.z, 0.0, 0.0, 0.0, 1.0]
    }
}

/// Position and Euler angles; yaw 0 looks along +z, positive pitch looks up.
#[derive(Debug, Clone, Copy)]
struct Stance {
    p: V3,
    yaw: f32,
    pitch: f32,
    roll: f32,
}

impl Stance {
    fn camera(&self) -> Camera {
        let (sy, cy) = sin_cos(self.yaw);
        let (sp, cp) = sin_cos(self.pitch);
        let (sr, cr) = sin_cos(self.roll);
        let forward = v3(sy * cp, sp, cy * cp).unit();
        let right = forward.cross(v3(0.0, 1.0, 0.0)).unit();
        let down = forward.cross(right);
        Camera { position: self.p, right: right * cr + down * sr, down: down * cr - right * sr, forward }
    }
    fn towards(&self, o: &Self, share: f32) -> Self {
        let f = |a: f32, b: f32| a + (b - a) * share;
        Self {
            p: self.p.mix(o.p, share),
            yaw: f(self.yaw, o.yaw),
            pitch: f(self.pitch, o.pitch),
            roll: f(self.roll, o.roll),
        }
    }
}

/// A coarse look through a camera.
struct View {
    points: Vec<V3>,
    rays: usize,
    near: usize,
    /// Rays that hit something within the world's own range (not the view through a window).
    within: usize,
    /// Spread of log depth plus number of things: how much there is to see.
    interest: f32,
}

fn view(world: &World, lens: &Lens, camera: &Camera) -> View {
    const GRID: [usize; 2] = [8, 6];
    let mut v = View { points: Vec::with_capacity(48), rays: GRID[0] * GRID[1], near: 0, within: 0, interest: 0.0 };
    let mut solids: Vec<u32> = Vec::new();
    let (mut s1, mut s2) = (0.0, 0.0);
    for row in 0..GRID[1] {
        let mut rays = Packet::new();
        let y = (row as f32 + 0.5) / GRID[1] as f32 * lens.height as f32 - 0.5;
        let at = |i: usize| camera.ray(lens, (i as f32 + 0.5) / GRID[0] as f32 * lens.width as f32 - 0.5, y);
        for i in 0..LANES {
            rays.set(i, camera.position, at(i), FAR);
        }
        world.solids.trace(&mut rays);
        for i in 0..LANES {
            if rays.id[i] == NONE || rays.t[i] >= FARTHEST {
                continue;
            }
            let point = camera.position + at(i) * rays.t[i];
            v.points.push(point);
            v.near += usize::from(rays.t[i] < 0.3);
            if rays.t[i] >= world.range || !world.is_inside(point) {
                continue;
            }
            v.within += 1;
            let structure = world.solids.prims.get(rays.id[i] as usize).is_some_and(|p| p.world_uv);
            if !structure && !solids.contains(&rays.id[i]) {
                solids.push(rays.id[i]);
            }
            let l = ln(rays.t[i]);
            s1 += l;
            s2 += l * l;
        }
    }
    let n = v.within.max(1) as f32;
    v.interest = (s2 / n - s1 * s1 / (n * n)).max(0.0).sqrt() + 0.06 * solids.len() as f32;
    v
}

impl View {
    /// Mostly the world itself, and not a surface right before the lens.
    fn is_sound(&self, world: &World) -> bool {
        self.within as f32 >= world.least_within * self.rays as f32 && self.near * 5 <= self.rays
    }
    /// Not a bare wall.
    fn is_varied(&self) -> bool {
        self.interest > 0.4
    }
}

/// Share of points that a camera sees.
fn seen_by(world: &World, lens: &Lens, points: &[V3], camera: &Camera) -> f32 {
    let inside: Vec<V3> = points
        .iter()
        .copied()
        .filter(|&p| {
            let (x, y, z) = camera.project(lens, p);
            z > 0.05 && x > 0.0 && y > 0.0 && x < lens.width as f32 - 1.0 && y < lens.height as f32 - 1.0
        })
        .collect();
    let mut seen = 0;
    for part in inside.chunks(LANES) {
        seen += world.visible(camera.position, part).iter().take(part.len()).filter(|v| **v).count();
    }
    seen as f32 / points.len().max(1) as f32
}

/// A first stance with something to see, or none if the world is too crowded.
fn start(world: &World, lens: &Lens, r: &mut Rng) -> Option<Stance> {
    let total: f32 = world.areas.iter().map(super::world::Area::size).sum();
    let eye = if r.chance(0.75) { r.range(1.15, 1.75) } else { r.range(world.heights[0], world.heights[1]) };
    let eye = eye.clamp(world.heights[0], world.heights[1]);
    let tilt = if r.chance(0.8) { r.range(-0.45, 0.05) } else { r.range(-0.8, 0.35) };
    let wanted = r.int(2, 10);
    let mut best: Option<(f32, Stance)> = None;
    let mut found = 0;
    for _ in 0..240 {
        let mut pick = r.unit() * total;
        let mut area = world.areas.first()?;
        for a in &world.areas {
            area = a;
            pick -= a.size();
            if pick < 0.0 {
                break;
            }
        }
        let mut s = Stance {
            p: v3(r.range(area.x[0], area.x[1]), eye, r.range(area.z[0], area.z[1])),
            yaw: 0.0,
            pitch: tilt,
            roll: 0.0,
        };
        s.yaw = r.range(-std::f32::consts::PI, std::f32::consts::PI);
        if let Some(f) = world.focus {
            let d = r.range(world.focus_distance[0], world.focus_distance[1]);
            let (sin, cos) = sin_cos(s.yaw);
            s.p = v3(f.x - sin * d, f.y + d * r.range(0.2, 0.8), f.z - cos * d);
            s.pitch = -atan2(s.p.y - f.y, d);
            s.p.y = s.p.y.min(world.heights[1]);
        }
        if !world.is_free(s.p, CLEARANCE + 0.15) {
            continue;
        }
        let v = view(world, lens, &s.camera());
        if !v.is_sound(world) || v.interest < 0.6 {
            continue;
        }
        found += 1;
        if best.is_none_or(|(score, _)| v.interest > score) {
            best = Some((v.interest, s));
        }
        if found >= wanted {
            break;
        }
    }
    best.map(|(_, s)| s)
}

/// Puts a moving thing in front of the first camera, if there is room for one of a few. Returns the block it sweeps.
fn add_mover(world: &mut World, lens: &Lens, first: &Stance, r: &mut Rng) -> Option<Prim> {
    (0..6).find_map(|_| {
        let mut b = Builder { materials: std::mem::take(&mut world.materials), ..Builder::default() };
        let group = furniture::moving(&mut b, r, world.open);
        world.materials = b.materials;
        place_mover(world, lens, first, group, r)
    })
}

fn place_mover(world: &mut World, lens: &Lens, first: &Stance, group: Group, r: &mut Rng) -> Option<Prim> {
    let outdoor = world.open;
    let (lo, hi) = group.bounds();
    let radius = hi.x.max(hi.z).max(-lo.x).max(-lo.z);
    let ball = radius.min(0.45 * hi.y);
    let ring = ((radius - ball) / ball * 8.0).ceil() as usize;
    let camera = first.camera();
    let half = 0.4 * lens.width as f32 / lens.focal;
    let bounce = if radius < 0.45 && hi.y < 0.9 && r.chance(0.5) { r.range(0.1, 0.4) } else { 0.0 };
    for _ in 0..100 {
        let d = if outdoor { r.range(3.5, 14.0) } else { r.range(1.4, 5.0) };
        let yaw = first.yaw - atan2(r.range(-half, half), 1.0);
        let (s, c) = sin_cos(yaw);
        let from = v3(first.p.x + s * d, 0.0, first.p.z + c * d);
        let (s, c) = sin_cos(r.range(-3.1, 3.1));
        let way = if outdoor { r.range(1.5, 7.0) } else { r.range(0.4, 2.5) };
        let to = from + v3(s * way, 0.0, c * way);
        let steps = (way / (0.5 * ball)).ceil() as usize + 1;
        let mut free = true;
        for k in 0..=steps {
            let p = from.mix(to, k as f32 / steps as f32);
            free &= world.areas.iter().any(|a| a.contains(p.x, p.z, 0.0));
            // The swept cylinder, filled with balls.
            let mut y = ball + 0.03;
            while free && y < hi.y + bounce {
                free &= world.solids.clear(p + v3(0.0, y, 0.0), ball);
                for k in 0..ring {
                    let (s, c) = sin_cos(k as f32 * std::f32::consts::TAU / ring.max(1) as f32);
                    free &= world.solids.clear(p + v3(s, 0.0, c) * (radius - ball) + v3(0.0, y, 0.0), ball);
                }
                y += ball;
            }
            let apart = p - first.p;
            free &= apart.x * apart.x + apart.z * apart.z > (radius + 0.7) * (radius + 0.7);
        }
        let target = from.mix(to, 0.3) + v3(0.0, 0.6 * hi.y, 0.0);
        let (x, y, z) = camera.project(lens, target);
        let framed = z > 0.5 && x > 0.0 && y > 0.0 && x < lens.width as f32 && y < lens.height as f32;
        if !free || !framed || !world.visible(camera.position, &[target])[0] {
            continue;
        }
        let speed = world.pace.max(0.7) * r.range(0.02, 0.14) / way;
        let turn = if hi.y < 1.0 && r.chance(0.4) { r.range(-0.2, 0.2) } else { 0.0 };
        world.mover = Some(Mover { prims: group.prims, from, to, speed, phase: 0.3, turn, bounce });
        let reach = v3(radius, 0.5 * hi.y + bounce, radius);
        let middle = from.mix(to, 0.5) + v3(0.0, 0.5 * hi.y, 0.0);
        let extent = v3(0.5 * (to.x - from.x).abs(), 0.0, 0.5 * (to.z - from.z).abs()) + reach;
        return Some(Prim {
            shape: Shape::Block,
            centre: middle,
            half: extent,
            axes: super::math::Axes::IDENTITY,
            aligned: true,
            world_uv: false,
            casts_shadow: false,
            material: 0,
        });
    }
    None
}

/// What the hand does for some frames.
#[derive(Debug, Clone, Copy)]
enum Drive {
    /// Walk to a point; look where it goes, or keep looking at a point.
    Walk {
        goal: V3,
        look: Option<V3>,
    },
    Pan {
        rate: f32,
        tilt: f32,
    },
    Orbit {
        target: V3,
        speed: f32,
        lift: f32,
    },
    Push {
        speed: f32,
    },
    Strafe {
        speed: f32,
    },
    Still,
    /// Back to where the sequence began.
    Return,
}

fn next_drive(world: &World, now: &Stance, style: usize, speed: f32, r: &mut Rng) -> Drive {
    let camera = now.camera();
    let ahead = world.look(now.p, camera.forward).0.min(8.0);
    let target = world.focus.unwrap_or(now.p + camera.forward * (ahead * r.range(0.5, 1.0)).max(0.6));
    if world.focus.is_some() && r.chance(world.circling) {
        return Drive::Orbit { target, speed: speed * r.sign(), lift: speed * r.range(-0.4, 0.4) };
    }
    let pick = if r.chance(0.5) { style } else { r.int(0, 11) };
    match pick {
        0..=3 => {
            let mut goal = None;
            for _ in 0..32 {
                let (s, c) = sin_cos(now.yaw + r.range(-1.8, 1.8));
                let way = r.range(0.4, 4.0) * world.pace.max(0.6);
                let p = now.p + v3(s * way, 0.0, c * way);
                if (1..=12).all(|k| world.is_free(now.p.mix(p, k as f32 / 12.0), CLEARANCE + 0.04)) {
                    goal = Some(p);
                    break;
                }
            }
            let Some(goal) = goal else {
                return Drive::Orbit { target, speed: speed * r.sign(), lift: speed * r.range(-0.15, 0.15) };
            };
            Drive::Walk { goal, look: r.chance(0.35).then_some(target) }
        }
        4 | 5 => Drive::Pan { rate: r.range(0.02, 0.14) * r.sign(), tilt: r.range(-0.6, 0.2) },
        6 | 7 => Drive::Orbit { target, speed: speed * r.sign(), lift: speed * r.range(-0.15, 0.15) },
        8 | 9 => Drive::Push { speed: speed * if r.chance(0.7) { 1.0 } else { -1.0 } },
        10 => Drive::Strafe { speed: speed * r.sign() },
        _ => Drive::Still,
    }
}

fn wrapped(angle: f32) -> f32 {
    let turns = (angle / std::f32::consts::TAU).round();
    angle - turns * std::f32::consts::TAU
}

/// Desired velocity and angular rates of a drive.
fn steer(drive: &Drive, now: &Stance, home: &Stance, speed: f32) -> (V3, f32, f32) {
    let camera = now.camera();
    let flat = |d: V3| v3(d.x, 0.0, d.z).unit();
    let face = |d: V3| {
        let yaw = wrapped(atan2(d.x, d.z) - now.yaw);
        let level = (d.x * d.x + d.z * d.z).sqrt();
        ((0.25 * yaw).clamp(-0.16, 0.16), (0.25 * (atan2(d.y, level) - now.pitch)).clamp(-0.06, 0.06))
    };
    let settle = 0.06 * (home.pitch - now.pitch);
    match *drive {
        Drive::Walk { goal, look } => {
            let way = goal - now.p;
            let left = way.length();
            let velocity = way.unit() * speed.min(0.3 * left);
            let (yaw, pitch) = match look {
                Some(p) => face(p - now.p),
                None if left > 0.3 => (face(way).0 * 0.6, settle),
                None => (0.0, settle),
            };
            (velocity, yaw, pitch)
        }
        Drive::Pan { rate, tilt } => (V3::ZERO, rate, 0.05 * (tilt - now.pitch)),
        Drive::Orbit { target, speed, lift } => {
            let (yaw, pitch) = face(target - now.p);
            (flat(camera.right) * speed + v3(0.0, lift, 0.0), 2.0 * yaw, 2.0 * pitch)
        }
        Drive::Push { speed } => (flat(camera.forward) * speed, 0.0, settle),
        Drive::Strafe { speed } => (flat(camera.right) * speed, 0.0, settle),
        Drive::Still => (V3::ZERO, 0.0, 0.0),
        Drive::Return => {
            let way = home.p - now.p;
            let turn = (0.12 * wrapped(home.yaw - now.yaw)).clamp(-0.1, 0.1);
            (way.unit() * (1.2 * speed).min(0.3 * way.length()), turn, settle)
        }
    }
}

/// Smooth tremor of a hand: slow and quick parts.
fn tremor(t: f32, axis: i32, seed: u32) -> f32 {
    use super::noise::noise;
    (noise(t * 0.23, axis as f32 * 7.3, seed) - 0.5) * 1.4 + (noise(t * 0.9, axis as f32 * 5.1, seed ^ 5) - 0.5) * 0.7
}

/// A path of `frames` cameras through the world, which gets a moving thing if there is room. None if there is no
/// place to stand, or none for the moving thing one insists on.
pub(super) fn path(
    world: &mut World,
    lens: &Lens,
    frames: usize,
    moving: bool,
    insist: bool,
    r: &mut Rng,
) -> Option<Vec<Camera>> {
    let mut home = start(world, lens, r)?;
    let obstacle = if moving { add_mover(world, lens, &home, r) } else { None };
    if insist && obstacle.is_none() {
        return None;
    }
    home.roll = if r.chance(0.1) { r.range(-0.25, 0.25) } else { r.normal() * 0.03 };
    let speed = world.pace * if r.chance(0.8) { r.range(0.03, 0.18) } else { r.range(0.15, 0.3) };
    let style = r.int(0, 11);
    let shake = r.range(0.0, 1.0) * r.unit();
    let (shake_p, shake_a, seed) = (0.02 * shake, 0.025 * shake, r.next() as u32);
    let jumps = if r.chance(0.2) { 0.03 } else { 0.004 };
    let returns = frames >= 12 && r.chance(0.3);

    let sound = |c: &Camera, world: &World, from: V3| -> bool {
        (1..=4).all(|k| {
            let p = from.mix(c.position, k as f32 * 0.25);
            world.is_free(p, CLEARANCE) && obstacle.is_none_or(|o| o.distance(p) > 0.35)
        }) && c.position.y > world.heights[0] - 0.1
            && c.position.y < world.heights[1] + 0.1
    };
    let mut now = home;
    let (mut velocity, mut yaw_rate, mut pitch_rate);
    let mut drive = next_drive(world, &now, style, speed, r);
    let mut left = r.int(6, 40);
    let mut drift = 0.05 * r.normal() * r.unit();
    (velocity, yaw_rate, pitch_rate) = {
        // The hand is already moving when the recording begins.
        let (v, yaw, pitch) = steer(&drive, &now, &home, speed);
        (v, yaw + drift, pitch)
    };
    let mut cameras: Vec<Camera> = Vec::with_capacity(frames);
    let mut last_view = view(world, lens, &now.camera());
    for frame in 0..frames {
        let mut next = now;
        if frame > 0 {
            if left == 0 {
                drive = next_drive(world, &now, style, speed, r);
                drift = 0.05 * r.normal() * r.unit();
                left = if matches!(drive, Drive::Still) { r.int(3, 12) } else { r.int(8, 45) };
            }
            left -= 1;
            if returns && frame * 2 == frames {
                drive = Drive::Return;
                left = frames;
            }
            let (v, yaw, pitch) = steer(&drive, &now, &home, speed);
            velocity = velocity * 0.7 + (v + v3(r.normal(), 0.3 * r.normal(), r.normal()) * (0.08 * speed)) * 0.3;
            velocity.y += 0.02 * (home.p.y - now.p.y).clamp(-0.2, 0.2);
            yaw_rate = 0.65 * yaw_rate + 0.35 * (yaw + drift + 0.01 * r.normal());
            pitch_rate = 0.65 * pitch_rate + 0.35 * (pitch + 0.3 * drift + 0.006 * r.normal());
            let hurry = if r.chance(jumps) { r.range(2.0, 5.0) } else { 1.0 };
            next.p += velocity * hurry;
            next.yaw += yaw_rate * hurry;
            next.pitch = (next.pitch + pitch_rate * hurry).clamp(-1.2, 0.8);
            next.roll += 0.1 * (home.roll - next.roll) + 0.004 * r.normal();
        }
        let t = frame as f32;
        let shaken = |s: &Stance| {
            let f = |axis| tremor(t, axis, seed);
            Stance {
                p: s.p + v3(f(0), f(1), f(2)) * shake_p,
                yaw: s.yaw + f(3) * shake_a,
                pitch: s.pitch + f(4) * shake_a,
                roll: s.roll + f(5) * shake_a,
            }
            .camera()
        };
        let Some(&last) = cameras.last() else {
            cameras.push(now.camera());
            continue;
        };
        let mut accepted = None;
        for share in [1.0, 0.55, 0.3, 0.15] {
            let s = now.towards(&next, share);
            let c = shaken(&s);
            if !sound(&c, world, last.position) {
                continue;
            }
            let v = view(world, lens, &c);
            let enough = LEAST_OVERLAP;
            let varied = v.is_varied() || v.interest > last_view.interest - 0.02;
            if v.is_sound(world)
                && varied
                && seen_by(world, lens, &v.points, &last) >= enough
                && seen_by(world, lens, &last_view.points, &c) >= enough
            {
                accepted = Some((s, c, v, share));
                break;
            }
        }
        if let Some((s, c, v, share)) = accepted {
            now = s;
            last_view = v;
            cameras.push(c);
            if share < 1.0 {
                velocity = velocity * 0.5;
                yaw_rate *= 0.7;
                left = left.min(3);
            }
        } else {
            // Blocked: stay, back off, and turn away from what is in front.
            cameras.push(last);
            velocity = -velocity * 0.6;
            drive = Drive::Pan { rate: r.range(0.03, 0.08) * yaw_rate.signum(), tilt: home.pitch };
            yaw_rate = 0.0;
            left = r.int(4, 12);
        }
    }
    Some(cameras)
}
