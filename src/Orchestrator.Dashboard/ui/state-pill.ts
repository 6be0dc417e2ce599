import { stateLook } from './colours.js';
import { h } from './dom.js';

/** A state with its glyph, its colour and its name. */
export function statePill(state: string | undefined): HTMLElement {
  const look = stateLook(state);
  return h(
    'span',
    { class: `pill ${look.tone}`, title: look.name },
    h('span', { 'aria-hidden': 'true' }, `${look.glyph} `),
    h('span', { class: 'text' }, look.name),
  );
}
