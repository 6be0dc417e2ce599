import { stateLook } from './colours.js';
import { h, setAttribute, setText } from './dom.js';
import { count, int } from './format.js';
import type { TaskCounts } from './types.js';

/** Every accepted task is in exactly one state: the sum that proves that none is lost. */

const states: [state: string, field: keyof TaskCounts][] = [
  ['queued', 'queued'],
  ['running', 'running'],
  ['succeeded', 'succeeded'],
  ['failed', 'failed'],
  ['cancelled', 'cancelled'],
  ['timed out', 'timedOut'],
  ['worker lost', 'workerLost'],
];

export class Ledger {
  readonly element: HTMLElement;
  private readonly accepted = h('b');
  private readonly verdict = h('span', { class: 'verdict' });
  private readonly parts = states.map(([state, field]) => {
    const look = stateLook(state);
    const value = h('b', { 'data-state': state.replaceAll(' ', '_') });
    return {
      field,
      value,
      bar: h('i', { class: look.tone }),
      element: h('span', null, h('i', { class: `dot ${look.tone}`, 'aria-hidden': 'true' }), `${state} `, value),
    };
  });

  constructor() {
    this.element = h(
      'section',
      { class: 'panel ledger', 'data-test': 'ledger', 'aria-label': 'Ledger: every accepted task in one state' },
      h(
        'div',
        { class: 'row' },
        h('span', null, 'accepted ', this.accepted),
        h('span', { 'aria-hidden': 'true' }, '='),
        this.parts.map(part => part.element),
        this.verdict,
      ),
      h(
        'div',
        { class: 'seg', 'aria-hidden': 'true' },
        this.parts.map(part => part.bar),
      ),
    );
  }

  update(tasks: TaskCounts | undefined): void {
    const accepted = int(tasks?.accepted);
    let sum = 0;
    for (const part of this.parts) {
      const value = int(tasks?.[part.field]);
      sum += value;
      setText(part.value, count(value));
      // What exists is at least visible; the rest in proportion.
      part.bar.hidden = value === 0;
      const grow = String(Math.max(0.01, Math.round((value / Math.max(1, accepted)) * 1000) / 1000));
      if (part.bar.style.flexGrow !== grow) part.bar.style.flexGrow = grow;
    }
    setText(this.accepted, count(accepted));
    setAttribute(this.element, 'data-accepted', String(accepted));
    setAttribute(this.element, 'data-sum', String(sum));
    const balances = sum === accepted;
    setText(this.verdict, balances ? '✓ the ledger balances' : `✕ the states sum to ${count(sum)}`);
    setAttribute(this.verdict, 'class', balances ? 'verdict ok' : 'verdict bad');
  }
}
