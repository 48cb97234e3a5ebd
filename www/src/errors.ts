// Everything that can go wrong, as a closed set of codes. Each has one sentence (what happened) and one action (what the
// user can do). The same codes come from the Rust engine; an unknown one is a defect and reads as `crashed`.
import type { EngineFailure } from './protocol';

export const ERRORS = {
  'no-webgpu': {
    sentence: 'This browser does not offer WebGPU.',
    action: 'Open the page in a browser that has it, for example a current desktop Chrome or Edge.',
  },
  'no-adapter': {
    sentence: 'WebGPU is there, but the browser found no graphics adapter for it.',
    action: 'Update the graphics driver and the browser, or check that hardware acceleration is switched on.',
  },
  'device-lost': {
    sentence: 'The graphics device stopped answering.',
    action: 'Export the cloud if you want to keep it, then press Reset.',
  },
  crashed: {
    sentence: 'The engine stopped because of a defect.',
    action: 'Export the cloud so far if you want to keep it, then press Reset.',
  },
  'model-not-found': {
    sentence: 'The model was not found at its address.',
    action: 'Check that the model folder is complete, then reload the page.',
  },
  'manifest-invalid': {
    sentence: 'The model’s manifest is not valid.',
    action: 'Make the model folder again with “point3r convert”.',
  },
  'shard-damaged': {
    sentence: 'A weight file of the model is damaged: its checksum differs from the manifest.',
    action: 'Download the model again.',
  },
  'shard-truncated': {
    sentence: 'A weight file of the model is shorter than the manifest says.',
    action: 'Download the model again.',
  },
  'tensor-shape': {
    sentence: 'A tensor of the model has another shape than the network needs.',
    action: 'Use a manifest and weights that belong to the same model.',
  },
  'model-too-large': {
    sentence: 'The model does not fit this device.',
    action: 'Choose a smaller model, a lower precision, or compute on the processor.',
  },
  'storage-full': {
    sentence: 'The browser has no room left for the model on this device.',
    action: 'Remove other models, free disk space, or choose a lower precision.',
  },
  'no-storage': {
    sentence: 'This browser window cannot keep files, so there is no place for a converted model.',
    action: 'Use an ordinary window instead of a private one, or convert with “point3r convert” and open the folder.',
  },
  network: {
    sentence: 'A download failed.',
    action: 'Check the connection and try again.',
  },
  'unsupported-file': {
    sentence: 'This is neither a video (mp4, webm, mov) nor an image that can be read here.',
    action: 'Choose an mp4, webm or mov video, or jpg, png, webp, avif images.',
  },
  'undecodable-video': {
    sentence: 'This browser cannot decode the video’s codec.',
    action: 'Convert it to H.264, for example: ffmpeg -i in.mp4 -c:v libx264 -pix_fmt yuv420p out.mp4',
  },
  'damaged-file': {
    sentence: 'The video file is damaged or incomplete.',
    action: 'Copy or download the file again.',
  },
  'no-frames': {
    sentence: 'There is no picture in this file.',
    action: 'Choose a file that has a video track.',
  },
  'camera-denied': {
    sentence: 'The page may not use the camera.',
    action:
      'Allow the camera in the browser’s settings for this site (the icon beside the address), then press Scan again.',
  },
  'camera-none': {
    sentence: 'No camera was found.',
    action: 'Connect a camera or choose another one in the settings, or open a video instead.',
  },
  'camera-in-use': {
    sentence: 'The camera could not be started: another program may be using it.',
    action: 'Close other programs and tabs that use the camera, then press Scan again.',
  },
  'camera-ended': {
    sentence: 'The camera has stopped.',
    action: 'Connect it again and press Resume to go on, or Stop to end the scan. Nothing of it is lost.',
  },
  'insecure-context': {
    sentence: 'Browsers give the camera only to secure pages.',
    action: 'Open the page by an https address, or on localhost.',
  },
  'image-damaged': {
    sentence: 'An image could not be read.',
    action: 'Open it in another program to check it, or leave it out.',
  },
  'not-finite': {
    sentence: 'The network produced invalid numbers on a frame, which was left out.',
    action: 'If it happens often, check the model with “point3r verify”, or choose another one.',
  },
  'empty-cloud': {
    sentence: 'There are no points to export yet.',
    action: 'Open a video or images first.',
  },
  'no-camera': {
    sentence: 'No frame gave a focal length, which this format states.',
    action: 'Export PLY or GLB instead, or reconstruct with a trained model.',
  },
  'no-maps': {
    sentence: 'No picture of a frame is kept, which this format needs.',
    action: 'Export PLY or GLB instead, or reconstruct fewer frames.',
  },
  'no-surface': {
    sentence: 'The depth maps hold no surface to make a mesh of.',
    action: 'Ask for less confidence or a larger voxel, or export the points.',
  },
  'no-encoder': {
    sentence: 'This browser cannot encode a video.',
    action: 'Save a picture instead, or use a current Chrome, Edge or Safari.',
  },
  cancelled: {
    sentence: 'The export was cancelled.',
    action: 'Start it again whenever you like.',
  },
  'bad-request': {
    sentence: 'This cannot be done right now.',
    action: 'Open either one video, or any number of images.',
  },
  'scene-damaged': {
    sentence: 'The scene is damaged or incomplete.',
    action: 'Ask for the link or file again; chat programs sometimes cut long links.',
  },
  'scene-too-large': {
    sentence: 'The scene is larger than can be shown.',
    action: 'Ask for a smaller one: fewer points, or a smaller link.',
  },
  'scene-empty': {
    sentence: 'There are no points in this scene.',
    action: 'Choose a GLB or PLY file that holds points.',
  },
  'link-refused': {
    sentence: 'The link asks for something that is not opened.',
    action: 'Links may name https addresses and files of this page’s own site.',
  },
  'out-of-memory': {
    sentence: 'There is not enough memory for this.',
    action: 'Close other tabs, or use fewer frames or a smaller model.',
  },
  busy: {
    sentence: 'The engine is still busy with the previous request.',
    action: 'Wait for it to finish, or press Stop.',
  },
} as const satisfies Record<string, { sentence: string; action: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** An error with a code; `message` is the code's sentence, `detail` what is special about this case. */
export class Point3rError extends Error {
  override readonly name = 'Point3rError';
  readonly code: ErrorCode;
  readonly action: string;
  readonly detail: string;

  constructor(code: ErrorCode, detail = '', action: string = ERRORS[code].action) {
    super(ERRORS[code].sentence);
    this.code = code;
    this.detail = detail;
    this.action = action;
  }

  /** The page's own table says what to do, so that the words are the same wherever an error comes from. */
  static fromFailure(failure: EngineFailure): Point3rError {
    return new Point3rError(failure.code, failure.message);
  }

  toFailure(): EngineFailure {
    return {
      code: this.code,
      message: this.detail ? `${this.message} ${this.detail}` : this.message,
      action: this.action,
    };
  }
}

function isCode(code: unknown): code is ErrorCode {
  return typeof code === 'string' && Object.hasOwn(ERRORS, code);
}

/** Whatever was thrown, as an error with a code: `fallback` says what it is when nothing else tells. */
export function toPoint3rError(thrown: unknown, fallback: ErrorCode): Point3rError {
  if (thrown instanceof Point3rError) {
    return thrown;
  }
  if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && isCode(thrown.code)) {
    const message = 'message' in thrown ? String(thrown.message) : '';
    return new Point3rError(thrown.code, message);
  }
  if (thrown instanceof WebAssembly.RuntimeError) {
    return new Point3rError('crashed', thrown.message);
  }
  if (thrown instanceof RangeError) {
    return new Point3rError('out-of-memory', thrown.message);
  }
  return new Point3rError(fallback, thrown instanceof Error ? thrown.message : String(thrown));
}

/** The engine's message often opens with the sentence that is shown anyway: what is left is worth showing. */
export function detailOf(error: Point3rError): string {
  const detail = error.detail.startsWith(error.message) ? error.detail.slice(error.message.length) : error.detail;
  return detail.trim();
}
