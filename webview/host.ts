import type { ExampleFilter } from '../src/core/labels/view';
import { panelHello, type PanelMethods } from '../src/core/protocol/panel';
import { RpcClient, type Port } from '../src/core/protocol/rpc';
import type { LabelerAction } from './actions';

/** What VS Code gives to a page, once. */
interface VsCodeApi {
  postMessage(message: unknown): void;
  getState(): unknown;
  setState(state: unknown): void;
}

declare const acquireVsCodeApi: () => VsCodeApi;

export const tabs = ['examples', 'learn', 'insight', 'labels'] as const;
export type Tab = (typeof tabs)[number];

/** What outlives a reload and being hidden. */
export interface SavedState {
  /** Name of the task that the rest is about. */
  readonly task?: string | undefined;
  /** Id of the example on the screen. */
  readonly item?: string | undefined;
  /** What was ticked or typed for it and not saved yet. */
  readonly ticked?: readonly string[] | undefined;
  readonly typed?: string | undefined;
  /** What could not be saved, and what was pressed after it. */
  readonly waiting?: readonly LabelerAction[] | undefined;
  readonly tab?: Tab | undefined;
  readonly filter?: ExampleFilter | undefined;
  /** First row of the list in sight. */
  readonly row?: number | undefined;
}

export interface Host {
  readonly client: RpcClient<PanelMethods>;
  /** What an earlier page of this panel left. */
  readonly saved: SavedState;
  /** Remembers some of it; the rest stays. */
  remember(part: SavedState): void;
}

/** Connects to the extension and says that the page listens. */
export function connect(): Host {
  const { api, port } = openPort();
  const client = new RpcClient<PanelMethods>(port);
  api.postMessage(panelHello);
  let saved = (api.getState() ?? {}) as SavedState;
  return {
    client,
    get saved() {
      return saved;
    },
    remember(part) {
      saved = { ...saved, ...part };
      api.setState(saved);
    },
  };
}

/** What VS Code gives to a page, and its messages as a port; can be had once. */
export function openPort(): { readonly api: VsCodeApi; readonly port: Port } {
  const api = acquireVsCodeApi();
  const port: Port = {
    postMessage: (message) => api.postMessage(message),
    onMessage: (listener) => window.addEventListener('message', ({ data }) => {
      // whatever else is posted to the page is none of ours
      if (typeof data === 'object' && data !== null) listener(data);
    }),
  };
  return { api, port };
}
