// Every text of the page in one place (errors have their own table in `errors.ts`).
import type { DemoId } from './demos';
import type { PageState, Progress } from './store';
import type { ThemeChoice } from './theme';

export const STRINGS = {
  title: 'Point3R',
  tagline: 'Drop a video, watch the cloud grow',
  choose: 'Open',
  chooseLong: 'Open a video or images',
  scan: 'Scan',
  demos: 'Try a demo',
  undo: 'Undo',
  export: 'Export',
  share: 'Share',
  help: 'Help',
  models: 'Model',
  panel: 'View and settings',
  closePanel: 'Close the panel',
  close: 'Close',
  timeline: 'Timeline',
  notes: 'Notes',
  pause: 'Pause',
  resume: 'Resume',
  stop: 'Stop',
  reset: 'Reset',
  exportPly: 'Export PLY',
  dismiss: 'Dismiss',
  demosTitle: 'Try a demo',
  demosBody: 'Made by this project: worlds and pictures are computed, so nobody’s home is in them.',
  demosNone: 'No demos are installed beside this page.',
  demoLook: 'Look around',
  demoReconstruct: 'Reconstruct its pictures',
  demoSize: (points: string, bytes: string) => `${points} points, ${bytes}`,
  modelsTitle: 'Model',
  modelsBody: 'The model decides how good the cloud is and how fast it comes. It runs on this device.',
  modelInUse: 'In use',
  modelSize: 'Download',
  modelKept: 'on this device',
  modelParameters: 'Parameters',
  modelLicence: 'Licence',
  modelNeeds: 'Needs',
  modelMemory: (mib: number) => `about ${mib} MiB of memory`,
  modelNeedsNothing: 'any device with WebGPU',
  modelTrained: 'trained',
  modelUntrained: 'untrained',
  modelUse: 'Use this model',
  modelReload: 'Load again',
  modelForget: 'Remove from this device',
  modelFolder: 'Open a model folder',
  modelFolderHint: 'or drop the folder on the page. “point3r convert” makes one.',
  steps: [
    ['Show it a room', 'Scan with the camera, or open a video or photographs.'],
    ['Watch it grow', 'Every frame adds points and your path. Move slowly; undo what went wrong.'],
    ['Take it away', 'Export for other programs, or share a link.'],
  ],
  stepsTitle: 'How it works',
  stepsDone: 'Got it',
  dismissNotice: 'Hide this note',
  updateTitle: 'A new version is ready.',
  updateBody: 'It is used from the next time on, or now: the page then opens anew, without the cloud on screen.',
  updateNow: 'Use it now',
  fit: 'Fit view',
  toolbar: 'Reconstruction',
  settings: 'Settings',
  rate: 'Frames per second',
  rateHint: 'taken from a video',
  maxFrames: 'Frames at most',
  confidence: 'Confidence at least',
  pointSize: 'Point size',
  canvas: 'Point cloud. Drag to orbit, shift-drag to pan, scroll to zoom, F to fit the view.',
  canvasKeys: 'Arrow keys orbit, shift and arrow keys pan, plus and minus zoom, F fits.',
  welcomeTitle: 'Drop a video or images here',
  welcomeBody: 'For example a slow walk through a room. Everything is computed on this device; nothing is uploaded.',
  welcomeFormats: 'mp4, webm or mov; jpg, png, webp or avif',
  dropNow: 'Let go to open',
  untrainedTitle: 'Untrained weights.',
  untrainedBody: 'They come from a formula: what you see is not a reconstruction of your video.',
  softwareTitle: 'Running on the processor:',
  softwareBody: 'each frame takes longer.',
  unsupportedTitle: 'This page needs WebGPU',
  unsupportedBody: {
    'no-webgpu':
      'Your browser does not offer WebGPU, which is used to draw the cloud and to run the network. Nothing has been downloaded.',
    'no-adapter':
      'Your browser knows WebGPU, but found no graphics adapter for it. Hardware acceleration may be switched off, or the graphics driver is blocked. Nothing has been downloaded.',
    insecure: 'Browsers offer WebGPU only on secure addresses (https, or localhost). Nothing has been downloaded.',
  },
  unsupportedListTitle: 'Browsers that have it',
  unsupportedList: [
    'Chrome and Edge from version 113 on Windows, macOS and ChromeOS; on Linux support depends on the version and the graphics driver',
    'Chrome on Android from version 121, on most phones with Android 12 or later',
    'Safari from version 26 on macOS, iOS and iPadOS',
    'Firefox from version 141 on Windows, and from version 145 on Macs with Apple silicon',
  ],
  device: 'Device',
  frames: 'Frames',
  pointers: 'Pointers',
  points: 'Points',
  perFrame: 'Per frame',
  gpuHardware: 'GPU',
  cpu: 'CPU',
  softwareAdapter: 'software adapter',
} as const;

export const STATE_TEXT: Record<PageState, string> = {
  loading: 'Loading',
  unsupported: 'Not supported',
  ready: 'Ready',
  running: 'Reconstructing',
  paused: 'Paused',
  lost: 'Engine stopped',
  failed: 'Could not start',
};

export const STAGE_TEXT: Record<Progress['stage'], string> = {
  engine: 'Starting the engine',
  model: 'Loading the model',
  open: 'Opening the file',
  frames: 'Reconstructing',
};

export const TAB_TEXT = { view: 'View', frames: 'Frames' } as const;

/** Titles of the demos; the scenes are true to their worlds, what the network makes of the pictures depends on its weights. */
export const DEMO_TEXT: Record<DemoId, { title: string; body: string }> = {
  room: { title: 'A furnished room', body: 'A bedroom with shelves, seen in one slow turn.' },
  table: { title: 'A laid table', body: 'Cups and bottles on marble, from close by.' },
  street: { title: 'A street', body: 'Houses, trees and a van, from the pavement.' },
};

export type PanelTab = keyof typeof TAB_TEXT;

export const THEME_TEXT: Record<ThemeChoice, string> = {
  system: 'Colours: as the system',
  dark: 'Colours: dark',
  light: 'Colours: light',
};
