/** The colours of handlers and states, and the theme's variables in a form that a canvas takes. */
import { words } from './format.js';

/** Twelve hues; red is missing, since it means failure. */
const hues = ['#5a9ee8', '#e0a443', '#45b98a', '#a98be0', '#4fb3bf', '#d98a5b', '#93b35f', '#8fa3b5', '#d78fc0', '#c9b458', '#7f95f2', '#5cc4a0'];
const known = new Map<string, string>([['_other', '#7f8b99']]);

/** The colour of a handler: the same in every browser and after every start. A placement such as "@threads" does not count. */
export function handlerColour(name: string): string {
  let colour = known.get(name);
  if (colour === undefined) {
    let hash = 0x811c9dc5;
    for (const char of name.split('@')[0]!) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193) >>> 0;
    // The low bits of this hash are poor for short names.
    hash ^= hash >>> 15;
    known.set(name, (colour = hues[(hash >>> 0) % hues.length]!));
  }
  return colour;
}

export interface StateLook {
  name: string;
  glyph: string;
  tone: string;
}

const states: Record<string, StateLook> = {
  queued: { name: 'queued', glyph: '○', tone: 'wait' },
  running: { name: 'running', glyph: '◐', tone: 'run' },
  succeeded: { name: 'succeeded', glyph: '✓', tone: 'ok' },
  failed: { name: 'failed', glyph: '✕', tone: 'bad' },
  cancelled: { name: 'cancelled', glyph: '⊘', tone: 'off' },
  'timed out': { name: 'timed out', glyph: '◷', tone: 'late' },
  'worker lost': { name: 'worker lost', glyph: '⊗', tone: 'lost' },
};

/** How a task's state looks: never by colour alone. Takes the contract's name, or words. */
export function stateLook(state: string | undefined): StateLook {
  const name = words(state, 'TASK_STATE_');
  return states[name] ?? { name: name || 'unknown', glyph: '·', tone: 'off' };
}

/** The tone of each outcome of an attempt, by the contract's number. */
export const outcomeTones = ['off', 'ok', 'bad', 'off', 'late', 'lost'];

const variables = new Map<string, string>();
const listeners = new Set<() => void>();
let probe: HTMLElement | undefined;

/**
 * A variable of the theme as a plain colour. The style sheet computes it from the theme, so an element has to be asked what it came to; the
 * answers are kept until the theme changes.
 */
export function themed(name: string): string {
  let colour = variables.get(name);
  if (colour === undefined) {
    if (!probe) {
      probe = document.createElement('i');
      probe.hidden = true;
      document.body.append(probe);
    }
    probe.style.color = `var(--${name})`;
    variables.set(name, (colour = getComputedStyle(probe).color));
  }
  return colour;
}

/** Calls back when the theme has changed, until the returned action is called. */
export function onTheme(action: () => void): () => void {
  listeners.add(action);
  return () => listeners.delete(action);
}

function themeChanged(): void {
  variables.clear();
  for (const listener of listeners) listener();
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', themeChanged);

export type Theme = 'auto' | 'dark' | 'light';

/** The chosen theme; "auto" follows the system. */
export function theme(): Theme {
  const kept = localStorage.getItem('theme');
  return kept === 'dark' || kept === 'light' ? kept : 'auto';
}

export function setTheme(choice: Theme): void {
  if (choice === 'auto') localStorage.removeItem('theme');
  else localStorage.setItem('theme', choice);
  applyTheme();
}

export function applyTheme(): void {
  const choice = theme();
  if (choice === 'auto') delete document.documentElement.dataset['theme'];
  else document.documentElement.dataset['theme'] = choice;
  themeChanged();
}

const still = matchMedia('(prefers-reduced-motion: reduce)');

/** Whether the user wants no motion. */
export const reducedMotion = (): boolean => still.matches;
