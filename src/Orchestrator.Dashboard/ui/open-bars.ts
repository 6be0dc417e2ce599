import { seconds } from './format.js';
import { handlerNumber, type LaneKind, type SpanStore } from './spans.js';
import type { ServiceStatus } from './types.js';

/** An attempt that runs: drawn as a bar that grows until its span arrives. */
export interface OpenBar {
  worker: string;
  kind: LaneKind;
  task: string;
  handler: number;
  start: number;
}

/** What each worker has run longest, as the last status said. */
export class OpenBars {
  private readonly byWorker = new Map<string, OpenBar>();
  private readonly closed = new Map<string, number>();

  get bars(): IterableIterator<OpenBar> {
    return this.byWorker.values();
  }
  get size(): number {
    return this.byWorker.size;
  }

  /** Takes what a status of the instant `at` says; `kindOf` knows in which lane a handler runs. */
  update(status: ServiceStatus, at: number, kindOf: (handler: string) => LaneKind | undefined): void {
    const seen = new Set<string>();
    for (const worker of status.workers ?? []) {
      const task = worker.current?.taskId;
      if (!task) continue;
      const start = at - seconds(worker.current!.running ?? '0s') * 1000;
      // Its span may have overtaken the status; another attempt of the same task starts later.
      if ((this.closed.get(`${worker.name}/${task}`) ?? -Infinity) > start) continue;
      seen.add(worker.name);
      const known = this.byWorker.get(worker.name);
      // The start is computed from two clock readings: it stays what it was, so that the bar does not tremble.
      if (known?.task === task && Math.abs(known.start - start) < 500) continue;
      const handler = worker.current!.handler ?? '';
      this.byWorker.set(worker.name, { worker: worker.name, kind: kindOf(handler) ?? 'cpu', task, handler: handlerNumber(handler), start });
    }
    for (const name of this.byWorker.keys()) if (!seen.has(name)) this.byWorker.delete(name);
    if (this.closed.size > 256) this.closed.clear();
  }

  /** Ends bars whose spans came: those with these numbers. */
  close(store: SpanStore, from: number, to: number): void {
    if (this.byWorker.size === 0) return;
    for (let n = Math.max(from, store.first); n < to; n++) {
      const k = n & store.mask;
      const { worker } = store.groups[store.group[k]!]!;
      const bar = this.byWorker.get(worker);
      if (!bar || store.end[k]! < bar.start || bar.task !== store.taskId(k)) continue;
      this.byWorker.delete(worker);
      this.closed.set(`${worker}/${bar.task}`, store.end[k]!);
    }
  }

  clear(): void {
    this.byWorker.clear();
    this.closed.clear();
  }
}
