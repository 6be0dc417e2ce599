import { area } from '../charts.js';
import { themed } from '../colours.js';
import { h, meter, setText } from '../dom.js';
import { bytes, count, digits, int, none, percent, rate, seconds, span, successes } from '../format.js';
import { model } from '../model.js';
import type { View } from '../moment.js';

/** The six figures at the top. */

/** Charts in tiles show this many seconds. */
const charted = 180;

class Tile {
  readonly element: HTMLElement;
  private readonly value = h('div', { class: 'v' });
  private readonly detail = h('div', { class: 's' });
  private shown = '';

  constructor(name: string, title: string, wide: boolean, ...more: Node[]) {
    this.element = h(
      'section',
      { class: wide ? 'panel tile w2' : 'panel tile', 'data-test': `tile-${name}`, 'aria-label': title },
      h('h3', null, title),
      this.value,
      this.detail,
      more,
    );
  }

  /** Shows numbers, each with its unit. */
  set(detail: string, ...figures: [value: string, unit: string][]): void {
    const key = figures.flat().join('\n');
    if (key !== this.shown) {
      this.shown = key;
      this.value.replaceChildren();
      for (const [value, unit] of figures) this.value.append(value, h('small', null, unit));
    }
    setText(this.detail, detail);
  }
}

export class Tiles {
  readonly element: HTMLElement;
  private readonly endedChart = h('canvas', { 'aria-hidden': 'true' });
  private readonly latencyChart = h('canvas', { 'aria-hidden': 'true' });
  private readonly memoryBar = meter();
  private readonly ended = new Tile('ended', 'Tasks ended', true, this.endedChart);
  private readonly latency = new Tile('latency', 'Latency, accepted → ended', true, this.latencyChart);
  private readonly success = new Tile('success', 'Succeeded', false);
  private readonly queued = new Tile('queued', 'Queued', false);
  private readonly running = new Tile('running', 'Running', false);
  private readonly memory = new Tile('memory', 'Memory kept', false, this.memoryBar.element);

  constructor() {
    this.element = h(
      'div',
      { class: 'tiles' },
      [this.ended, this.latency, this.success, this.queued, this.running, this.memory].map(tile => tile.element),
    );
  }

  update(view: View): void {
    const { status, live } = view;
    const window = status?.window;
    const length = seconds(window?.length ?? '0s');
    const period = live ? `last ${Math.round(length)} s` : 'that second';
    const perSecond = window?.perSecond ?? 0;
    const failed = window?.failedPerSecond ?? 0;
    this.ended.set(live ? `${period} · peak ${rate(model.points.peak('tasks.ended'))} in 15 min` : period, [status ? rate(perSecond) : none, ' /s']);
    const [p50, p99] = [seconds(window?.latencyP50) * 1000, seconds(window?.latencyP99) * 1000];
    this.latency.set(
      period,
      ...((p99 >= 10_000
        ? [
            [rate(p50 / 1000), ' p50 '],
            [rate(p99 / 1000), ' p99 s'],
          ]
        : [
            [digits(p50), ' p50 '],
            [digits(p99), ' p99 ms'],
          ]) as [string, string][]),
    );
    const failures = Math.round(failed * length);
    this.success.set(
      failed > 0
        ? `${count(Math.max(1, failures))} failed in ${Math.round(length)} s`
        : perSecond > 0
          ? `none failed in ${Math.round(length)} s`
          : 'no task ended',
      perSecond > 0 ? [successes(1 - failed / perSecond), ' %'] : [none, ''],
    );
    this.setQueued(view, perSecond);
    this.setRunning(view);
    const [kept, limit] = [int(status?.keptBytes), int(status?.keptBytesLimit)];
    this.memory.set(limit > 0 ? `${percent((kept / limit) * 100)} of the limit` : 'inputs and results', ...memoryFigures(status ? kept : NaN, limit));
    this.memoryBar.set(limit > 0 ? kept / limit : 0, kept > limit * 0.9 ? 'bad' : kept > limit * 0.7 ? 'late' : '');
    const second = live ? undefined : Math.floor(view.at / 1000);
    area(this.endedChart, model.points.last('tasks.ended', charted, second), themed('run'), 1);
    area(this.latencyChart, model.points.last('latency.p99', charted, second), themed('wait'), 1, 0.1);
  }

  private setQueued({ status, live }: View, perSecond: number): void {
    const queued = int(status?.tasks?.queued);
    const oldest = seconds(status?.oldestQueued);
    const detail =
      queued === 0
        ? 'none waits'
        : [live && oldest >= 0 ? `oldest ${span(oldest)}` : '', perSecond > 0 ? `drains in ${span(queued / perSecond)}` : 'none ends']
            .filter(Boolean)
            .join(' · ');
    this.queued.set(status ? detail : '', [status ? count(queued) : none, '']);
  }

  private setRunning({ status, live }: View): void {
    const sum = (field: 'runningCpu' | 'runningIo' | 'runningBlocking'): number =>
      (status?.workers ?? []).reduce((total, worker) => total + (worker[field] ?? 0), 0);
    const detail = live
      ? `${sum('runningCpu')} CPU · ${sum('runningIo')} IO · ${sum('runningBlocking')} blk`
      : `on ${status?.workers?.length ?? 0} workers`;
    this.running.set(status ? detail : '', [status ? count(int(status.tasks?.running)) : none, '']);
  }
}

/** "212 of 943 MB": one unit if both have the same. */
function memoryFigures(kept: number, limit: number): [string, string][] {
  const [value, unit] = bytes(kept).split(' ');
  if (!(limit > 0)) return [[value!, unit ? ` ${unit}` : '']];
  const most = bytes(limit);
  return [[value!, most.endsWith(` ${unit}`) ? ` of ${most}` : ` ${unit ?? ''} of ${most}`]];
}
