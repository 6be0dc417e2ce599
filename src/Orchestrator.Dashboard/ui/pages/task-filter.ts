import { stateLook } from '../colours.js';
import { h } from '../dom.js';
import { toInstant } from '../format.js';
import { model } from '../model.js';
import { change, parameter } from '../router.js';

/** The filters of the tasks page. They live in the address alone. */

const states = ['QUEUED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT', 'WORKER_LOST'];
const texts: [name: string, title: string, hint: string][] = [
  ['handler', 'Handler', 'fibonacci'],
  ['worker', 'Worker', 'worker-1 or worker-1#3'],
  ['client', 'Client', 'name of the token'],
  ['label', 'Labels', 'team=search, stage=2'],
  ['text', 'Text', 'in handler, label, error, request id'],
];
const periods: [value: string, text: string][] = [
  ['', 'any time'],
  ['60', 'last minute'],
  ['300', 'last 5 min'],
  ['900', 'last 15 min'],
  ['3600', 'last hour'],
  ['86400', 'last day'],
];
const typingPause = 300;

export const filterNames = ['state', ...texts.map(([name]) => name), 'least', 'since'];

/** The request that the address asks for. */
export function filterOf(): Record<string, unknown> {
  const states = parameter('state')
    .split(',')
    .filter(Boolean)
    .map(state => `TASK_STATE_${state.toUpperCase()}`);
  const labels = Object.fromEntries(
    parameter('label')
      .split(',')
      .map(pair => pair.trim())
      .filter(Boolean)
      .map(pair => {
        const at = pair.indexOf('=');
        return at < 0 ? [pair, ''] : [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
      }),
  );
  const least = Number(parameter('least'));
  const since = Number(parameter('since'));
  return {
    states,
    labels,
    handler: parameter('handler'),
    worker: parameter('worker'),
    client: parameter('client'),
    text: parameter('text'),
    minDuration: least > 0 ? `${least / 1000}s` : undefined,
    since: since > 0 ? toInstant(model.now() - since * 1000) : undefined,
  };
}

/** What the filter says in words, for questions; empty if it lets all through. */
export function filterWords(): string {
  return filterNames
    .filter(name => parameter(name))
    .map(name => `${name} ${parameter(name)}`)
    .join(', ');
}

/** The form. What is typed takes effect after a short pause. */
export class TaskFilter {
  readonly element: HTMLElement;
  private readonly boxes = states.map(state => {
    const look = stateLook(`TASK_STATE_${state}`);
    const box = h('input', { type: 'checkbox', value: state.toLowerCase() });
    box.addEventListener('change', () =>
      change({
        state: this.boxes
          .filter(({ box }) => box.checked)
          .map(({ box }) => box.value)
          .join(','),
      }),
    );
    return { box, label: h('label', { class: `chip ${look.tone}` }, box, h('span', { 'aria-hidden': 'true' }, look.glyph), look.name) };
  });
  private readonly inputs = texts.map(([name, title, hint]) => {
    const input = h('input', { type: 'text', placeholder: hint, list: name === 'handler' ? 'handler-names' : undefined, spellcheck: 'false' });
    let timer = 0;
    input.addEventListener('input', () => {
      clearTimeout(timer);
      timer = window.setTimeout(() => change({ [name]: input.value.trim() }), typingPause);
    });
    return { name, input, label: h('label', null, title, input) };
  });
  private readonly least = h('input', { type: 'number', min: '0', step: 'any', placeholder: 'ms' });
  private readonly since = h(
    'select',
    null,
    periods.map(([value, text]) => h('option', { value }, text)),
  );
  private readonly names = h('datalist', { id: 'handler-names' });

  constructor() {
    this.least.addEventListener('change', () => change({ least: this.least.value }));
    this.since.addEventListener('change', () => change({ since: this.since.value }));
    const clear = h(
      'button',
      { type: 'button', class: 'btn', onclick: () => change(Object.fromEntries(filterNames.map(name => [name, undefined]))) },
      'Clear',
    );
    this.element = h(
      'form',
      { class: 'panel filter', role: 'search', 'aria-label': 'Filter', onsubmit: (event: SubmitEvent) => event.preventDefault() },
      h(
        'fieldset',
        { class: 'chips' },
        h('legend', { class: 'unseen' }, 'State'),
        this.boxes.map(({ label }) => label),
      ),
      this.inputs.map(({ label }) => label),
      h('label', null, 'Takes at least', this.least),
      h('label', null, 'Accepted', this.since),
      clear,
      this.names,
    );
  }

  /** Shows what the address says. A field in use stays as it is. */
  update(): void {
    const chosen = parameter('state').split(',');
    for (const { box } of this.boxes) box.checked = chosen.includes(box.value);
    for (const { name, input } of this.inputs) set(input, parameter(name));
    set(this.least, parameter('least'));
    set(this.since, parameter('since'));
    if (this.names.childElementCount !== model.handlers.size)
      this.names.replaceChildren(...[...model.handlers.keys()].map(value => h('option', { value })));
  }
}

function set(field: HTMLInputElement | HTMLSelectElement, value: string): void {
  if (document.activeElement !== field && field.value !== value) field.value = value;
}
