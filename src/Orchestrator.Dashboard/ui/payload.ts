import { h, setText } from './dom.js';
import { bytes } from './format.js';
import type { Payload } from './types.js';

/** Payloads are hidden until the viewer asks for them: they may be secret, and a page may be seen by others. */

const mostShown = 20_000;

/** A payload in words: JSON as JSON, bytes as text if they are text. */
export function payloadText(payload: Payload): string {
  let text: string;
  if (payload.json !== undefined) text = JSON.stringify(payload.json, null, 1);
  else {
    const data = Uint8Array.from(atob((payload.data ?? '').replaceAll('-', '+').replaceAll('_', '/')), char => char.charCodeAt(0));
    try {
      text = new TextDecoder('utf-8', { fatal: true }).decode(data);
    } catch {
      text = [...data.subarray(0, 2048)].map(byte => byte.toString(16).padStart(2, '0')).join(' ') + (data.length > 2048 ? ' …' : '');
    }
  }
  return text.length > mostShown ? `${text.slice(0, mostShown)} … (${text.length} characters)` : text;
}

function sizeOf(payload: Payload): number {
  return payload.json !== undefined ? JSON.stringify(payload.json).length : Math.floor(((payload.data ?? '').length * 3) / 4);
}

/** A payload's size, and a button that shows it. */
export function payloadView(payload: Payload): HTMLElement {
  const text = h('pre', { hidden: true });
  const button = h('button', { type: 'button', class: 'act', 'aria-expanded': 'false' }, 'show');
  button.addEventListener('click', () => {
    if (text.hidden) text.textContent = payloadText(payload);
    text.hidden = !text.hidden;
    setText(button, text.hidden ? 'show' : 'hide');
    button.setAttribute('aria-expanded', String(!text.hidden));
  });
  return h('span', null, `about ${bytes(sizeOf(payload))}, hidden · `, button, text);
}
