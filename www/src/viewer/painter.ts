// Draws points and the camera path with WebGL 2. Points are as large as their voxels, so that surfaces close.
import type { SharedScene } from './shared-scene';

const POINTS = `#version 300 es
layout(location = 0) in vec3 position;
layout(location = 1) in vec3 color;
uniform mat4 matrix;
uniform float size;
uniform vec2 limits;
out vec3 shade;
void main() {
  gl_Position = matrix * vec4(position, 1.0);
  gl_PointSize = clamp(size / max(gl_Position.w, 1e-6), limits.x, limits.y);
  shade = color;
}`;

const SHADE = `#version 300 es
precision mediump float;
in vec3 shade;
uniform bool round;
out vec4 pixel;
void main() {
  vec2 off = gl_PointCoord - 0.5;
  if (round && dot(off, off) > 0.25) discard;
  pixel = vec4(shade, 1.0);
}`;

const PATH_COLOR = [0.96, 0.62, 0.14] as const;
/** Points overlap a little, so that no gaps show on slanted surfaces. */
const OVERLAP = 1.5;

export interface Picture {
  matrix: Float32Array;
  /** Pixels per unit at distance 1. */
  focal: number;
  background: readonly [number, number, number];
  pixelRatio: number;
}

export class Painter {
  private readonly gl: WebGL2RenderingContext;
  private readonly scene: SharedScene;
  private readonly uniforms: Record<'matrix' | 'size' | 'limits' | 'round', WebGLUniformLocation | null>;
  private readonly points: WebGLVertexArrayObject;
  private readonly path: WebGLVertexArrayObject | null = null;

  /** Throws where the context cannot draw. */
  constructor(gl: WebGL2RenderingContext, scene: SharedScene) {
    this.gl = gl;
    this.scene = scene;
    const program = gl.createProgram();
    for (const [type, source] of [
      [gl.VERTEX_SHADER, POINTS],
      [gl.FRAGMENT_SHADER, SHADE],
    ] as const) {
      const shader = gl.createShader(type);
      if (!shader) {
        throw new Error('WebGL has no room for a shader');
      }
      gl.shaderSource(shader, source);
      gl.compileShader(shader);
      gl.attachShader(program, shader);
    }
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) {
      throw new Error(gl.getProgramInfoLog(program) ?? 'WebGL cannot draw points');
    }
    gl.useProgram(program);
    const uniform = (name: string): WebGLUniformLocation | null => gl.getUniformLocation(program, name);
    this.uniforms = {
      matrix: uniform('matrix'),
      size: uniform('size'),
      limits: uniform('limits'),
      round: uniform('round'),
    };
    this.points = this.upload(scene.positions, scene.colors);
    if (scene.path.length > 1) {
      this.path = this.upload(new Float32Array(scene.path.flat()), null);
    }
    gl.enable(gl.DEPTH_TEST);
  }

  private upload(positions: Float32Array<ArrayBuffer>, colors: Uint8Array<ArrayBuffer> | null): WebGLVertexArrayObject {
    const gl = this.gl;
    const vertices = gl.createVertexArray();
    gl.bindVertexArray(vertices);
    const attribute = (
      index: number,
      values: Float32Array<ArrayBuffer> | Uint8Array<ArrayBuffer>,
      type: number,
    ): void => {
      gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
      gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
      gl.enableVertexAttribArray(index);
      gl.vertexAttribPointer(index, 3, type, type === gl.UNSIGNED_BYTE, 0, 0);
    };
    attribute(0, positions, gl.FLOAT);
    if (colors) {
      attribute(1, colors, gl.UNSIGNED_BYTE);
    }
    return vertices;
  }

  draw({ matrix, focal, background, pixelRatio }: Picture): void {
    const gl = this.gl;
    const uniforms = this.uniforms;
    const scene = this.scene;
    gl.viewport(0, 0, gl.drawingBufferWidth, gl.drawingBufferHeight);
    gl.clearColor(...background, 1);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.uniformMatrix4fv(uniforms.matrix, false, matrix);
    gl.uniform1f(uniforms.size, OVERLAP * scene.spacing * focal);
    gl.uniform2f(uniforms.limits, 1.5 * pixelRatio, 64 * pixelRatio);
    gl.uniform1i(uniforms.round, 1);
    gl.bindVertexArray(this.points);
    gl.drawArrays(gl.POINTS, 0, scene.count);
    if (this.path) {
      gl.uniform1i(uniforms.round, 0);
      gl.bindVertexArray(this.path);
      gl.vertexAttrib3f(1, ...PATH_COLOR);
      gl.drawArrays(gl.LINE_STRIP, 0, scene.path.length);
    }
  }
}
