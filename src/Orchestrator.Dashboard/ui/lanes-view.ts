import { asBars, placeLanes, type WorkerBands } from './bands.js';
import { fit, onResize } from './canvas.js';
import { handlerColour, outcomeTones, themed } from './colours.js';
import { h } from './dom.js';
import { instant, span, words } from './format.js';
import { Lanes, type Bin, type ColourBy } from './lanes.js';
import type { OpenBars } from './open-bars.js';
import { handlerNames, noRow, type LaneGroup, type SpanStore } from './spans.js';
import type { OperatorEvent, ServiceStatus } from './types.js';

/** The lanes of all workers below each other, with a scale of time, names, kills and what runs now. */

const head = 22;
const foot = 20;
const gridSteps = [5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000];

export interface Hit {
  span: number;
  handler: string;
  text: string;
}

export class LanesView {
  readonly canvas = h('canvas', {
    class: 'lanes',
    'data-test': 'lanes',
    role: 'img',
    tabindex: '0',
    'aria-label': 'What each worker ran, over time',
  });
  lanes: Lanes;
  /** How much time is visible, in milliseconds. */
  shown = 10_000;
  colourBy: ColourBy = 'handler';
  only = '';
  worker = '';
  private stale = true;
  private workers: WorkerBands[] = [];
  private readonly bars = new Map<LaneGroup, boolean>();
  private rowsKey = '';
  private checked = -Infinity;
  private edge = 0;
  // The lower and the upper half of the marked task's id; none if both are zero.
  private selectedLow = 0;
  private selectedHigh = 0;

  constructor(
    private store: SpanStore,
    private bins: readonly Bin[] = [],
  ) {
    this.lanes = new Lanes(store, bins);
    onResize(this.canvas, () => this.redraw());
  }

  use(store: SpanStore, bins: readonly Bin[]): void {
    if (store === this.store && bins === this.bins) return;
    this.store = store;
    this.bins = bins;
    this.lanes = new Lanes(store, bins);
    this.bars.clear();
    this.redraw();
  }

  redraw(): void {
    this.stale = true;
  }

  get source(): SpanStore {
    return this.store;
  }

  /** Marks the newest span of a task; empty marks none. */
  select(task: string): void {
    const id = /^\d+$/.test(task) ? BigInt(task) : 0n;
    this.selectedLow = Number(id & 0xffffffffn);
    this.selectedHigh = Number(id >> 32n);
  }

  /** Whether every span of the shown lanes is drawn by itself. */
  get allBars(): boolean {
    return this.workers.every(worker => worker.bands.every(band => band.rows > 0));
  }

  get perPixel(): number {
    return this.shown / Math.max(50, this.canvas.clientWidth - this.gutter);
  }

  private get gutter(): number {
    return this.canvas.clientWidth < 600 ? 74 : 128;
  }

  add(from: number, to: number): void {
    if (!this.stale) this.lanes.add(from, to);
  }

  /** Draws one frame: the window of time that ends at `edge`. */
  frame(edge: number, status: ServiceStatus | undefined, open: OpenBars | null, events: readonly OperatorEvent[], live: boolean): void {
    this.edge = edge;
    if (this.canvas.clientWidth === 0) return;
    if (this.stale || Math.abs(edge - this.checked) > 1000) this.check(edge, status);
    const { width, height, ratio, changed } = fit(this.canvas);
    if (changed || this.stale) this.layout(width, height, ratio, edge);
    const context = this.canvas.getContext('2d')!;
    const left = this.gutter;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = themed('panel');
    context.fillRect(0, 0, this.canvas.width, this.canvas.height);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.grid(context, width, height, left);
    context.setTransform(1, 0, 0, 1, 0, 0);
    this.lanes.show(context, Math.round(left * ratio), 0, this.canvas.width - Math.round(left * ratio), edge);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    this.names(context, left, status);
    if (open) this.running(context, width, left, open);
    this.kills(context, width, height, left, events);
    this.selection(context, width, left);
    if (live) this.fade(context, width, height);
  }

  /** What lies at a point of the canvas. */
  at(x: number, y: number): Hit | null {
    const left = this.gutter;
    if (x < left) return null;
    const time = this.edge - (this.canvas.clientWidth - x) * this.perPixel;
    const band = this.workers
      .flatMap(worker => worker.bands)
      .find(band => band.rows > 0 && y >= band.top && y < band.top + band.rows * band.rowHeight);
    if (!band) return null;
    const row = Math.floor((y - band.top) / band.rowHeight);
    const slack = this.perPixel * 1.5;
    const { store } = this;
    for (let n = store.head - 1; n >= store.first; n--) {
      const k = n & store.mask;
      if (store.end[k]! < time - 60_000) break;
      if (store.group[k] !== band.group.id || store.start[k]! > time + slack || store.end[k]! < time - slack) continue;
      const placed = store.row[k]!;
      if (placed !== row && !(band.sumHeight === 0 && row === 0 && (placed === noRow || placed >= band.rows))) continue;
      return { span: k, handler: handlerNames[store.handler[k]!]!, text: this.describe(k) };
    }
    return null;
  }

  /** The worker whose lanes lie at a height. */
  workerAt(y: number): string {
    return this.workers.find(worker => y >= worker.top && y < worker.bottom)?.worker ?? '';
  }

  private describe(k: number): string {
    const { store } = this;
    const count = store.count[k]!;
    const outcome = words(['', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT', 'WORKER_LOST'][store.outcome[k]!], '');
    const what =
      count > 1
        ? `${count} attempts in ${span((store.end[k]! - store.start[k]!) / 1000)}`
        : `task ${store.taskId(k)}, ran ${span((store.end[k]! - store.start[k]!) / 1000)}`;
    return `${handlerNames[store.handler[k]!]} · ${what}${outcome ? ` · ${outcome}` : ''}${store.retried[k] ? ', retried' : ''}`;
  }

  private check(edge: number, status: ServiceStatus | undefined): void {
    this.checked = edge;
    for (const worker of status?.workers ?? []) this.store.groupOf(worker.name, 'cpu');
    const known = new Set(status?.workers?.map(worker => worker.name));
    // Workers that were removed stay until their last span has left the picture.
    const groups = this.store.groups.filter(
      group => (this.worker === '' || group.worker === this.worker) && (known.has(group.worker) || group.end > edge - this.shown),
    );
    for (const group of groups) this.bars.set(group, group.end > 0 && asBars(group, this.perPixel, this.bars.get(group)));
    const placed = placeLanes(groups, head + 8, group => this.bars.get(group) ?? false);
    const key = placed.map(worker => worker.worker + worker.bands.map(band => `${band.group.kind}${band.rows}/${band.sumHeight}`).join()).join();
    if (key === this.rowsKey && !this.stale) return;
    this.rowsKey = key;
    this.workers = placed;
    this.stale = true;
    const height = `${Math.max(120, Math.ceil((placed.at(-1)?.bottom ?? 80) + foot))}px`;
    if (this.canvas.style.height !== height) this.canvas.style.height = height;
  }

  private layout(width: number, height: number, ratio: number, edge: number): void {
    this.stale = false;
    this.lanes.colourBy = this.colourBy;
    this.lanes.only = this.only ? handlerNames.indexOf(this.only) : -1;
    this.lanes.layout(
      width - this.gutter,
      height,
      ratio,
      this.perPixel,
      this.workers.flatMap(worker => worker.bands),
      edge,
    );
  }

  private x(at: number, width: number): number {
    return width - (this.edge - at) / this.perPixel;
  }

  private grid(context: CanvasRenderingContext2D, width: number, height: number, left: number): void {
    const step = gridSteps.find(step => step / this.perPixel >= (width < 600 ? 60 : 100)) ?? 20_000;
    context.font = '11px system-ui,"Noto Sans",sans-serif';
    // Lines keep their place in time and move with it; what they say is how long ago that was.
    for (let at = Math.floor(this.edge / step) * step; at > this.edge - this.shown; at -= step) {
      const x = this.x(at, width);
      context.fillStyle = themed('grid');
      context.fillRect(x, head, 1, height);
      context.fillStyle = themed('faint');
      const ago = (this.edge - at) / 1000;
      if (x > left && x < width - 30) context.fillText(`−${step >= 1000 ? Math.round(ago) : ago.toFixed(step >= 100 ? 1 : 2)} s`, x + 4, 14);
    }
  }

  private names(context: CanvasRenderingContext2D, left: number, status: ServiceStatus | undefined): void {
    context.font = '11px system-ui,"Noto Sans",sans-serif';
    for (const worker of this.workers) {
      const info = status?.workers?.find(other => other.name === worker.worker);
      for (const [i, band] of worker.bands.entries()) {
        const height = band.rows > 0 ? band.rows * band.rowHeight : band.sumHeight;
        const y = band.top + Math.min(13, height / 2 + 4);
        if (i === 0) this.text(context, worker.worker, y, 'text', left);
        if (band.group.kind === 'cpu') {
          const { group } = band;
          const changed = group.before && group.beforeEnd > this.edge - this.shown;
          if (height >= 26)
            this.text(
              context,
              [changed ? `${group.before} → ${group.incarnation}` : group.incarnation, 'cpu'].filter(Boolean).join(' · '),
              y + 14,
              'faint',
              left,
            );
          continue;
        }
        const many = band.group.kind === 'io' ? info?.runningIo : info?.runningBlocking;
        if (height >= 12 || i > 0) this.text(context, `${many ?? ''} ${band.group.kind}`.trim(), i === 0 ? y + 14 : y, 'faint', left);
        if (band.rows > 0 && band.sumHeight > 0) this.text(context, left < 100 ? 'the rest' : 'the rest, as a sum', band.sumTop + 13, 'faint', left);
      }
    }
  }

  private text(context: CanvasRenderingContext2D, text: string, y: number, tone: string, left: number): void {
    context.fillStyle = themed(tone);
    context.fillText(text, 12, y, left - 16);
  }

  /** Attempts that run have no span yet: a bar to the edge, with an open end. */
  private running(context: CanvasRenderingContext2D, width: number, left: number, open: OpenBars): void {
    for (const bar of open.bars) {
      const bands = this.workers.find(worker => worker.worker === bar.worker)?.bands;
      const band = bands?.find(band => band.group.kind === bar.kind) ?? bands?.[0];
      if (!band || (this.only && handlerNames[bar.handler] !== this.only)) continue;
      const row =
        band.rows > 1
          ? Math.max(
              0,
              band.group.free.findIndex(free => free <= bar.start),
            )
          : 0;
      const y = band.rows > 0 ? band.top + Math.min(row, band.rows - 1) * band.rowHeight : band.sumTop;
      const height = band.rows > 0 ? band.rowHeight - (band.rows > 1 ? 1.4 : 0) : band.sumHeight;
      const x = Math.max(left, Math.min(width - 3, this.x(bar.start, width)));
      context.fillStyle = this.colourBy === 'state' ? themed('run') : handlerColour(handlerNames[bar.handler]!);
      context.beginPath();
      context.roundRect(x, y, width - x, height, [2.5, 0, 0, 2.5]);
      context.fill();
      context.font = '600 11px system-ui,"Noto Sans",sans-serif';
      const text = `${handlerNames[bar.handler]} runs for ${span(Math.max(0, this.edge - bar.start) / 1000)}`;
      context.fillStyle = '#06101ce0';
      if (height > 15 && context.measureText(text).width < width - x - 12) context.fillText(text, x + 6, y + height / 2 + 4);
    }
  }

  private kills(context: CanvasRenderingContext2D, width: number, height: number, left: number, events: readonly OperatorEvent[]): void {
    let free = width;
    for (let i = events.length - 1; i >= 0; i--) {
      const event = events[i]!;
      const at = instant(event.at);
      if (at < this.edge - this.shown) break;
      if (at > this.edge || (event.kind !== 'worker.lost' && event.kind !== 'worker.condemned')) continue;
      const worker = this.workers.find(worker => worker.worker === (event.subject ?? '').split('#')[0]);
      if (!worker) continue;
      const x = this.x(at, width);
      if (x < left) continue;
      const tone = themed(event.kind === 'worker.lost' ? 'bad' : 'late');
      context.fillStyle = tone;
      context.fillRect(x, worker.top - 2, 1.5, height - foot - worker.top + 8);
      context.font = '600 11.5px system-ui,"Noto Sans",sans-serif';
      const text = `${event.kind === 'worker.lost' ? '✕' : '!'} ${event.subject} ${event.message ?? ''}`;
      const room = context.measureText(text).width;
      // Right of its line if there is room, else left of it; of texts that would overlap, the newest is shown.
      const start = x + 6 + room < free ? x + 6 : x - 6 - room;
      if (start < left || start + room > free) continue;
      context.fillText(text, start, height - 6);
      free = start - 8;
    }
  }

  private selection(context: CanvasRenderingContext2D, width: number, left: number): void {
    if (this.selectedLow === 0 && this.selectedHigh === 0) return;
    const { store } = this;
    for (let n = store.head - 1; n >= store.first && n > store.head - 20_000; n--) {
      const k = n & store.mask;
      if (store.end[k]! < this.edge - this.shown) break;
      if (store.task[2 * k] !== this.selectedLow || store.task[2 * k + 1] !== this.selectedHigh) continue;
      const band = this.workers.flatMap(worker => worker.bands).find(band => band.group.id === store.group[k]);
      if (!band || band.rows === 0) continue;
      const from = Math.max(left, this.x(store.start[k]!, width));
      const row = Math.min(store.row[k]!, band.rows - 1);
      context.strokeStyle = themed('text');
      context.lineWidth = 2;
      context.strokeRect(from - 1, band.top + row * band.rowHeight - 1, Math.max(3, this.x(store.end[k]!, width) - from + 2), band.rowHeight + 2);
      return;
    }
  }

  private fade(context: CanvasRenderingContext2D, width: number, height: number): void {
    const panel = themed('panel');
    const gradient = context.createLinearGradient(width - 46, 0, width, 0);
    gradient.addColorStop(0, panel.replace('rgb(', 'rgba(').replace(')', ', 0)'));
    gradient.addColorStop(1, panel);
    context.fillStyle = gradient;
    context.fillRect(width - 46, head, 46, height - head);
    context.fillStyle = themed('ok');
    context.fillRect(width - 1.5, head, 1.5, height);
  }
}

/** What the colours mean, when they show the outcome of attempts. */
export const outcomeLegend: [tone: string, name: string][] = ['succeeded', 'failed', 'cancelled', 'timed out', 'worker lost'].map((name, i) => [
  outcomeTones[i + 1]!,
  name,
]);
