import { handlerColour, outcomeTones, themed } from './colours.js';
import { span } from './format.js';
import { Ring } from './ring.js';
import { Outcome } from './span-block.js';
import { handlerNames, type LaneGroup, type SpanStore } from './spans.js';
import { badSlot, otherSlot, slots, Sums } from './sums.js';

/** Draws lanes into a ring: single attempts as bars in rows, the rest, or all if they are too short, as sums. */

/** Where one lane is drawn, in pixels of the page. */
export interface Band {
  group: LaneGroup;
  top: number;
  /** Rows for single attempts; 0 draws all as a sum. */
  rows: number;
  rowHeight: number;
  sumTop: number;
  /** 0 puts what fits into no row into the first one. */
  sumHeight: number;
}

export type ColourBy = 'handler' | 'state';

/** The share of a lane in a tenth of a second, from the history: of times when nobody watched. */
export interface Bin {
  group: number;
  handler: number;
  from: number;
  to: number;
  density: number;
}

/** Bars at least this wide are drawn as bars; a lane whose mean is below is drawn as a sum. */
export const leastBar = 3;
const labelWidth = 58;
const binWidth = 4;
const labelFont = (ratio: number): string => `600 ${11 * ratio}px system-ui,"Noto Sans",sans-serif`;

interface Drawn {
  band: Band;
  sums: Sums;
  /** Of times when nobody watched: drawn over the whole height, where otherwise bars are. */
  past: Sums | null;
  lost: number[];
}

/** Spans that are kept until there is room for them. */
const mostLate = 1 << 16;

export class Lanes {
  readonly ring = new Ring();
  colourBy: ColourBy = 'handler';
  /** The handler that is shown alone; -1 shows all. */
  only = -1;
  /** How many spans are drawn as lost with their worker. */
  hatched = 0;
  private ratio = 1;
  private bin = binWidth;
  private drawn: (Drawn | undefined)[] = [];
  private slotOf = new Map<number, number>();
  private slotColours: string[] = [];
  private readonly colours: string[] = [];
  // What the canvas draws with: setting it costs more than drawing a small bar.
  private fillStyle = '';
  // Spans that end later than the newest column: frames come late, or only once a second.
  private late: number[] = [];
  // The last full column of each row: further spans within it would not be seen.
  private full = new Float64Array(0);

  constructor(
    private readonly store: SpanStore,
    private readonly history: readonly Bin[] = [],
  ) {}

  /** Lays out anew and draws everything that is known: after a zoom, a resize, a change of lanes or colours. */
  layout(width: number, height: number, ratio: number, millisecondsPerPixel: number, bands: readonly Band[], edge: number): void {
    this.ratio = ratio;
    this.bin = Math.max(1, Math.round(binWidth * ratio));
    this.ring.reset(Math.round(width * ratio), Math.round(height * ratio), millisecondsPerPixel / ratio, this.bin, edge);
    this.drawn = [];
    const bins = this.ring.columns / this.bin;
    for (const band of bands) {
      const least = band.group.kind === 'io' && band.rows > 0 ? 4 : 1;
      this.drawn[band.group.id] = { band, sums: new Sums(bins, least), past: band.rows > 0 ? new Sums(bins, 1) : null, lost: [] };
    }
    this.late = [];
    this.full = new Float64Array(this.drawn.length * 16).fill(-1);
    this.slotOf.clear();
    this.slotColours = [];
    this.hatched = 0;
    // A canvas that gets another size forgets its colour.
    this.fillStyle = '';
    for (const bin of this.history) {
      const drawn = this.drawn[bin.group];
      if (drawn)
        this.addToSum(drawn.past ?? drawn.sums, this.ring.columnOf(bin.from), this.ring.columnOf(bin.to), this.slot(bin.handler, 0), bin.density);
    }
    this.flush();
    this.add(this.oldestToDraw(), this.store.head);
  }

  /** Draws spans that came: those with these numbers. */
  add(from: number, to: number): void {
    for (let n = Math.max(from, this.store.first); n < to; n++) this.addOne(n);
    this.flush();
  }

  /** Makes room for what comes, and copies the lanes to the screen. */
  show(screen: CanvasRenderingContext2D, x: number, y: number, width: number, edge: number): void {
    if (this.ring.advance(edge) > 0 && this.late.length > 0) {
      const late = this.late;
      this.late = [];
      for (const n of late) this.addOne(n);
      this.flush();
    }
    this.ring.show(screen, x, y, width, edge);
  }

  private addOne(n: number): void {
    const { store, ring } = this;
    if (n < store.first) return;
    const k = n & store.mask;
    const drawn = this.drawn[store.group[k]!];
    if (!drawn) return;
    const a = ring.columnOf(store.start[k]!);
    const b = ring.columnOf(store.end[k]!);
    if (b < ring.oldest) return;
    // Drawn whole or not at all: a part would be counted twice in a sum.
    if (b > ring.newest) {
      if (this.late.length < mostLate) this.late.push(n);
      return;
    }
    const { band } = drawn;
    const row = store.row[k]!;
    if (band.rows > 0 && (row < band.rows || band.sumHeight === 0)) this.bar(band, row < band.rows ? row : 0, k, a, b);
    else this.share(drawn, k, a, b);
  }

  private colourOfHandler(handler: number): string {
    return (this.colours[handler] ??= handlerColour(handlerNames[handler] ?? '_other'));
  }

  private oldestToDraw(): number {
    const { store, ring } = this;
    const oldest = ring.timeOf(ring.oldest);
    // Spans come in the order of their ends, but for those of a few connections that lag: two seconds cover that.
    let n = store.head;
    while (n > store.first && store.end[(n - 1) & store.mask]! > oldest - 2000) n--;
    return n;
  }

  private bar(band: Band, row: number, k: number, a: number, b: number): void {
    const { store, ring, ratio } = this;
    const outcome = store.outcome[k]!;
    const lost = outcome === Outcome.WorkerLost;
    const from = Math.max(ring.oldest, Math.floor(a));
    const to = Math.min(ring.newest, Math.round(b));
    let width = Math.max(lost ? 3 : 1, to - from);
    if (width === 1) {
      const place = band.group.id * 16 + row;
      if (this.full[place] === from) return;
      this.full[place] = from;
    } else if (width > 3 && !lost) width -= 1;
    const y = Math.round((band.top + row * band.rowHeight) * ratio);
    const height = Math.max(1, Math.round(band.rowHeight * ratio) - (band.rows > 1 ? Math.round(1.4 * ratio) : 0));
    const faint = this.only >= 0 && store.handler[k] !== this.only;
    const x = ring.place(from);
    this.paint(k, x, y, width, height, faint);
    if (x + width > ring.columns) this.paint(k, x - ring.columns, y, width, height, faint);
    if (lost) this.hatched++;
  }

  private paint(k: number, x: number, y: number, width: number, height: number, faint: boolean): void {
    const { store, ratio } = this;
    const { context } = this.ring;
    const outcome = store.outcome[k]!;
    const density = store.density[k]!;
    const colour = this.colourBy === 'state' ? themed(outcomeTones[outcome] ?? 'off') : this.colourOfHandler(store.handler[k]!);
    if (colour !== this.fillStyle) context.fillStyle = this.fillStyle = colour;
    const alpha = faint ? 0.12 : store.count[k]! > 1 && density < 0.9 ? 0.5 + density / 2 : 1;
    if (alpha !== 1) context.globalAlpha = alpha;
    // Round corners cost several times as much, and show only on large bars.
    if (width > 14 * ratio && height > 5 * ratio) {
      context.beginPath();
      context.roundRect(x, y, width, height, (height > 12 * ratio ? 2.5 : 1.5) * ratio);
      context.fill();
    } else context.fillRect(x, y, width, height);
    if (!faint) {
      if (outcome === Outcome.WorkerLost) this.hatch(x, y, width, height, '#000a', themed('bad'));
      else {
        if (store.retried[k]) this.hatch(x, y, width, height, '#0006', null);
        if (outcome === Outcome.Failed || outcome === Outcome.TimedOut) {
          context.fillStyle = this.fillStyle = themed(outcome === Outcome.Failed ? 'bad' : 'late');
          const line = Math.min(height, Math.max(2, Math.round(height / 5)));
          context.fillRect(x, y + height - line, width, line);
        }
      }
      if (width > labelWidth * ratio && height > 15 * ratio) this.label(k, x, y, width, height);
    }
    if (alpha !== 1) context.globalAlpha = 1;
  }

  private hatch(x: number, y: number, width: number, height: number, colour: string, frame: string | null): void {
    const { context } = this.ring;
    const { ratio } = this;
    context.save();
    context.beginPath();
    context.rect(x, y, width, height);
    context.clip();
    context.strokeStyle = colour;
    context.lineWidth = 2 * ratio;
    context.beginPath();
    for (let q = x - height; q < x + width; q += 6 * ratio) {
      context.moveTo(q, y + height);
      context.lineTo(q + height, y);
    }
    context.stroke();
    context.restore();
    if (!frame) return;
    context.strokeStyle = frame;
    context.lineWidth = 1.5 * ratio;
    context.strokeRect(x + 0.5, y + 0.5, Math.max(1, width - 1), height - 1);
  }

  private label(k: number, x: number, y: number, width: number, height: number): void {
    const { store, ratio } = this;
    const { context } = this.ring;
    const count = store.count[k]!;
    context.save();
    context.beginPath();
    context.rect(x, y, width - 3 * ratio, height);
    context.clip();
    context.fillStyle = '#06101ce0';
    context.font = labelFont(ratio);
    const name = handlerNames[store.handler[k]!] ?? '';
    context.fillText(
      count > 1 ? `${name} × ${count}` : `${name} ${span((store.end[k]! - store.start[k]!) / 1000)}`,
      x + 6 * ratio,
      y + height / 2 + 4 * ratio,
    );
    context.restore();
  }

  private share(drawn: Drawn, k: number, a: number, b: number): void {
    const { store } = this;
    if (this.only >= 0 && store.handler[k] !== this.only) return;
    const outcome = store.outcome[k]!;
    const bad = outcome === Outcome.Failed || outcome === Outcome.TimedOut || outcome === Outcome.WorkerLost;
    if (outcome === Outcome.WorkerLost && drawn.lost.length < 256) {
      drawn.lost.push(k);
      this.hatched++;
    }
    const slot = this.colourBy === 'handler' && bad ? badSlot : this.slot(store.handler[k]!, outcome);
    // A span without length still happened; a hundredth of a column is the least that a stack shows.
    this.addToSum(drawn.sums, a, Math.max(b, a + 0.01), slot, store.density[k]!);
  }

  private addToSum(sums: Sums, a: number, b: number, slot: number, density: number): void {
    const { ring, bin } = this;
    sums.add(a / bin, b / bin, slot, density, Math.ceil(ring.oldest / bin), this.lastBin);
  }

  /** The newest bin whose columns may all be drawn into. */
  private get lastBin(): number {
    return Math.floor((this.ring.newest + 1) / this.bin) - 1;
  }

  private slot(handler: number, outcome: number): number {
    const key = this.colourBy === 'state' ? outcome : handler;
    let slot = this.slotOf.get(key);
    if (slot === undefined) {
      slot = Math.min(this.slotOf.size, otherSlot);
      this.slotOf.set(key, slot);
      if (slot === otherSlot) this.slotColours[slot] = handlerColour('_other');
      else this.slotColours[slot] = this.colourBy === 'state' ? themed(outcomeTones[outcome] ?? 'off') : this.colourOfHandler(handler);
    }
    return slot;
  }

  /** Draws the sums that have changed. */
  private flush(): void {
    this.slotColours[badSlot] = themed('bad');
    for (const drawn of this.drawn) {
      if (!drawn) continue;
      const { band, sums, past } = drawn;
      if (past)
        this.stacks(
          past,
          band.top,
          band.rows * band.rowHeight + (band.sumHeight > 0 ? band.sumTop + band.sumHeight - band.top - band.rows * band.rowHeight : 0),
        );
      const range = this.stacks(sums, band.sumTop, band.sumHeight);
      if (range) this.lostInSum(drawn, ...range);
    }
  }

  /** Draws the bins of a sum that have changed, between a height and another, and says which. */
  private stacks(sums: Sums, top: number, height: number): [from: number, to: number] | null {
    let { dirtyFrom: from, dirtyTo: to } = sums;
    if (to < from) return null;
    if (this.rescale(sums, from, to)) {
      from = Math.ceil(this.ring.oldest / this.bin);
      to = this.lastBin;
    }
    for (let bin = from; bin <= to; bin++) this.stack(sums, bin, Math.round(top * this.ratio), Math.round(height * this.ratio));
    sums.drawn();
    return [from, to];
  }

  /** Raises the concurrency that fills the height, if a bin needs it; then all bins have to be drawn anew. */
  private rescale(sums: Sums, from: number, to: number): boolean {
    let most = 0;
    for (let bin = from; bin <= to; bin++) {
      const at = sums.at(bin);
      if (at >= 0) most = Math.max(most, sums.total(at));
    }
    // A processor's lane is full at one; what rounding adds must not change its scale.
    if (most <= sums.scale * (sums.scale === 1 ? 1.3 : 1.02)) return false;
    sums.scale = most * 1.25;
    return true;
  }

  private stack(sums: Sums, bin: number, top: number, full: number): void {
    const at = sums.at(bin);
    const { ring } = this;
    const column = bin * this.bin;
    ring.clear(column, this.bin, top, full);
    if (at < 0) return;
    const x = ring.place(column);
    const factor = full / sums.scale;
    let y = top + full;
    for (let slot = 0; slot < slots; slot++) {
      const share = sums.share(at, slot);
      if (share <= 0) continue;
      const height = Math.min(y - top, Math.max(0.7, share * factor));
      ring.context.fillStyle = this.fillStyle = this.slotColours[slot] ?? '#888';
      ring.context.fillRect(x, y - height, this.bin, height);
      y -= height;
    }
  }

  /** Marks attempts that were lost with their worker where the sums are drawn: they are few, and must be seen. */
  private lostInSum(drawn: Drawn, from: number, to: number): void {
    const { ring, ratio, store } = this;
    drawn.lost = drawn.lost.filter(k => store.outcome[k] === Outcome.WorkerLost && ring.columnOf(store.end[k]!) >= ring.oldest);
    for (const k of drawn.lost) {
      const end = Math.min(ring.newest, Math.round(ring.columnOf(store.end[k]!)));
      const start = Math.max(ring.oldest, Math.min(end - 3, Math.floor(ring.columnOf(store.start[k]!))));
      if (end < from * this.bin || start > (to + 1) * this.bin) continue;
      const x = ring.place(start);
      const y = Math.round(drawn.band.sumTop * ratio);
      const height = Math.round(drawn.band.sumHeight * ratio);
      this.hatch(x, y, end - start, height, '#000a', themed('bad'));
      if (x + end - start > ring.columns) this.hatch(x - ring.columns, y, end - start, height, '#000a', themed('bad'));
    }
  }
}
