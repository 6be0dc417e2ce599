import { call, wordsOf } from './api.js';
import { h, meter, setAttribute, setText, show } from './dom.js';
import { bytes, int, none, percent, rate, seconds, shortCount, span, words } from './format.js';
import { confirmed } from './help.js';
import { handlerDot, taskLink, workerLink } from './links.js';
import { MiniLanes } from './mini-lanes.js';
import { model } from './model.js';
import type { WorkerInfo } from './types.js';
import { workerTone } from './worker-state.js';

/** One worker: its last ten seconds, what it uses, what it runs now. */

interface Figure {
  element: HTMLElement;
  value: HTMLElement;
}

function figure(name: string, ...more: HTMLElement[]): Figure {
  const value = h('b');
  return { element: h('div', null, h('span', null, name), value, more), value };
}

export class WorkerCard {
  readonly element: HTMLElement;
  readonly lanes: MiniLanes;
  private readonly incarnation = h('span', { class: 'inc' });
  private readonly pill = h('span', { class: 'pill' });
  private readonly place = h('span', { class: 'pid' });
  private readonly processorBar = meter();
  private readonly memoryBar = meter();
  private readonly processor = figure('CPU', this.processorBar.element);
  private readonly memory = figure('memory', this.memoryBar.element);
  private readonly running = figure('cpu · io · blk');
  private readonly done = figure('done');
  private readonly now = h('span', { class: 'what' });
  private readonly age = h('span');
  private readonly exit = h('span', { class: 'exit' });
  private readonly recycle: HTMLButtonElement | null;
  private nowKey = '';

  constructor(private readonly name: string) {
    this.lanes = new MiniLanes(name);
    this.recycle = model.may('operate')
      ? h(
          'button',
          { type: 'button', class: 'act', title: `Replace ${name}; its successor starts first`, onclick: () => void this.renew() },
          'Recycle',
        )
      : null;
    this.element = h(
      'article',
      { class: 'panel worker', 'data-test': 'worker', 'data-name': name, 'aria-label': name },
      h('div', { class: 'h' }, h('b', null, workerLink(name)), this.incarnation, this.pill, this.place),
      this.lanes.canvas,
      h('div', { class: 'kv' }, this.processor.element, this.memory.element, this.running.element, this.done.element),
      h('div', { class: 'now' }, this.now, this.age, this.exit, this.recycle),
    );
  }

  /** Shows a worker; `heaviest` is the memory of the largest of all. */
  update(worker: WorkerInfo, heaviest: number, live: boolean): void {
    setText(this.incarnation, worker.incarnation ? `#${worker.incarnation}` : '');
    const state = words(worker.state, 'WORKER_STATE_');
    setText(this.pill, state);
    setAttribute(this.pill, 'class', `pill ${workerTone(state)}`);
    show(this.pill, state !== '');
    setText(this.place, worker.pid ? `pid ${worker.pid}${worker.core !== undefined && worker.core >= 0 ? ` · core ${worker.core}` : ''}` : '');
    setAttribute(this.place, 'title', worker.runtime ?? null);
    const memory = int(worker.rssBytes);
    setText(this.processor.value, percent(worker.cpuPercent ?? (live ? 0 : NaN)));
    this.processorBar.set((worker.cpuPercent ?? 0) / 100);
    setText(this.memory.value, memory > 0 ? bytes(memory) : none);
    this.memoryBar.set(memory / Math.max(1, heaviest));
    setText(
      this.running.value,
      live ? `${worker.runningCpu ?? 0} · ${worker.runningIo ?? 0} · ${worker.runningBlocking ?? 0}` : `${worker.runningTasks ?? 0} in all`,
    );
    setAttribute(this.running.element, 'title', `running; ${worker.prefetchedTasks ?? 0} more wait in the worker`);
    setText(this.done.value, live ? shortCount(int(worker.completedTasks)) : `${rate(worker.perSecond ?? NaN)} /s`);
    setAttribute(this.done.element, 'title', worker.failedTasks && worker.failedTasks !== '0' ? `of these, ${worker.failedTasks} failed` : null);
    this.showNow(worker);
    const restarts = int(worker.restarts);
    setText(this.exit, restarts > 0 ? `${restarts}× restarted${worker.lastExit ? `, last: ${worker.lastExit}` : ''}` : '');
    setAttribute(this.exit, 'title', worker.lastExit ?? null);
    if (this.recycle) show(this.recycle, live);
  }

  private showNow(worker: WorkerInfo): void {
    const task = worker.current?.taskId ?? '';
    if (task !== this.nowKey) {
      this.nowKey = task;
      this.now.replaceChildren();
      if (task) this.now.append('now ', handlerDot(worker.current!.handler ?? ''), h('b', null, worker.current!.handler ?? ''), ' ', taskLink(task));
    }
    if (!task) setText(this.now, (worker.runningTasks ?? 0) > 0 ? 'busy' : 'idle');
    setText(this.age, task ? span(seconds(worker.current!.running ?? '0s')) : '');
  }

  private async renew(): Promise<void> {
    if (!(await confirmed(`Replace ${this.name}? Its successor starts first, and no task is lost.`, 'Recycle'))) return;
    const { recycle } = this;
    recycle!.disabled = true;
    try {
      await call('AdminService/RecycleWorkers', { worker: this.name, requestId: crypto.randomUUID() });
    } catch (error) {
      setText(this.exit, wordsOf(error));
    } finally {
      recycle!.disabled = false;
    }
  }
}
