import { Outcome, type SpanColumns } from './span-block.js';
import type { SpanHandler, SpanLane } from './types.js';

/** Keeps the newest spans, and sorts them into rows that do not overlap. */

/** Rows of a lane in which single attempts can be told apart; what does not fit into them is drawn as a sum. */
export const maxRows = 12;

/** The row of a span that fits into none. */
export const noRow = 255;

export type LaneKind = 'cpu' | 'io' | 'blocking';

/** One kind of work of one worker, over all its incarnations. */
export interface LaneGroup {
  readonly id: number;
  readonly worker: string;
  readonly kind: LaneKind;
  /** The incarnation of the newest span, such as "#4"; and the one before, with its last instant. */
  incarnation: string;
  before: string;
  beforeEnd: number;
  /** When each row is free again. */
  readonly free: Float64Array;
  /** How many rows have been used. */
  rows: number;
  /** The end of the last span that fitted into no row. */
  overflow: number;
  /** How long a span is drawn, in milliseconds, on average. */
  mean: number;
  /** The end of the newest span. */
  end: number;
}

/** Handlers by number, over all sources of spans, so that a colour belongs to a name. Number 0 stands for those not told apart. */
export const handlerNames: string[] = ['_other'];
const handlerNumbers = new Map<string, number>([['_other', 0]]);

export function handlerNumber(name: string): number {
  let number = handlerNumbers.get(name);
  if (number === undefined) {
    number = handlerNames.length;
    handlerNumbers.set(name, number);
    handlerNames.push(name);
  }
  return number;
}

interface KnownLane {
  group: LaneGroup;
  incarnation: string;
}

/** What the numbers of one source of spans stand for, such as a connection. */
export class SpanNames {
  private readonly lanes = new Map<number, KnownLane>();
  private readonly handlers = new Map<number, number>();

  constructor(private readonly store: SpanStore) {}

  learn(lanes: readonly SpanLane[], handlers: readonly SpanHandler[]): void {
    for (const lane of lanes) this.lanes.set(lane.number ?? 0, this.known(lane));
    for (const handler of handlers) this.handlers.set(handler.number ?? 0, handlerNumber(handler.name ?? ''));
  }

  lane(number: number): KnownLane {
    let known = this.lanes.get(number);
    if (!known) this.lanes.set(number, (known = this.known({ worker: `lane ${number}` })));
    return known;
  }

  handler(number: number): number {
    return this.handlers.get(number) ?? 0;
  }

  private known(lane: SpanLane): KnownLane {
    const [worker, number] = (lane.worker || '?').split('#');
    const kind = lane.kind === 'TASK_KIND_IO' ? 'io' : lane.kind === 'TASK_KIND_BLOCKING' ? 'blocking' : 'cpu';
    return { group: this.store.groupOf(worker!, kind), incarnation: number ? `#${number}` : '' };
  }
}

export class SpanStore {
  /** In milliseconds since 1970, by the coordinator's clock. */
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** The mean number of attempts that ran at once during the span. */
  readonly density: Float32Array;
  readonly task: Uint32Array;
  readonly count: Uint32Array;
  readonly group: Uint16Array;
  readonly handler: Uint16Array;
  readonly outcome: Uint8Array;
  readonly retried: Uint8Array;
  readonly row: Uint8Array;
  readonly mask: number;
  /** The number of spans ever added. */
  head = 0;
  /** The number of attempts that these stand for. */
  attempts = 0;
  /** Spans that did not arrive. */
  missed = 0;
  readonly groups: LaneGroup[] = [];
  private readonly byName = new Map<string, LaneGroup>();
  // Those before it were dropped.
  private floor = 0;

  /** Creates a store for a number of spans that is a power of two. */
  constructor(size: number) {
    this.start = new Float64Array(size);
    this.end = new Float64Array(size);
    this.density = new Float32Array(size);
    this.task = new Uint32Array(2 * size);
    this.count = new Uint32Array(size);
    this.group = new Uint16Array(size);
    this.handler = new Uint16Array(size);
    this.outcome = new Uint8Array(size);
    this.retried = new Uint8Array(size);
    this.row = new Uint8Array(size);
    this.mask = size - 1;
  }

  /** The number of the oldest span that is kept. */
  get first(): number {
    return Math.max(this.floor, this.head - this.mask - 1);
  }

  /** Drops all spans. Lanes keep their ids, since numbers on the wire may already stand for them. */
  clear(): void {
    this.floor = this.head;
    for (const group of this.groups) {
      group.free.fill(0);
      Object.assign(group, { incarnation: '', before: '', rows: 1, overflow: 0, mean: 0, end: 0 });
    }
  }

  /** The lane of a worker, made if it is new. */
  groupOf(worker: string, kind: LaneKind): LaneGroup {
    const key = `${worker}/${kind}`;
    let group = this.byName.get(key);
    if (!group) {
      group = {
        id: this.groups.length,
        worker,
        kind,
        incarnation: '',
        before: '',
        beforeEnd: 0,
        free: new Float64Array(maxRows),
        rows: 1,
        overflow: 0,
        mean: 0,
        end: 0,
      };
      this.groups.push(group);
      this.byName.set(key, group);
    }
    return group;
  }

  /** Adds a block; its spans are those from the head before to the head after. */
  add(block: SpanColumns, names: SpanNames): void {
    names.learn(block.lanes, block.handlers);
    this.missed += block.missed;
    for (let i = 0; i < block.length; i++) {
      const k = this.head & this.mask;
      const length = (block.lengthUs[i] ?? 0) / 1000;
      const start = block.origin + block.startUs[i]! / 1000;
      const { group, incarnation } = names.lane(block.lane[i] ?? 0);
      const count = block.count[i] ?? 1;
      this.start[k] = start;
      this.end[k] = start + length;
      this.density[k] = length > 0 ? (block.busyUs[i] ?? 0) / 1000 / length : 1;
      this.task[2 * k] = block.task[2 * i] ?? 0;
      this.task[2 * k + 1] = block.task[2 * i + 1] ?? 0;
      this.count[k] = count;
      this.group[k] = group.id;
      this.handler[k] = names.handler(block.handler[i] ?? 0);
      this.outcome[k] = block.outcome[i] ?? Outcome.Unknown;
      this.retried[k] = block.retried[i] ? 1 : 0;
      this.row[k] = this.place(group, start, start + length);
      this.follow(group, incarnation, start, length);
      this.attempts += count;
      this.head++;
    }
  }

  /** The id of a span's task, as the contract writes it. */
  taskId(k: number): string {
    return ((BigInt(this.task[2 * k + 1]!) << 32n) | BigInt(this.task[2 * k]!)).toString();
  }

  /**
   * Finds a row for a span: the one that was free for the shortest time, so that rows are filled densely. Spans come in the order of their
   * ends, so a row is known by the end of its last span alone.
   */
  private place(group: LaneGroup, start: number, end: number): number {
    const { free } = group;
    let best = -1;
    for (let row = 0; row < maxRows; row++) {
      // Half a microsecond: ends and starts are rounded.
      if (free[row]! <= start + 0.0005 && (best < 0 || free[row]! > free[best]!)) best = row;
    }
    if (best < 0) {
      group.overflow = end;
      return noRow;
    }
    free[best] = end;
    if (best >= group.rows) group.rows = best + 1;
    return best;
  }

  private follow(group: LaneGroup, incarnation: string, start: number, length: number): void {
    group.mean = group.mean === 0 ? length : group.mean + (length - group.mean) / 64;
    if (incarnation !== group.incarnation && start + length >= group.end) {
      group.before = group.incarnation;
      group.beforeEnd = group.end;
      group.incarnation = incarnation;
    }
    group.end = Math.max(group.end, start + length);
  }
}

const collator = new Intl.Collator('en', { numeric: true });
const kindOrder: Record<LaneKind, number> = { cpu: 0, blocking: 1, io: 2 };

/** Lanes in the order in which they are shown: by worker, the processor's first. */
export function inOrder(groups: readonly LaneGroup[]): LaneGroup[] {
  return [...groups].sort((a, b) => collator.compare(a.worker, b.worker) || kindOrder[a.kind] - kindOrder[b.kind]);
}
