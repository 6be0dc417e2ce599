import { call, wordsOf } from './api.js';
import { instant, toInstant } from './format.js';
import { model } from './model.js';
import { cursor } from './router.js';
import { latest, seriesByName } from './series.js';
import { spansOfHistory } from './span-block.js';
import { SpanNames, SpanStore } from './spans.js';
import { binsOf } from './lane-bins.js';
import type { Bin } from './lanes.js';
import type { Attention, HandlerWindow, History, OperatorEvent, ServiceStatus, WorkerInfo } from './types.js';

/** The moment that the page shows: now, or one of the last 15 minutes. */

/** The past that a look back shows before its moment: that of the widest view of lanes. */
const before = 60_000;

export interface View {
  live: boolean;
  /** In milliseconds, by the coordinator's clock. */
  at: number;
  status: ServiceStatus | undefined;
  attention: Attention[];
  /** Up to that moment, the newest last. */
  events: OperatorEvent[];
  /** Why there are no figures. */
  problem: string;
}

interface Past {
  at: number;
  status: ServiceStatus | undefined;
  spans: SpanStore;
  bins: Bin[];
  problem: string;
}

let past: Past | null = null;
let wanted: number | null = null;
let timer = 0;
const lanesListeners = new Set<() => void>();

/** Tells when the lanes of another moment are known. */
export function onPastLanes(listener: () => void): () => void {
  lanesListeners.add(listener);
  return () => lanesListeners.delete(listener);
}

/** The lanes of the moment that is looked at; null for now. */
export const pastLanes = (): Past | null => (cursor() === null ? null : past);

/** What is to be shown. */
export function view(): View {
  const at = cursor();
  if (at === null) return { live: true, at: model.now(), status: model.status, attention: model.attention, events: model.events, problem: '' };
  const known = past?.at === at ? past : null;
  return {
    live: false,
    at,
    status: known?.status,
    attention: [],
    problem: known?.problem ?? '',
    events: model.events.filter(event => instant(event.at) <= at),
  };
}

/** Follows the cursor. While it is dragged, only where it rests is asked for. */
export function followCursor(): void {
  const at = cursor();
  if (at === wanted) return;
  wanted = at;
  clearTimeout(timer);
  if (at === null) {
    past = null;
    return tell();
  }
  timer = window.setTimeout(() => void load(at), 150);
}

function tell(): void {
  for (const listener of lanesListeners) listener();
  model.changed();
}

async function load(at: number): Promise<void> {
  const spans = new SpanStore(1 << 17);
  const loaded: Past = { at, status: undefined, spans, bins: [], problem: '' };
  try {
    const [figures, lanes] = await Promise.all([
      call<History>('AdminService/GetHistory', {
        from: toInstant(at - 3000),
        to: toInstant(at),
        series: ['tasks.*', 'latency.*', 'memory.*', 'coordinator.*', 'sessions', 'streams', 'queues.items', 'worker/*', 'handler/*'],
      }),
      call<History>('AdminService/GetHistory', {
        from: toInstant(at - before),
        to: toInstant(at),
        step: '60s',
        series: ['tasks.ended'],
        lanes: true,
        spans: true,
      }),
    ]);
    loaded.status = statusOf(seriesByName(figures));
    readLanes(lanes, loaded);
  } catch (error) {
    loaded.problem = wordsOf(error);
  }
  if (cursor() !== at) return;
  past = loaded;
  tell();
}

const durationOf = (ms: number): string | undefined => (Number.isNaN(ms) ? undefined : `${ms / 1000}s`);
const orZero = (value: number): number => (Number.isNaN(value) ? 0 : value);

/** The figures of a moment in the form of a status, so that pages show both in the same way. */
function statusOf(series: Map<string, number[]>): ServiceStatus {
  const value = (name: string): number => latest(series.get(name));
  const whole = (name: string): string => String(Math.round(orZero(value(name))));
  const workers = namesOf(series, 'worker').map((name): WorkerInfo => ({
    name,
    cpuPercent: value(`worker/${name}/cpu`),
    rssBytes: whole(`worker/${name}/memory`),
    runningTasks: orZero(value(`worker/${name}/running`)),
    prefetchedTasks: orZero(value(`worker/${name}/prefetched`)),
    perSecond: value(`worker/${name}/completed`),
    threads: orZero(value(`worker/${name}/threads`)),
  }));
  const handlers = namesOf(series, 'handler');
  const window = handlers.map((handler): HandlerWindow => ({
    handler,
    perSecond: orZero(value(`handler/${handler}/ended`)),
    failedPerSecond: orZero(value(`handler/${handler}/failed`)),
    runP50: durationOf(value(`handler/${handler}/run_p50`)),
    runP99: durationOf(value(`handler/${handler}/run_p99`)),
    latencyP50: durationOf(value(`handler/${handler}/latency_p50`)),
    latencyP99: durationOf(value(`handler/${handler}/latency_p99`)),
  }));
  return {
    workers,
    sessions: orZero(value('sessions')),
    streams: orZero(value('streams')),
    queuedItems: whole('queues.items'),
    tasks: { queued: whole('tasks.queued'), running: whole('tasks.running') },
    keptBytes: whole('memory.kept'),
    keptBytesLimit: model.status?.keptBytesLimit,
    coordinator: { cpuPercent: value('coordinator.cpu'), rssBytes: whole('coordinator.memory') },
    handlers: handlers.map(handler => ({
      handler,
      counts: { queued: whole(`handler/${handler}/queued`), running: whole(`handler/${handler}/running`) },
    })),
    window: {
      length: '1s',
      handlers: window,
      perSecond: orZero(value('tasks.ended')),
      failedPerSecond: orZero(value('tasks.failed')),
      latencyP50: durationOf(value('latency.p50')),
      latencyP99: durationOf(value('latency.p99')),
    },
  };
}

/** The names in series such as "worker/NAME/cpu"; a name may contain slashes itself. */
function namesOf(series: Map<string, number[]>, kind: string): string[] {
  const names = new Set<string>();
  for (const [name, values] of series) {
    if (!name.startsWith(`${kind}/`) || Number.isNaN(latest(values))) continue;
    names.add(name.slice(kind.length + 1, name.lastIndexOf('/')));
  }
  return [...names];
}

/** Spans are kept only of times with a viewer; shares of the lanes tell the rest. */
function readLanes(history: History, into: Past): void {
  const { spans, bins } = into;
  if (history.spans) spans.add(spansOfHistory(history.spans), new SpanNames(spans));
  const watched = new Set<number>();
  for (let k = 0; k < spans.head; k++)
    for (let tenth = Math.floor(Math.max(into.at - before, spans.start[k & spans.mask]!) / 100); tenth * 100 <= spans.end[k & spans.mask]!; tenth++)
      watched.add(tenth);
  bins.push(...binsOf(history.lanes, spans).filter(bin => !watched.has(Math.floor(bin.from / 100))));
}
