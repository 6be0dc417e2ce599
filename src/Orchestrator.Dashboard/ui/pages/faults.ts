import { call, wordsOf } from '../api.js';
import { h, KeyedList, setText, show } from '../dom.js';
import { EventList } from '../event-list.js';
import { clock, words } from '../format.js';
import { Ledger } from '../ledger.js';
import { workerLink } from '../links.js';
import { model } from '../model.js';
import { view } from '../moment.js';
import type { Page } from '../page.js';
import { statePillOfWorker } from '../worker-state.js';
import { lookAt } from '../time-strip.js';
import type { WorkerInfo } from '../types.js';

/** Kills, stops and slows workers, with the ledger beside it: no task may get lost. */

const faults: [kind: string, name: string, hint: string][] = [
  ['KILL', 'Kill', 'SIGKILL: the process ends at once'],
  ['STOP', 'Stop', 'SIGSTOP, and SIGCONT after the time; without heartbeats it is killed'],
  ['SLOW', 'Slow', 'stopped for half of each 100 ms'],
];

class Faults implements Page {
  readonly element: HTMLElement;
  private readonly ledger = new Ledger();
  private readonly duration = h('input', { type: 'number', min: '0.1', max: '60', step: 'any', value: '5', id: 'fault-duration' });
  private readonly done = h('ul', { class: 'feed', 'aria-live': 'polite' });
  private readonly events = new EventList(lookAt);
  private readonly workers: KeyedList<WorkerInfo>;
  private readonly rows = h('div', { class: 'faults' });
  private readonly forbidden = h(
    'p',
    { class: 'panel empty' },
    'Faults are injected by operators only, where the coordinator was started with ',
    h('code', null, 'orchestrator serve --allow-chaos'),
  );
  private readonly allowed: HTMLElement;

  constructor() {
    this.workers = new KeyedList(
      this.rows,
      worker => worker.name,
      worker => this.row(worker),
    );
    this.allowed = h(
      'div',
      { class: 'cols' },
      h(
        'section',
        { class: 'panel', 'aria-label': 'Workers' },
        h('h2', null, 'Workers', h('span', null, 'what running tasks do then is up to their retry policy')),
        h('div', { class: 'tools pad' }, h('label', { for: 'fault-duration' }, 'Stop and slow for ', this.duration, ' s')),
        this.rows,
      ),
      h(
        'div',
        { class: 'stack' },
        h('section', { class: 'panel', 'aria-label': 'Injected' }, h('h2', null, 'Injected'), this.done),
        h('section', { class: 'panel', 'aria-label': 'Events' }, h('h2', null, 'Events'), this.events.element),
      ),
    );
    this.element = h('div', { class: 'stack' }, this.forbidden, this.ledger.element, this.allowed);
  }

  update(): void {
    const current = view();
    show(this.forbidden, !model.mayInjectFaults);
    show(this.allowed, model.mayInjectFaults);
    this.ledger.update(model.status?.tasks);
    this.workers.update(model.status?.workers ?? []);
    this.events.update(current.events, 15);
  }

  private row(first: WorkerInfo): { element: HTMLElement; update(worker: WorkerInfo): void } {
    const state = h('span');
    const buttons = faults.map(([kind, name, hint]) =>
      h(
        'button',
        {
          type: 'button',
          class: kind === 'KILL' ? 'btn danger' : 'btn',
          title: hint,
          'data-test': `fault-${kind.toLowerCase()}`,
          onclick: () => void this.inject(kind, name, first.name),
        },
        name,
      ),
    );
    const element = h('div', { class: 'row', 'data-name': first.name }, workerLink(first.name), state, h('span', { class: 'tools' }, buttons));
    let shown = '';
    return {
      element,
      update: worker => {
        const key = `${worker.state}#${worker.incarnation}`;
        if (key === shown) return;
        shown = key;
        state.replaceChildren(statePillOfWorker(worker.state), ` #${worker.incarnation ?? ''}`);
        for (const button of buttons)
          button.disabled = words(worker.state, 'WORKER_STATE_') !== 'ready' && words(worker.state, 'WORKER_STATE_') !== 'draining';
      },
    };
  }

  private async inject(kind: string, name: string, worker: string): Promise<void> {
    const note = h('span');
    const entry = h(
      'li',
      null,
      h('span', { class: 'g late', 'aria-hidden': 'true' }, '▲'),
      h('span', null, h('b', null, `${name} ${worker}`), h('em', null, note)),
      h('time', null, clock(model.now())),
    );
    this.done.prepend(entry);
    try {
      const duration = kind === 'KILL' ? undefined : `${Math.min(60, Math.max(0.1, Number(this.duration.value) || 5))}s`;
      const answer = await call<{ worker?: string; pid?: number }>('AdminService/InjectFault', { kind: `FAULT_KIND_${kind}`, worker, duration });
      setText(note, `${answer.worker ?? worker}, pid ${answer.pid ?? ''}${duration ? `, for ${duration.replace('s', ' s')}` : ''}`);
    } catch (error) {
      setText(note, wordsOf(error));
    }
  }
}

export const page = (): Page => new Faults();
