import { call, wordsOf } from '../api.js';
import { h, meter, setText, show, Table } from '../dom.js';
import { bytes, count, instant, int, longSpan, none, shortCount } from '../format.js';
import { clientLink, queueLink, workerLink } from '../links.js';
import { tabs } from '../lists.js';
import { model } from '../model.js';
import { view } from '../moment.js';
import { Repeat, type Page } from '../page.js';
import { change, parameter } from '../router.js';
import type { Limit, QueueInfo, StreamFlow, WorkerInfo } from '../types.js';

/** Where work is held back: streams without credits, full queues, limits. */

const pauseBetween = 1000;

class Flow implements Page {
  readonly element: HTMLElement;
  private readonly views = tabs(
    'Part',
    [
      ['flows', 'Streams and queues'],
      ['limits', 'Limits'],
    ],
    view => change({ view: view === 'flows' ? undefined : view }),
  );
  private readonly problem = h('p', { class: 'badv', role: 'alert' });
  private readonly streams = streamTable();
  private readonly workers = workerTable();
  private readonly queues = queueTable();
  private readonly limits = limitTable();
  private readonly noStreams = h(
    'p',
    { class: 'empty', hidden: true },
    'No open task stream. Open one: ',
    h('code', null, 'orchestrator run fibonacci \'{"n": 30}\' --count 100000'),
  );
  private readonly noQueues = h('p', { class: 'empty', hidden: true }, 'No queue holds its producers back.');
  private readonly flows: HTMLElement;
  private readonly limitsPanel: HTMLElement;
  private readonly repeat: Repeat;

  constructor() {
    const panel = (title: string, note: string, table: HTMLElement, empty?: HTMLElement): HTMLElement =>
      h('section', { class: 'panel', 'aria-label': title }, h('h2', null, title, h('span', null, note)), h('div', { class: 'scroll' }, table), empty);
    this.flows = h(
      'div',
      { class: 'stack' },
      panel('Task streams', 'a stream without credits may send no more tasks', this.streams.element, this.noStreams),
      panel('Workers', 'what each has taken ahead of time', this.workers.element),
      panel('Queues with waiting producers', 'full until a consumer takes an item', this.queues.element, this.noQueues),
    );
    this.limitsPanel = panel('Limits', 'the fullest first', this.limits.element);
    this.element = h('div', { class: 'stack' }, h('div', { class: 'tools' }, this.views.element), this.problem, this.flows, this.limitsPanel);
    this.repeat = new Repeat(() => this.load(), pauseBetween);
  }

  update(): void {
    const limits = parameter('view') === 'limits';
    this.views.update(limits ? 'limits' : 'flows');
    if (this.limitsPanel.hidden === limits) this.repeat.now();
    show(this.flows, !limits);
    show(this.limitsPanel, limits);
    this.workers.update(view().status?.workers ?? []);
  }

  close(): void {
    this.repeat.close();
  }

  private async load(): Promise<void> {
    try {
      if (parameter('view') === 'limits') {
        const { limits } = await call<{ limits?: Limit[] }>('AdminService/ListLimits');
        this.limits.update((limits ?? []).sort((a, b) => shareOf(b) - shareOf(a)));
      } else {
        const [flows, queues] = await Promise.all([
          call<{ streams?: StreamFlow[] }>('AdminService/ListFlows'),
          call<{ queues?: QueueInfo[] }>('QueueService/ListQueues', { pageSize: 500 }),
        ]);
        const streams = (flows.streams ?? []).sort(
          (a, b) => Number(!!b.stalledSince) - Number(!!a.stalledSince) || (b.creditsUsed ?? 0) - (a.creditsUsed ?? 0),
        );
        this.streams.update(streams);
        show(this.noStreams, streams.length === 0);
        const full = (queues.queues ?? []).filter(queue => (queue.waitingPutters ?? 0) > 0);
        this.queues.update(full);
        show(this.noQueues, full.length === 0);
      }
      setText(this.problem, '');
    } catch (error) {
      setText(this.problem, wordsOf(error));
    }
  }
}

/** A number of a maximum, with a bar. */
function used<Row>(
  share: (row: Row) => [used: number, most: number],
  text: (row: Row) => string,
): { build(row: Row): HTMLElement; refresh(cell: HTMLTableCellElement, row: Row): void } {
  const bars = new WeakMap<Element, ReturnType<typeof meter>>();
  return {
    build: () => {
      const bar = meter();
      const element = h('div', { class: 'used' }, h('span'), bar.element);
      bars.set(element, bar);
      return element;
    },
    refresh: (cell, row) => {
      const element = cell.firstElementChild!;
      setText(element.firstElementChild!, text(row));
      const [value, most] = share(row);
      const part = most > 0 ? value / most : 0;
      bars.get(element)!.set(part, part > 0.95 ? 'bad' : part > 0.75 ? 'late' : '');
    },
  };
}

function streamTable(): Table<StreamFlow> {
  const credits = used<StreamFlow>(
    flow => [flow.creditsUsed ?? 0, flow.creditsLimit ?? 0],
    flow => `${count(flow.creditsUsed ?? 0)} of ${count(flow.creditsLimit ?? 0)}`,
  );
  const size = used<StreamFlow>(
    flow => [int(flow.bytesUsed), int(flow.bytesLimit)],
    flow => `${bytes(int(flow.bytesUsed))} of ${bytes(int(flow.bytesLimit))}`,
  );
  return new Table<StreamFlow>({
    caption: 'Task streams',
    key: flow => flow.number ?? '',
    attributes: flow => ({ 'data-test': 'flow', 'data-id': flow.number ?? '' }),
    columns: [
      { title: 'stream', text: flow => `no. ${flow.number ?? ''}` },
      { title: 'client', class: 'l', build: flow => (flow.client ? clientLink(flow.client) : 'the owner') },
      { title: 'open for', class: 'hide', text: flow => longSpan((model.now() - instant(flow.openedAt)) / 1000) },
      { title: 'credits used', ...credits },
      { title: 'bytes used', class: 'hide', ...size },
      {
        title: 'results not read',
        text: flow => `${count(flow.unreadResults ?? 0)}${flow.unreadBytes && flow.unreadBytes !== '0' ? `, ${bytes(int(flow.unreadBytes))}` : ''}`,
      },
      {
        title: 'held back',
        class: 'l',
        key: flow => (flow.stalledSince ? 'yes' : 'no'),
        build: flow => h('span', { class: flow.stalledSince ? 'latev' : 'dimv' }),
        refresh: (cell, flow) =>
          setText(cell.firstElementChild!, flow.stalledSince ? `▲ for ${longSpan((model.now() - instant(flow.stalledSince)) / 1000)}` : 'no'),
      },
    ],
  });
}

function workerTable(): Table<WorkerInfo> {
  return new Table<WorkerInfo>({
    caption: 'Workers',
    key: worker => worker.name,
    columns: [
      { title: 'worker', build: worker => workerLink(worker.name) },
      { title: 'group', class: 'l hide', text: worker => worker.group || none },
      { title: 'running', text: worker => count(worker.runningTasks ?? 0) },
      { title: 'taken ahead', hint: 'sent to the worker, not started', text: worker => count(worker.prefetchedTasks ?? 0) },
      {
        title: 'cpu · io · blk',
        class: 'hide',
        text: worker => `${worker.runningCpu ?? 0} · ${worker.runningIo ?? 0} · ${worker.runningBlocking ?? 0}`,
      },
      { title: 'threads', class: 'hide', text: worker => count(worker.threads ?? 0) },
    ],
  });
}

function queueTable(): Table<QueueInfo> {
  return new Table<QueueInfo>({
    caption: 'Queues with waiting producers',
    key: queue => queue.spec.name,
    columns: [
      { title: 'queue', build: queue => queueLink(queue.spec.name) },
      { title: 'producers waiting', text: queue => count(queue.waitingPutters ?? 0) },
      { title: 'items', text: queue => `${count(int(queue.readyItems))} of ${shortCount(int(queue.spec.maxItems))}` },
      { title: 'consumers waiting', text: queue => count(queue.waitingGetters ?? 0) },
      { title: 'leased', class: 'hide', text: queue => count(int(queue.leasedItems)) },
    ],
  });
}

const shareOf = (limit: Limit): number => (int(limit.maximum) > 0 ? int(limit.used) / int(limit.maximum) : -1);

function limitTable(): Table<Limit> {
  const amount = (value: number, unit: string | undefined): string => (unit === 'bytes' ? bytes(value) : `${count(value)}${unit ? ` ${unit}` : ''}`);
  return new Table<Limit>({
    caption: 'Limits',
    key: limit => limit.name,
    attributes: limit => ({ 'data-test': 'limit', 'data-name': limit.name }),
    columns: [
      { title: 'limit', build: limit => h('code', null, limit.name) },
      {
        title: 'used',
        ...used<Limit>(
          limit => [int(limit.used), int(limit.maximum)],
          limit => amount(int(limit.used), limit.unit),
        ),
      },
      { title: 'at most', text: limit => (int(limit.maximum) > 0 ? amount(int(limit.maximum), limit.unit) : none) },
      { title: 'of what', class: 'l wrap', text: limit => limit.description ?? '' },
    ],
  });
}

export const page = (): Page => new Flow();
