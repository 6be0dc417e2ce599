import { call } from '../api.js';
import { area } from '../charts.js';
import { themed } from '../colours.js';
import { h, show, Table } from '../dom.js';
import { bytes, count, int, none, rate, seconds, shortCount, span, toInstant, words } from '../format.js';
import { objectLink, queueLink } from '../links.js';
import { PagedList, tabs } from '../lists.js';
import { model } from '../model.js';
import { Repeat, type Page } from '../page.js';
import { change, cursor, parameter } from '../router.js';
import { latest, seriesByName } from '../series.js';
import type { History, PipeInfo, QueueInfo } from '../types.js';
import { QueuePeek } from './queue-peek.js';

/** Queues: how full, how fast, who waits; and pipes. */

const pageSize = 50;
const pauseBetween = 2000;
/** The series of the queues cost more; the coordinator takes them once a second. */
const seriesPause = 10_000;
const charted = 15 * 60_000;

interface QueueSeries {
  items: number[];
  put: number;
  taken: number;
  oldest: number;
  depth: number;
}

class Queues implements Page {
  readonly element: HTMLElement;
  private readonly views = tabs(
    'Part',
    [
      ['queues', 'Queues'],
      ['pipes', 'Pipes'],
    ],
    view => change({ view: view === 'queues' ? undefined : view, queue: undefined }),
  );
  private readonly queues = new PagedList<QueueInfo>('QueueService/ListQueues', 'queues', 'queue', pageSize, () => this.draw());
  private readonly pipes = new PagedList<PipeInfo>('PipeService/ListPipes', 'pipes', 'pipe', pageSize, () => this.draw());
  private readonly table: Table<QueueInfo>;
  private readonly pipeTable: Table<PipeInfo>;
  private readonly series = new Map<string, QueueSeries>();
  private readonly empty = h(
    'p',
    { class: 'empty', hidden: true },
    'No queue. Put something into one: ',
    h('code', null, 'orchestrator queue put jobs \'{"n": 1}\''),
  );
  private readonly noPipes = h(
    'p',
    { class: 'empty', hidden: true },
    'No pipe. Handlers and clients create them. ',
    h('code', null, 'orchestrator guide'),
    ' names an example.',
  );
  private readonly note = h(
    'p',
    { class: 'panel empty', hidden: true },
    'Of that moment, the rates, the number of items and the age of the oldest are known; the other columns show now.',
  );
  private readonly place = h('div');
  private readonly queuesPanel: HTMLElement;
  private readonly pipesPanel: HTMLElement;
  private readonly repeat: Repeat;
  private readonly seriesRepeat: Repeat;
  private peek: QueuePeek | null = null;
  private queue = '';
  private at: number | null = null;

  constructor() {
    this.table = new Table<QueueInfo>({
      caption: 'Queues',
      key: queue => queue.spec.name,
      attributes: queue => ({ 'data-test': 'queue', 'data-name': queue.spec.name }),
      select: queue => change({ queue: queue.spec.name }),
      selected: queue => queue.spec.name === this.queue,
      columns: [
        {
          title: 'queue',
          key: flags,
          build: queue => [
            queueLink(queue.spec.name),
            flags(queue)
              .split('|')
              .filter(Boolean)
              .map(flag => h('span', { class: 'pill warn' }, flag)),
          ],
        },
        { title: 'kind', class: 'l hide dimv', text: queue => words(queue.spec.kind, 'QUEUE_KIND_') },
        {
          title: 'items, 15 min',
          class: 'hide',
          build: () => h('canvas', { class: 'spark', 'aria-hidden': 'true' }),
          refresh: (cell, queue) => this.spark(cell, queue),
        },
        { title: 'ready', text: queue => (this.at !== null ? count(this.of(queue)?.depth ?? NaN) : count(int(queue.readyItems))) },
        { title: 'leased', class: 'hide', text: queue => count(int(queue.leasedItems)) },
        { title: 'delayed', class: 'hide', text: queue => count(int(queue.delayedItems)) },
        { title: 'in /s', text: queue => rate(this.of(queue)?.put ?? NaN) },
        { title: 'out /s', text: queue => rate(this.of(queue)?.taken ?? NaN) },
        { title: 'oldest', text: queue => span(this.at !== null ? (this.of(queue)?.oldest ?? NaN) : seconds(queue.oldestAge)) },
        { title: 'of at most', hint: 'items and bytes that it may hold', class: 'hide', text: bounds },
        { title: 'wait to get', class: 'hide', text: queue => count(queue.waitingGetters ?? 0) },
        { title: 'wait to put', class: 'hide', text: queue => count(queue.waitingPutters ?? 0) },
        { title: 'dead letters', class: 'hide', key: letters, build: queue => lettersView(queue) },
      ],
    });
    this.pipeTable = new Table<PipeInfo>({
      caption: 'Pipes',
      key: pipe => pipe.spec.name,
      attributes: pipe => ({ 'data-test': 'pipe', 'data-name': pipe.spec.name }),
      selected: pipe => pipe.spec.name === parameter('pipe'),
      columns: [
        { title: 'pipe', build: pipe => objectLink(`pipes/${pipe.spec.name}`) },
        { title: 'way', class: 'l', text: pipe => `${pipe.spec.duplex ? 'A ⇄ B' : 'A ← B'}${pipe.spec.direct ? ', direct' : ''}` },
        { title: 'waits for A', text: pipe => (pipe.spec.direct ? none : count(pipe.bufferedToA ?? 0)) },
        { title: 'waits for B', text: pipe => (pipe.spec.direct ? none : count(pipe.bufferedToB ?? 0)) },
        { title: 'end A', class: 'l', text: pipe => end(pipe.aAttached, pipe.aClosed) },
        { title: 'end B', class: 'l', text: pipe => end(pipe.bAttached, pipe.bClosed) },
        { title: 'made by', class: 'l hide', text: pipe => pipe.owner || 'the owner' },
      ],
    });
    this.queuesPanel = h(
      'section',
      { class: 'panel', 'aria-label': 'Queues' },
      h('h2', null, 'Queues', this.queues.total),
      this.queues.problem,
      h('div', { class: 'scroll' }, this.table.element),
      this.empty,
      h('div', { class: 'tools foot' }, this.queues.more),
    );
    this.pipesPanel = h(
      'section',
      { class: 'panel', 'aria-label': 'Pipes' },
      h('h2', null, 'Pipes', this.pipes.total),
      this.pipes.problem,
      h('div', { class: 'scroll' }, this.pipeTable.element),
      this.noPipes,
      h('div', { class: 'tools foot' }, this.pipes.more),
    );
    this.element = h(
      'div',
      { class: 'stack' },
      h('div', { class: 'tools' }, this.views.element),
      this.note,
      this.place,
      this.queuesPanel,
      this.pipesPanel,
    );
    this.repeat = new Repeat(() => this.load(), pauseBetween);
    this.seriesRepeat = new Repeat(() => this.loadSeries(), seriesPause);
  }

  update(): void {
    const view = parameter('view') || 'queues';
    this.views.update(view);
    if (this.queuesPanel.hidden !== (view !== 'queues')) this.repeat.now();
    show(this.queuesPanel, view === 'queues');
    show(this.pipesPanel, view === 'pipes');
    show(this.note, cursor() !== null);
    if (cursor() !== this.at) {
      this.at = cursor();
      this.seriesRepeat.now();
    }
    const queue = parameter('queue');
    if (queue === this.queue) return;
    this.queue = queue;
    this.peek = queue ? new QueuePeek(queue, () => change({ queue: undefined })) : null;
    this.place.replaceChildren(...(this.peek ? [this.peek.element] : []));
    this.draw();
  }

  close(): void {
    this.repeat.close();
    this.seriesRepeat.close();
  }

  private async load(): Promise<void> {
    if (parameter('view') === 'pipes') return this.pipes.load();
    const known = this.queues.items.length;
    await this.queues.load();
    if (known !== this.queues.items.length) this.seriesRepeat.now();
  }

  private async loadSeries(): Promise<void> {
    const names = this.queues.items.map(queue => queue.spec.name);
    if (names.length === 0) return;
    const to = this.at ?? model.now();
    const ask = (length: number, step: string, series: string[]): Promise<History | null> =>
      call<History>('AdminService/GetHistory', { from: toInstant(to - length), to: toInstant(to), step, series }).catch(() => null);
    const [depth, now] = await Promise.all([
      ask(
        charted,
        '15s',
        names.map(name => `queue/${name}/items`),
      ),
      ask(
        12_000,
        '1s',
        names.flatMap(name => ['in', 'out', 'oldest', 'items'].map(what => `queue/${name}/${what}`)),
      ),
    ]);
    if (!depth || !now) return;
    const [depths, figures] = [seriesByName(depth), seriesByName(now)];
    const mean = (values: number[] | undefined): number => {
      const known = values?.filter(value => !Number.isNaN(value)) ?? [];
      return known.length > 0 ? known.reduce((a, b) => a + b) / known.length : NaN;
    };
    this.series.clear();
    for (const name of names)
      this.series.set(name, {
        items: depths.get(`queue/${name}/items`) ?? [],
        put: mean(figures.get(`queue/${name}/in`)),
        taken: mean(figures.get(`queue/${name}/out`)),
        oldest: latest(figures.get(`queue/${name}/oldest`)),
        depth: latest(figures.get(`queue/${name}/items`)),
      });
    this.draw();
  }

  private of(queue: QueueInfo): QueueSeries | undefined {
    return this.series.get(queue.spec.name);
  }

  private spark(cell: HTMLElement, queue: QueueInfo): void {
    area(cell.firstElementChild as HTMLCanvasElement, this.of(queue)?.items ?? [], themed('run'), 1, 0.14);
  }

  private draw(): void {
    this.table.update(this.queues.items);
    this.pipeTable.update(this.pipes.items);
    show(this.empty, this.queues.items.length === 0);
    show(this.noPipes, this.pipes.items.length === 0);
    const chosen = this.queues.items.find(queue => queue.spec.name === this.queue);
    if (chosen) this.peek?.update(chosen);
  }
}

/** What is wrong with a queue, in few words. */
function flags(queue: QueueInfo): string {
  const ready = int(queue.readyItems);
  return [
    queue.shutDown ? 'shut down' : '',
    ready > 0 && !queue.waitingGetters && int(queue.leasedItems) === 0 && seconds(queue.oldestAge) > 5 ? 'nobody consumes' : '',
    queue.waitingPutters ? 'full' : '',
  ].join('|');
}

function bounds(queue: QueueInfo): string {
  const [items, size] = [int(queue.spec.maxItems), int(queue.spec.maxBytes)];
  return [items > 0 ? shortCount(items) : '', size > 0 ? bytes(size) : ''].filter(Boolean).join(', ') || none;
}

const letters = (queue: QueueInfo): string => `${queue.deadLetteredItems ?? 0} ${queue.droppedItems ?? 0} ${queue.spec.deadLetterQueue ?? ''}`;

function lettersView(queue: QueueInfo): HTMLElement {
  const [dead, dropped] = [int(queue.deadLetteredItems), int(queue.droppedItems)];
  if (dead + dropped === 0) return h('span', { class: 'dimv' }, none);
  return h(
    'span',
    { class: 'badv' },
    dead > 0 ? [count(dead), ' → ', queueLink(queue.spec.deadLetterQueue ?? '')] : '',
    dropped > 0 ? ` ${count(dropped)} dropped` : '',
  );
}

const end = (attached: boolean | undefined, closed: boolean | undefined): string => (closed ? 'closed' : attached ? 'attached' : 'free');

export const page = (): Page => new Queues();
