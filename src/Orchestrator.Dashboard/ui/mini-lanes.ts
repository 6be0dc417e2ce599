import { fit, inSight, watchSight } from './canvas.js';
import { handlerColour, themed } from './colours.js';
import { h } from './dom.js';
import { Lanes, type Band, type Bin } from './lanes.js';
import { asBars } from './bands.js';
import { model } from './model.js';
import type { OpenBars } from './open-bars.js';
import { handlerNames, type LaneGroup, type LaneKind, type SpanStore } from './spans.js';

const shown = 10_000;

/** The last ten seconds of one worker, small: its processor's lane above, the sum of the others below. */
export class MiniLanes {
  readonly canvas: HTMLCanvasElement;
  private lanes: Lanes;
  private store: SpanStore;
  private bins: readonly Bin[] = model.bins;
  private stale = true;
  private checked = -Infinity;
  private readonly bars = new Map<LaneKind, boolean>();
  private groups: LaneGroup[] = [];

  constructor(private readonly worker: string) {
    this.canvas = h('canvas', { class: 'mini', role: 'img', 'aria-label': `What ${worker} ran in the last 10 s` });
    this.store = model.spans;
    this.lanes = new Lanes(this.store, this.bins);
    watchSight(this.canvas);
  }

  /** Draws another store: that of a moment in the past, or the live one. */
  use(store: SpanStore, bins: readonly Bin[]): void {
    if (store === this.store && bins === this.bins) return;
    this.store = store;
    this.bins = bins;
    this.lanes = new Lanes(store, bins);
    this.stale = true;
  }

  redraw(): void {
    this.stale = true;
  }

  /** How many spans are drawn as lost with their worker. */
  get hatched(): number {
    return this.lanes.hatched;
  }

  add(from: number, to: number): void {
    if (!this.stale && this.store === model.spans) this.lanes.add(from, to);
  }

  frame(edge: number, open: OpenBars | null): void {
    const { canvas } = this;
    if (canvas.clientWidth === 0 || !inSight(canvas)) return;
    const size = fit(canvas);
    if (size.changed) this.stale = true;
    const perPixel = shown / size.width;
    if (this.stale || edge - this.checked > 1000 || edge < this.checked) this.check(size.width, size.height, size.ratio, perPixel, edge);
    const context = canvas.getContext('2d')!;
    const upper = Math.round(22 * size.ratio);
    context.fillStyle = themed('grid');
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.fillRect(0, 0, canvas.width, upper);
    context.fillRect(0, upper + 4 * size.ratio, canvas.width, canvas.height);
    this.lanes.show(context, 0, 0, canvas.width, edge);
    for (const bar of open?.bars ?? []) {
      if (bar.worker !== this.worker || bar.kind !== 'cpu') continue;
      const x = Math.min(canvas.width - 3, Math.max(0, canvas.width - ((edge - bar.start) / perPixel) * size.ratio));
      context.fillStyle = handlerColour(handlerNames[bar.handler]!);
      context.fillRect(x, size.ratio, canvas.width - x, upper - 2 * size.ratio);
    }
  }

  /** Lays out anew if lanes have come, or another way to draw them suits better. */
  private check(width: number, height: number, ratio: number, perPixel: number, edge: number): void {
    this.checked = edge;
    const groups = this.store.groups.filter(group => group.worker === this.worker);
    let stale = this.stale || groups.length !== this.groups.length || groups.some((group, i) => group !== this.groups[i]);
    for (const group of groups) {
      const bars = group.kind === 'cpu' && group.end > 0 && asBars(group, perPixel, this.bars.get(group.kind));
      if (bars !== this.bars.get(group.kind)) stale = true;
      this.bars.set(group.kind, bars);
    }
    if (!stale) return;
    this.groups = groups;
    this.stale = false;
    this.lanes.layout(
      width,
      height,
      ratio,
      perPixel,
      groups.map(group => this.band(group, groups, height)),
      edge,
    );
  }

  private band(group: LaneGroup, groups: readonly LaneGroup[], height: number): Band {
    const bars = this.bars.get(group.kind) ?? false;
    if (group.kind === 'cpu') return { group, top: 1, rows: bars ? 1 : 0, rowHeight: 20, sumTop: 1, sumHeight: bars ? 0 : 20 };
    // Blocking and asynchronous work share the lower part.
    const lower = height - 27;
    const both = groups.filter(other => other.kind !== 'cpu').length > 1;
    const part = both ? Math.floor(lower / 2) : lower;
    const top = 26 + (both && group.kind === 'io' ? part : 0);
    return { group, top, rows: 0, rowHeight: 0, sumTop: top, sumHeight: part };
  }
}
