// Every custom element of the page by its tag, one line each. `index.html` says where they stand; one that is not
// listed here is not shown, nor is the button that leads to it.
import type { AppState, Store } from './store';
import { ErrorAlert } from './ui/alert';
import { CameraView } from './ui/camera';
import { CameraOptionsPanel } from './ui/camera-options';
import { CheckpointDialog } from './ui/checkpoint';
import { Demos } from './ui/demos';
import { DeviceChip } from './ui/device';
import { ExportDialog } from './ui/export';
import { HelpDialog } from './ui/help';
import { MeasureTool } from './ui/measure';
import { Menu } from './ui/menu';
import { MemoryMeter } from './ui/meter';
import { ModelPicker } from './ui/models';
import { Notices } from './ui/notices';
import { SidePanel } from './ui/panel';
import { QuestionDialog } from './ui/question';
import { SettingsPanel } from './ui/settings';
import { ShareDialog } from './ui/share';
import { StatusBar } from './ui/status';
import { Timeline } from './ui/timeline';
import { Toolbar } from './ui/toolbar';
import { ViewPanel } from './ui/view';
import { Viewport } from './ui/viewport';
import { Welcome } from './ui/welcome';

const ELEMENTS = {
  'p3r-alert': ErrorAlert,
  'p3r-demos': Demos,
  'p3r-camera': CameraView,
  'p3r-camera-options': CameraOptionsPanel,
  'p3r-device': DeviceChip,
  'p3r-export': ExportDialog,
  'p3r-models': ModelPicker,
  'p3r-checkpoint': CheckpointDialog,
  'p3r-help': HelpDialog,
  'p3r-measure': MeasureTool,
  'p3r-meter': MemoryMeter,
  'p3r-notices': Notices,
  'p3r-question': QuestionDialog,
  'p3r-settings': SettingsPanel,
  'p3r-share': ShareDialog,
  'p3r-status': StatusBar,
  'p3r-timeline': Timeline,
  'p3r-view': ViewPanel,
  'p3r-viewport': Viewport,
  // These show what else there is, so they come last.
  'p3r-menu': Menu,
  'p3r-panel': SidePanel,
  'p3r-toolbar': Toolbar,
  'p3r-welcome': Welcome,
} as const;

/** What an element implements that shows the page's state. */
export interface Shown extends HTMLElement {
  show(state: AppState): void;
}

export function defineElements(): void {
  for (const [name, element] of Object.entries(ELEMENTS)) {
    customElements.define(name, element);
  }
}

/** The page's element of this tag. */
export function find<K extends keyof typeof ELEMENTS>(name: K): InstanceType<(typeof ELEMENTS)[K]> {
  const element = document.querySelector(name);
  if (!element) {
    throw new Error(`the page lacks <${name}>`);
  }
  return element as InstanceType<(typeof ELEMENTS)[K]>;
}

/** Shows the state, now and after every change, in every element that can. */
export function showState(store: Store<AppState>): void {
  const elements = [...document.querySelectorAll<HTMLElement>(Object.keys(ELEMENTS).join())].filter(isShown);
  store.subscribe((state) => {
    for (const element of elements) {
      element.show(state);
    }
  });
}

function isShown(element: HTMLElement): element is Shown {
  return 'show' in element && typeof element.show === 'function';
}
