import { area } from '../charts.js';
import { handlerColour } from '../colours.js';
import { h, setAttribute, setText, Table } from '../dom.js';
import { int, none, rate, seconds, span } from '../format.js';
import { handlerLink } from '../links.js';
import { model } from '../model.js';
import type { View } from '../moment.js';
import type { HandlerWindow, TaskCounts } from '../types.js';

/** The handlers of the last ten seconds. */

interface Row {
  window: HandlerWindow;
  counts: TaskCounts;
  length: number;
}

const sparkPoints = 90;
/** Rows beyond this are only shown when asked for. */
const most = 40;

/** The rates of each handler in the last 90 seconds. */
export class Sparks {
  private readonly values = new Map<string, number[]>();
  private second = 0;

  /** Takes the rates of a status, once a second. */
  take(handlers: readonly HandlerWindow[], at: number): void {
    const second = Math.floor(at / 1000);
    if (second === this.second) return;
    this.second = second;
    const rates = new Map(handlers.map(handler => [handler.handler, handler.perSecond ?? 0]));
    for (const name of rates.keys()) if (!this.values.has(name)) this.values.set(name, []);
    for (const [name, values] of this.values) {
      values.push(rates.get(name) ?? 0);
      if (values.length > sparkPoints) values.shift();
    }
  }

  /** What is known of a handler, with nothing before it. */
  of(name: string): number[] {
    const values = this.values.get(name) ?? [];
    return [...new Array<number>(sparkPoints - values.length).fill(NaN), ...values];
  }

  /** Puts the past before what has been seen. */
  prepend(name: string, past: readonly number[]): void {
    const values = this.values.get(name) ?? [];
    this.values.set(name, [...past.map(value => (Number.isNaN(value) ? 0 : value)), ...values].slice(-sparkPoints));
  }
}

export class HandlerTable {
  readonly element: HTMLElement;
  private readonly empty = h(
    'p',
    { class: 'empty', hidden: true },
    'No task ended in this time. Run one: ',
    h('code', null, 'orchestrator run fibonacci \'{"n": 30}\' --count 1000'),
  );
  private readonly title = h('span');
  private readonly rest = h('p', { class: 'empty', hidden: true });
  private live = true;
  private readonly table: Table<Row>;

  constructor(private readonly sparks: Sparks) {
    this.table = new Table<Row>({
      caption: 'Handlers',
      key: row => row.window.handler,
      attributes: row => ({ 'data-test': 'handler', 'data-name': row.window.handler }),
      columns: [
        { title: 'handler', key: row => row.window.handler, build: row => handlerLink(row.window.handler) },
        { title: 'kind', class: 'l hide dimv', text: row => model.kindOf(row.window.handler) ?? none },
        { title: '/s', hint: 'tasks that ended', text: row => rate(row.window.perSecond ?? 0) },
        {
          title: '',
          class: 'hide',
          build: () => h('canvas', { class: 'spark', 'aria-hidden': 'true' }),
          refresh: (cell, row) => this.spark(cell, row),
        },
        { title: 'run p50', class: 'hide', text: row => span(seconds(row.window.runP50)) },
        { title: 'run p99', text: row => span(seconds(row.window.runP99)) },
        { title: 'latency p99', hint: 'from a task’s acceptance to its end', text: row => span(seconds(row.window.latencyP99)) },
        {
          title: 'where the time goes',
          hint: 'of a typical task: the part in which it ran, and the part in which it waited and travelled',
          class: 'l hide',
          build: () => h('div', { class: 'split', role: 'img' }, h('i', { class: 'wait' }), h('i', { class: 'run' })),
          refresh: split,
        },
        { title: 'in flight', hint: 'queued and running', class: 'hide', text: row => String(int(row.counts.queued) + int(row.counts.running)) },
        {
          title: 'failed',
          hint: 'in this time',
          key: failed,
          build: row => h('span', { class: failed(row) === none ? 'dimv' : 'badv' }, failed(row)),
        },
      ],
    });
    this.element = h(
      'section',
      { class: 'panel', 'aria-label': 'Handlers' },
      h(
        'h2',
        null,
        'Handlers',
        h(
          'em',
          { class: 'legend hide' },
          h('i', null, h('b', { class: 'dot wait' }), 'waits and travels'),
          h('i', null, h('b', { class: 'dot run' }), 'runs'),
        ),
        this.title,
      ),
      h('div', { class: 'scroll' }, this.table.element),
      this.rest,
      this.empty,
    );
  }

  update(view: View): void {
    const { status, live } = view;
    this.live = live;
    const length = seconds(status?.window?.length ?? '0s');
    const counts = new Map((status?.handlers ?? []).map(handler => [handler.handler, handler.counts ?? {}]));
    const rows = (status?.window?.handlers ?? [])
      .filter(window => live || window.perSecond || int(counts.get(window.handler)?.running) + int(counts.get(window.handler)?.queued) > 0)
      .map((window): Row => ({ window, counts: counts.get(window.handler) ?? {}, length }))
      .sort((a, b) => (a.window.handler < b.window.handler ? -1 : 1));
    const kept = rows.length > most ? [...rows].sort((a, b) => (b.window.perSecond ?? 0) - (a.window.perSecond ?? 0)).slice(0, most) : rows;
    this.table.update(kept);
    this.table.element.hidden = rows.length === 0;
    this.empty.hidden = !status || rows.length > 0;
    this.rest.hidden = rows.length <= most;
    setText(this.rest, `and ${rows.length - most} more with fewer tasks`);
    setText(this.title, live ? `last ${Math.round(length)} s` : 'that second');
  }

  private spark(cell: HTMLElement, row: Row): void {
    const canvas = cell.firstElementChild as HTMLCanvasElement;
    canvas.hidden = !this.live;
    if (this.live) area(canvas, this.sparks.of(row.window.handler), handlerColour(row.window.handler), 1, 0.12);
  }
}

/** Tasks that failed in the window, as a whole number. */
function failed(row: Row): string {
  const number = (row.window.failedPerSecond ?? 0) * row.length;
  return number > 0 ? String(Math.max(1, Math.round(number))) : none;
}

function split(cell: HTMLElement, row: Row): void {
  const element = cell.firstElementChild as HTMLElement;
  const run = seconds(row.window.runP50);
  const latency = seconds(row.window.latencyP50);
  const known = run >= 0 && latency > 0;
  const share = known ? Math.min(1, run / latency) : 0;
  element.hidden = !known;
  const [wait, runs] = element.children as unknown as [HTMLElement, HTMLElement];
  const [left, right] = [String(Math.round((1 - share) * 100)), String(Math.round(share * 100))];
  if (wait.style.flexGrow !== left) wait.style.flexGrow = left;
  if (runs.style.flexGrow !== right) runs.style.flexGrow = right;
  setAttribute(element, 'aria-label', `a typical task runs ${span(run)} of ${span(latency)}`);
  setAttribute(element, 'title', `a typical task runs ${span(run)} of ${span(latency)}`);
}
