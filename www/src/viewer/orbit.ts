// The small viewer's camera: circles a point, "up" is -y. The same angles as the page's own view (`src/render/camera.rs`).
import type { Vector, Viewpoint } from './shared-scene';

const FIELD_OF_VIEW = 0.9;
const RADIANS_PER_PIXEL = 0.006;
const MAX_PITCH = 1.55;

export class Orbit {
  target: Vector = [0, 0, 2];
  distance = 3;
  yaw = 0;
  pitch = 0;

  /** Right, down and forward unit vectors. */
  axes(): [Vector, Vector, Vector] {
    const [sy, cy, sp, cp] = [Math.sin(this.yaw), Math.cos(this.yaw), Math.sin(this.pitch), Math.cos(this.pitch)];
    return [
      [cy, 0, -sy],
      [-sy * sp, cp, -cy * sp],
      [sy * cp, sp, cy * cp],
    ];
  }

  get viewpoint(): Viewpoint {
    const [, , forward] = this.axes();
    const eye = this.target.map((v, i) => v - (forward[i] ?? 0) * this.distance) as Vector;
    return { eye, target: [...this.target] };
  }

  look({ eye, target }: Viewpoint): void {
    const [x, y, z] = [target[0] - eye[0], target[1] - eye[1], target[2] - eye[2]];
    this.distance = Math.hypot(x, y, z);
    this.target = [...target];
    this.yaw = Math.atan2(x, z);
    this.pitch = Math.max(-MAX_PITCH, Math.min(MAX_PITCH, Math.asin(Math.max(-1, Math.min(1, y / this.distance)))));
  }

  orbit(dx: number, dy: number): void {
    this.yaw = (this.yaw + dx * RADIANS_PER_PIXEL) % (2 * Math.PI);
    this.pitch = Math.max(-MAX_PITCH, Math.min(MAX_PITCH, this.pitch + dy * RADIANS_PER_PIXEL));
  }

  pan(dx: number, dy: number, height: number): void {
    const [right, down] = this.axes();
    const unit = (2 * this.distance * Math.tan(FIELD_OF_VIEW / 2)) / Math.max(1, height);
    this.target = this.target.map((v, i) => v - ((right[i] ?? 0) * dx + (down[i] ?? 0) * dy) * unit) as Vector;
  }

  zoom(factor: number): void {
    if (factor > 0 && Number.isFinite(factor)) {
      this.distance = Math.min(1e6, Math.max(1e-4, this.distance / factor));
    }
  }

  /** Shows all points but their outermost 1 % per axis, without turning. */
  fit(positions: Float32Array, aspect: number): void {
    const step = 3 * Math.max(1, Math.floor(positions.length / 3 / 20_000));
    let radius = 0;
    for (let axis = 0; axis < 3; axis++) {
      const values: number[] = [];
      for (let i = axis; i < positions.length; i += step) {
        values.push(positions[i] ?? 0);
      }
      values.sort((a, b) => a - b);
      const low = values[Math.floor(values.length * 0.01)] ?? 0;
      const high = values[Math.ceil(values.length * 0.99) - 1] ?? 0;
      this.target[axis] = (low + high) / 2;
      radius += (high - low) ** 2;
    }
    const half = Math.atan(Math.tan(FIELD_OF_VIEW / 2) * Math.min(1, Math.max(0.1, aspect)));
    this.distance = Math.max(1e-3, Math.sqrt(radius) / 2) / Math.sin(half);
  }

  /** World to clip space, column major, and pixels per unit at distance 1. */
  matrix(width: number, height: number): { matrix: Float32Array; focal: number } {
    const [right, down, forward] = this.axes();
    const { eye } = this.viewpoint;
    const dot = (a: Vector): number => a[0] * eye[0] + a[1] * eye[1] + a[2] * eye[2];
    const focal = 1 / Math.tan(FIELD_OF_VIEW / 2);
    const scale = (focal * height) / Math.max(1, width);
    const near = 0.005 * this.distance;
    // Depth -1 at the near plane, 1 far away.
    const column = (i: 0 | 1 | 2): number[] => [scale * right[i], -focal * down[i], forward[i], forward[i]];
    const matrix = new Float32Array([
      ...column(0),
      ...column(1),
      ...column(2),
      -scale * dot(right),
      focal * dot(down),
      -dot(forward) - 2 * near,
      -dot(forward),
    ]);
    return { matrix, focal: (focal * height) / 2 };
  }
}
