import { call, session as askSession, stream, type Session } from './api.js';
import { Feed } from './feed.js';
import { instant, int, toInstant } from './format.js';
import { binsOf } from './lane-bins.js';
import type { Bin } from './lanes.js';
import { OpenBars } from './open-bars.js';
import { SeriesRing } from './series.js';
import type { SpanColumns } from './span-block.js';
import { SpanNames, SpanStore, type LaneKind } from './spans.js';
import type { Attention, HandlerInfo, History, OperatorEvent, ServiceStatus, TelemetryMessage } from './types.js';

/** What the page knows of the coordinator: kept up to date by the feed, read by the pages. */

export type Connection = 'connecting' | 'live' | 'reconnecting';

const eventsKept = 2000;
/** Pages are told of changes at most this often. */
const shortestPause = 500;
/** How much of the past is shown to one who opens the page, and how long after that it is asked for. */
const gapFilled = 10_000;
const gapPause = 1200;

class Model {
  session!: Session;
  status: ServiceStatus | undefined;
  /** The coordinator's time of the status, in milliseconds. */
  statusAt = 0;
  attention: Attention[] = [];
  /** The newest last. */
  events: OperatorEvent[] = [];
  connection: Connection = 'connecting';
  /** Messages that this page has missed, and until when to say so. */
  missed = 0;
  missedAt = -Infinity;
  /** When another instance answered for the first time; 0 if none did. */
  restartedAt = 0;
  readonly points = new SeriesRing();
  readonly spans = new SpanStore(1 << 18);
  /** What ran while nobody watched the spans: before the page was opened, while it was hidden. */
  readonly bins: Bin[] = [];
  readonly open = new OpenBars();
  /** What the workers offer, by name. */
  readonly handlers = new Map<string, HandlerInfo>();

  private offset = NaN;
  private readonly changeListeners = new Set<() => void>();
  private readonly spanListeners = new Set<(from: number, to: number) => void>();
  private readonly gapListeners = new Set<() => void>();
  private pending = 0;
  private toldAt = -Infinity;
  private opened = false;
  // Events of a new connection, until its first status says whose they are.
  private early: OperatorEvent[] | null = null;
  private askedHandlers = -Infinity;
  private names = new SpanNames(this.spans);
  private spansNeeded = false;
  // Since when spans have come, and until when they came before, by this browser's clock.
  private spansSince = NaN;
  private spansUntil = -Infinity;
  private readonly feed = new Feed({
    message: message => this.take(message),
    spans: block => this.takeSpans(block),
    opened: () => {
      this.opened = true;
      this.early = [];
      this.names = new SpanNames(this.spans);
      if (this.spansNeeded) this.spansBegin();
      // Not the first connection: the figures in between are asked for. Events of the past come with the feed.
      if (this.status) void this.loadHistory();
    },
    closed: () => void this.disconnected(),
    signedOut: () => this.signedOut(),
  });

  signedOut: () => void = () => {};

  start(session: Session): void {
    this.session = session;
    this.connection = 'connecting';
    this.feed.start();
    void this.loadHistory();
  }

  stop(): void {
    this.feed.stop();
  }

  /** Says whether the page shows spans, and whether anybody sees it. */
  need(spans: boolean, visible: boolean): void {
    const needed = spans && visible;
    this.feed.need(needed, visible ? 100 : 1000);
    if (needed === this.spansNeeded) return;
    this.spansNeeded = needed;
    if (needed) this.spansBegin();
    else this.spansUntil = performance.now();
  }

  /** The coordinator's time, in milliseconds since 1970. The browser's clock may differ. */
  now(): number {
    return Number.isNaN(this.offset) ? Date.now() : performance.now() + this.offset;
  }

  onChange(listener: () => void): () => void {
    this.changeListeners.add(listener);
    return () => this.changeListeners.delete(listener);
  }

  onSpans(listener: (from: number, to: number) => void): () => void {
    this.spanListeners.add(listener);
    return () => this.spanListeners.delete(listener);
  }

  may(role: 'submit' | 'operate'): boolean {
    return this.session.role === 'operate' || this.session.role === role;
  }

  /** Whether workers may be killed, stopped and slowed from here. */
  get mayInjectFaults(): boolean {
    return this.may('operate') && (this.session.chaos || this.status?.allowsChaos) === true;
  }

  /** Tells the pages that something changed, soon and not too often. */
  changed(): void {
    if (this.pending) return;
    const wait = Math.max(0, this.toldAt + shortestPause - performance.now());
    this.pending = window.setTimeout(() => {
      this.pending = 0;
      this.toldAt = performance.now();
      for (const listener of this.changeListeners) listener();
    }, wait);
  }

  private take(message: TelemetryMessage): void {
    if (message.event) {
      if (this.early) this.early.push(message.event);
      else this.addEvent(message.event);
    }
    this.connection = 'live';
    const missed = int(message.missedMessages);
    if (missed > 0) {
      this.missed = missed;
      this.missedAt = performance.now();
    }
    if (message.at) this.setClock(instant(message.at));
    if (message.status) this.takeStatus(message, message.status);
    this.changed();
  }

  private takeStatus(message: TelemetryMessage, status: ServiceStatus): void {
    const at = message.at ? instant(message.at) : this.now();
    if (this.status?.instance && status.instance !== this.status.instance) this.restarted();
    for (const event of this.early ?? []) this.addEvent(event);
    this.early = null;
    this.status = status;
    this.statusAt = at;
    this.attention = message.attention ?? [];
    const second = Math.floor(at / 1000);
    for (const point of message.points ?? []) this.points.set(point.series, second, Number(point.value ?? 0));
    this.open.update(status, at, handler => this.kindOf(handler));
    if (status.window?.handlers?.some(({ handler }) => !this.handler(handler))) void this.loadHandlers();
  }

  private takeSpans(block: SpanColumns): void {
    const from = this.spans.head;
    this.spans.add(block, this.names);
    this.spansUntil = performance.now();
    this.open.close(this.spans, from, this.spans.head);
    for (const listener of this.spanListeners) listener(from, this.spans.head);
  }

  /** Spans come from now on. What ran just before is asked for a little later: an attempt is entered when it has ended. */
  private spansBegin(): void {
    const since = (this.spansSince = performance.now());
    const until = this.spansUntil;
    setTimeout(() => {
      if (since === this.spansSince) void this.fillGap(until, since);
    }, gapPause);
  }

  private async fillGap(until: number, since: number): Promise<void> {
    const to = since + this.offset;
    const from = Math.max(to - gapFilled, until + this.offset);
    if (!(to - from > 300)) return;
    const history = await call<History>('AdminService/GetHistory', {
      from: toInstant(from),
      to: toInstant(to),
      step: '60s',
      series: ['tasks.ended'],
      lanes: true,
    }).catch(() => null);
    const kept = this.bins.filter(bin => bin.from > to - 60_000 && bin.to <= from);
    this.bins.splice(0, this.bins.length, ...kept, ...binsOf(history?.lanes, this.spans));
    for (const listener of this.gapListeners) listener();
  }

  /** Calls back when it became known what ran while nobody watched. */
  onGapFilled(listener: () => void): () => void {
    this.gapListeners.add(listener);
    return () => this.gapListeners.delete(listener);
  }

  /** Another instance: its ids and figures have nothing to do with those before. */
  private restarted(): void {
    this.restartedAt = performance.now();
    this.events = [];
    this.points.clear();
    this.spans.clear();
    this.bins.length = 0;
    for (const listener of this.gapListeners) listener();
    this.open.clear();
    this.handlers.clear();
    this.askedHandlers = -Infinity;
    void this.loadHistory();
  }

  private async disconnected(): Promise<void> {
    this.connection = 'reconnecting';
    this.open.clear();
    this.changed();
    // A refused WebSocket does not say why: ask whether the credential is still good.
    if (!this.opened && (await askSession().catch(() => undefined)) === null) this.signedOut();
    this.opened = false;
  }

  /** Follows the coordinator's clock. Messages are late, never early: the least late one tells it best. */
  private setClock(at: number): void {
    const offset = at - performance.now();
    const difference = offset - this.offset;
    this.offset = !(Math.abs(difference) < 2000) || difference > 0 ? offset : this.offset + difference * 0.02;
  }

  private addEvent(event: OperatorEvent): void {
    const sequence = int(event.sequence);
    const { events } = this;
    let place = events.length;
    while (place > 0 && int(events[place - 1]!.sequence) > sequence) place--;
    if (place > 0 && int(events[place - 1]!.sequence) === sequence) return;
    events.splice(place, 0, event);
    if (events.length > eventsKept) events.splice(0, events.length - eventsKept);
  }

  private async loadHistory(): Promise<void> {
    const history = await call<History>('AdminService/GetHistory', { series: ['tasks.ended', 'latency.p99'] }).catch(() => null);
    if (history) this.points.load(history);
    this.changed();
  }

  /** Reads more events of the past than the feed brings. The stream has no end: it is left once it brings nothing for a moment. */
  async loadEvents(): Promise<void> {
    const abort = new AbortController();
    let timer = window.setTimeout(() => abort.abort(), 3000);
    try {
      for await (const event of stream<OperatorEvent>('AdminService/WatchEvents', { newest: eventsKept }, abort.signal)) {
        this.addEvent(event);
        clearTimeout(timer);
        timer = window.setTimeout(() => abort.abort(), 400);
        this.changed();
      }
    } catch {
      // Left, or the feed reports that the coordinator is away.
    } finally {
      clearTimeout(timer);
    }
  }

  /** What workers say of a handler; "sha256@threads" is the handler "sha256" in the coordinator. */
  handler(name: string): HandlerInfo | undefined {
    return this.handlers.get(name.split('@')[0]!);
  }

  /** In which lane a handler runs, if a worker has said so. */
  kindOf(handler: string): LaneKind | undefined {
    switch (this.handler(handler)?.kind) {
      case 'TASK_KIND_CPU':
        return 'cpu';
      case 'TASK_KIND_IO':
        return 'io';
      case 'TASK_KIND_BLOCKING':
        return 'blocking';
      default:
        return undefined;
    }
  }

  async loadHandlers(): Promise<void> {
    if (performance.now() - this.askedHandlers < 10_000) return;
    this.askedHandlers = performance.now();
    const answer = await call<{ handlers?: HandlerInfo[] }>('TaskService/ListHandlers').catch(() => null);
    for (const handler of answer?.handlers ?? []) this.handlers.set(handler.name, handler);
    this.changed();
  }
}

export const model = new Model();
