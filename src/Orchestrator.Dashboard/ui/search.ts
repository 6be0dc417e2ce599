import { call } from './api.js';
import { fill, h, show, type Child } from './dom.js';
import { handlerDot } from './links.js';
import { model } from './model.js';
import { allowedEntries } from './navigation.js';
import { address, go } from './router.js';
import type { QueueInfo, SyncInfo } from './types.js';

/** The search of the top bar: pages, tasks by id, handlers, workers, queues and shared objects by name. */

interface Found {
  text: string;
  kind: string;
  to: string;
  mark?: Child;
}

const most = 9;

export class Search {
  readonly input = h('input', {
    type: 'search',
    placeholder: 'Task, handler, queue, lock…',
    'aria-label': 'Search',
    'data-test': 'search',
    autocomplete: 'off',
    spellcheck: 'false',
    role: 'combobox',
    'aria-expanded': 'false',
    'aria-controls': 'found',
  });
  private readonly results = h('ul', { id: 'found', role: 'listbox', class: 'panel found', hidden: true });
  readonly element = h('div', { class: 'search' }, this.input, h('kbd', { 'aria-hidden': 'true' }, '/'), this.results);
  private found: Found[] = [];
  private chosen = 0;
  private names: Found[] = [];
  private asked = -Infinity;

  constructor() {
    this.input.addEventListener('input', () => this.look());
    this.input.addEventListener('focus', () => void this.loadNames());
    // After the click on a result has been handled.
    this.input.addEventListener('blur', () => setTimeout(() => this.close(), 150));
    this.input.addEventListener('keydown', event => this.key(event));
  }

  private key(event: KeyboardEvent): void {
    const step = event.key === 'ArrowDown' ? 1 : event.key === 'ArrowUp' ? -1 : 0;
    if (step !== 0 && this.found.length > 0) {
      event.preventDefault();
      this.chosen = (this.chosen + step + this.found.length) % this.found.length;
      this.draw();
    } else if (event.key === 'Enter' && this.found[this.chosen]) this.open(this.found[this.chosen]!);
    else if (event.key === 'Escape') {
      event.stopPropagation();
      this.input.value = '';
      this.input.blur();
    }
  }

  private look(): void {
    const text = this.input.value.trim();
    this.chosen = 0;
    this.found = text === '' ? [] : this.matches(text);
    this.draw();
  }

  private matches(text: string): Found[] {
    const lower = text.toLowerCase();
    const all: Found[] = [
      ...allowedEntries().map(entry => ({ text: entry.title, kind: 'page', to: address(entry.name) })),
      ...[...model.handlers.keys()].map(name => ({ text: name, kind: 'handler', to: address('tasks', { handler: name }), mark: handlerDot(name) })),
      ...(model.status?.workers ?? []).map(worker => ({ text: worker.name, kind: 'worker', to: address('stream', { worker: worker.name }) })),
      ...this.names,
    ];
    const hits = all.filter(item => item.text.toLowerCase().includes(lower));
    // Names that begin so come first.
    hits.sort((a, b) => Number(b.text.toLowerCase().startsWith(lower)) - Number(a.text.toLowerCase().startsWith(lower)));
    const found = hits.slice(0, most);
    if (/^\d+$/.test(text)) found.unshift({ text, kind: 'task', to: address('tasks', { task: text }) });
    found.push({ text, kind: 'tasks with this text', to: address('tasks', { text }) });
    return found;
  }

  private draw(): void {
    fill(
      this.results,
      this.found.map((item, i) =>
        h(
          'li',
          {
            role: 'option',
            class: i === this.chosen ? 'on' : undefined,
            'aria-selected': String(i === this.chosen),
            onmousedown: () => this.open(item),
          },
          h('span', null, item.mark, item.text),
          h('em', null, item.kind),
        ),
      ),
    );
    show(this.results, this.found.length > 0);
    this.input.setAttribute('aria-expanded', String(this.found.length > 0));
  }

  private open(item: Found): void {
    this.input.value = '';
    this.input.blur();
    this.close();
    go(item.to);
  }

  private close(): void {
    this.found = [];
    this.draw();
  }

  /** Queues and shared objects are requested when a search begins. */
  private async loadNames(): Promise<void> {
    if (performance.now() - this.asked < 10_000) return;
    this.asked = performance.now();
    void model.loadHandlers();
    const [queues, objects] = await Promise.all([
      call<{ queues?: QueueInfo[] }>('QueueService/ListQueues', { pageSize: 500 }).catch(() => null),
      call<{ objects?: SyncInfo[] }>('SyncService/ListSync', { pageSize: 500 }).catch(() => null),
    ]);
    this.names = [
      ...(queues?.queues ?? []).map(queue => ({ text: queue.spec.name, kind: 'queue', to: address('queues', { queue: queue.spec.name }) })),
      ...(objects?.objects ?? []).map(item => ({
        text: item.object,
        kind: 'object',
        to: address('waits', { view: 'objects', object: item.object }),
      })),
    ];
    this.look();
  }
}
