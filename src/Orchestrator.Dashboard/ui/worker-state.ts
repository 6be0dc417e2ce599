import { h } from './dom.js';
import { words } from './format.js';

const tones: Record<string, string> = { ready: 'ok', starting: 'dim', draining: 'warn', 'backing off': 'warn', failed: 'bad' };

export const workerTone = (state: string): string => tones[state] ?? 'dim';

/** A worker's state in words. */
export function statePillOfWorker(state: string | undefined): HTMLElement {
  const name = words(state, 'WORKER_STATE_') || 'unknown';
  return h('span', { class: `pill ${workerTone(name)}` }, name);
}
