import { call, stream, wordsOf } from './api.js';
import { fill, h, setText, show, type Child } from './dom.js';
import { bytes, clock, count, instant, int, none, seconds, span, words } from './format.js';
import { clientLink, handlerLink, objectLink, taskLink, workerLink } from './links.js';
import { model } from './model.js';
import { Repeat } from './page.js';
import { payloadView } from './payload.js';
import { runDialog } from './run-dialog.js';
import { statePill } from './state-pill.js';
import type { Attempt, TaskError, TaskEvent, TaskInfo } from './types.js';

/** One task in detail: where its time went, its attempts, what it logged. */

const logLines = 500;
const ended = new Set(['TASK_STATE_SUCCEEDED', 'TASK_STATE_FAILED', 'TASK_STATE_CANCELLED', 'TASK_STATE_TIMED_OUT', 'TASK_STATE_WORKER_LOST']);

export const hasEnded = (task: TaskInfo): boolean => ended.has(task.state ?? '');

export class TaskDetail {
  readonly element = h('section', { class: 'panel detail', 'aria-label': 'Task', 'data-test': 'task-detail' });
  private readonly facts = h('div');
  private readonly times = h('div');
  private readonly attempts = h('div');
  private readonly log = h('div', { class: 'log', role: 'log', tabindex: '0', 'aria-label': 'Log of the task' });
  private readonly logPanel = h('div', { class: 'wide' }, h('h3', null, 'Log'), this.log);
  private readonly actions = h('div', { class: 'tools' });
  private readonly message = h('p', { class: 'badv', role: 'alert' });
  private readonly repeat: Repeat;
  private readonly abort = new AbortController();
  private shown = '';

  /** `close` leaves the detail, if it can be left. */
  constructor(
    private readonly id: string,
    close?: () => void,
    private readonly withLog = true,
  ) {
    this.element.append(this.facts, this.times, this.attempts);
    if (withLog) this.element.append(this.logPanel);
    if (close) this.element.append(h('button', { type: 'button', class: 'act corner', 'aria-label': 'Close the task', onclick: close }, '✕'));
    show(this.logPanel, false);
    this.repeat = new Repeat(() => this.load(), 1000);
    if (withLog) void this.follow();
  }

  close(): void {
    this.repeat.close();
    this.abort.abort();
  }

  private async load(): Promise<void> {
    try {
      const { task } = await call<{ task: TaskInfo }>('TaskService/GetTask', { taskId: this.id }, this.abort.signal);
      if (hasEnded(task)) this.repeat.close();
      this.show(task);
    } catch (error) {
      if (this.abort.signal.aborted) return;
      fill(this.facts, h('h3', null, `Task ${this.id}`), h('p', { class: 'dimv' }, wordsOf(error)));
      this.repeat.close();
    }
  }

  private show(task: TaskInfo): void {
    // What has not changed stays as it is: the viewer may be selecting it.
    const key = JSON.stringify(task);
    if (key === this.shown) return;
    this.shown = key;
    const attempt = Math.max(task.attempts?.length ?? 0, task.result?.attempt ?? 0);
    const most = task.options?.retry?.maxAttempts ?? 1;
    fill(
      this.facts,
      h(
        'h3',
        null,
        'Task ',
        taskLink(task.taskId),
        ' ',
        statePill(task.state),
        attempt > 1 || most > 1 ? h('span', { class: 'pill dim' }, `attempt ${attempt} of ${Math.max(most, attempt)}`) : null,
      ),
      h('dl', null, this.rows(task)),
      this.message,
      this.actions,
    );
    this.showActions(task);
    this.showTimes(task);
    fill(
      this.attempts,
      h('h3', null, 'Attempts'),
      task.attempts?.length
        ? h(
            'dl',
            null,
            task.attempts.map(item => [h('dt', null, String(item.number ?? 1)), h('dd', null, attemptText(item, task))]),
          )
        : h('p', { class: 'dimv' }, 'None yet.'),
      task.result?.error ? errorView(task.result.error) : null,
    );
  }

  private rows(task: TaskInfo): Child[] {
    const { options, progress } = task;
    const row = (name: string, ...value: Child[]): Child => [h('dt', null, name), h('dd', null, ...value)];
    const worker = task.result?.worker || task.attempts?.at(-1)?.worker;
    return [
      row('handler', handlerLink(task.handler ?? '')),
      task.client ? row('client', clientLink(task.client)) : null,
      worker ? row('worker', workerLink(worker)) : null,
      task.waitingFor ? row('waits', h('b', null, task.waitingFor)) : null,
      row('accepted', clock(instant(task.acceptedAt ?? task.result?.timing?.acceptedAt), true)),
      progress ? row('progress', `${progress.completed ?? 0}${progress.total ? ` of ${progress.total}` : ''} ${progress.message ?? ''}`) : null,
      options?.priority ? row('priority', String(options.priority)) : null,
      options?.placement && !options.placement.endsWith('_PROCESS') ? row('runs', words(options.placement, 'PLACEMENT_')) : null,
      options?.durability ? row('survives', words(options.durability, 'DURABILITY_')) : null,
      options?.concurrencyKey ? row('concurrency', options.concurrencyKey) : null,
      options?.rateLimiter ? row('rate limiter', objectLink(`rate_limiters/${options.rateLimiter}`)) : null,
      options?.dependsOn?.length
        ? row(
            'after',
            options.dependsOn.slice(0, 20).map(id => [taskLink(id), ' ']),
          )
        : null,
      Object.keys(options?.labels ?? {}).length
        ? row(
            'labels',
            Object.entries(options!.labels!).map(([name, value]) => h('span', { class: 'chip' }, `${name}=${value}`)),
          )
        : null,
      task.result?.output && model.may('operate') ? row('output', payloadView(task.result.output)) : null,
    ];
  }

  private showTimes(task: TaskInfo): void {
    const timing = task.result?.timing;
    const parts: [name: string, tone: string, value: number][] = [
      ['queue', 'wait', seconds(timing?.queued)],
      ['dispatch', 'off', seconds(timing?.dispatch)],
      ['run', 'run', seconds(timing?.run)],
      ['reply', 'reply', seconds(timing?.reply)],
    ];
    const known = parts.filter(([, , value]) => value >= 0);
    const total = known.reduce((sum, [, , value]) => sum + value, 0);
    if (known.length === 0) {
      const since = (model.now() - instant(task.acceptedAt)) / 1000;
      fill(
        this.times,
        h('h3', null, 'Where the time went'),
        h('p', { class: 'dimv' }, hasEnded(task) ? 'Not measured.' : `Accepted ${span(since)} ago; known when the task has ended.`),
      );
      return;
    }
    const bar = h(
      'div',
      { class: 'where', 'aria-hidden': 'true' },
      known
        .filter(([, , value]) => value > 0)
        .map(([name, tone, value]) => {
          const part = h('i', { class: tone }, value / total > 0.18 ? `${name} ${span(value)}` : '');
          part.style.flexGrow = String(Math.max(0.02, value / total));
          return part;
        }),
    );
    const cpu = seconds(timing?.cpuTime);
    fill(
      this.times,
      h('h3', null, `Where ${span(total)} went`),
      bar,
      h(
        'dl',
        null,
        known.map(([name, , value]) => [
          h('dt', null, name),
          h('dd', null, span(value), name === 'run' && cpu >= 0 ? `, of it ${span(cpu)} processor` : ''),
        ]),
        timing?.allocatedBytes ? [h('dt', null, 'allocated'), h('dd', null, bytes(int(timing.allocatedBytes)))] : null,
      ),
    );
  }

  private showActions(task: TaskInfo): void {
    const buttons: Child[] = [];
    if (model.may('submit')) {
      if (!hasEnded(task))
        buttons.push(
          this.button('Cancel', () => this.cancel(false)),
          this.button('Cancel by force', () => this.cancel(true)),
        );
      buttons.push(this.button('Run again…', async () => runDialog(task.handler ?? '', task.options)));
    }
    if (!this.withLog) buttons.unshift(h('a', { class: 'btn on', href: `?page=tasks&task=${task.taskId}` }, 'Open'));
    fill(this.actions, buttons);
  }

  private button(text: string, action: () => Promise<void>): HTMLElement {
    return h('button', { type: 'button', class: 'btn', onclick: () => void action().catch(error => setText(this.message, wordsOf(error))) }, text);
  }

  private async cancel(force: boolean): Promise<void> {
    const { cancelledTaskIds } = await call<{ cancelledTaskIds?: string[] }>('TaskService/CancelTasks', { taskIds: [this.id], force });
    setText(this.message, cancelledTaskIds?.length ? '' : 'The task had ended before.');
    this.repeat.now();
  }

  /** Shows log lines and progress as they come, until the task has ended. */
  private async follow(): Promise<void> {
    try {
      for await (const { event } of stream<{ event?: TaskEvent }>('TaskService/WatchTasks', { taskIds: [this.id] }, this.abort.signal)) {
        if (event?.log) this.line(clock(instant(event.at), true), event.log.level ?? '', event.log.message ?? '');
        else if (event?.partialOutput) this.line(clock(instant(event.at), true), 'output', 'a partial output (hidden)');
        else if (event?.progress?.message) this.line(clock(instant(event.at), true), 'progress', event.progress.message);
        if (int(event?.droppedBefore) > 0)
          this.line('', 'missed', `${count(int(event?.droppedBefore))} partial outputs came faster than they were read`);
        if (event?.result || event?.state) this.repeat.now();
      }
    } catch {
      // The task's result is no longer kept, or the detail was closed; the facts above say what is known.
    }
  }

  private line(time: string, level: string, message: string): void {
    const { log } = this;
    const atEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 4;
    const tone = /error|critical|stderr/.test(level) ? 'badv' : /warning|missed/.test(level) ? 'latev' : 'dimv';
    log.append(h('div', null, h('time', null, time), h('span', { class: tone }, level), h('span', null, message)));
    if (log.childElementCount > logLines) log.firstElementChild!.remove();
    show(this.logPanel, true);
    if (atEnd) log.scrollTop = log.scrollHeight;
  }
}

function attemptText(attempt: Attempt, task: TaskInfo): Child[] {
  const run = seconds(attempt.run);
  const last = attempt === task.attempts?.at(-1);
  const reason = words(attempt.error?.reason, 'ERROR_REASON_');
  const state = attempt.error
    ? h('span', { class: 'badv' }, reason || 'failed')
    : last && hasEnded(task)
      ? words(task.state, 'TASK_STATE_')
      : last
        ? 'runs'
        : 'ended';
  return [
    attempt.worker ? workerLink(attempt.worker) : none,
    ' · ',
    state,
    Number.isNaN(run) ? '' : ` after ${span(run)}`,
    attempt.startedAt ? h('span', { class: 'dimv' }, ` · started ${clock(instant(attempt.startedAt), true)}`) : null,
    attempt.error?.message ? h('em', { class: 'dimv' }, attempt.error.message) : null,
  ];
}

function errorView(error: TaskError): HTMLElement {
  const death = error.postMortem;
  return h(
    'div',
    { class: 'error' },
    h(
      'p',
      null,
      h('b', { class: 'badv' }, words(error.reason, 'ERROR_REASON_') || 'failed'),
      error.type ? ` ${error.type}` : '',
      `: ${error.message ?? ''}`,
    ),
    error.rung ? h('p', { class: 'dimv' }, `ended ${words(error.rung, 'CANCEL_RUNG_')}`) : null,
    death
      ? h(
          'p',
          null,
          `${death.worker ?? 'the worker'}, pid ${death.pid ?? none}, ${death.signal ? `ended by ${death.signal}` : `exit code ${death.exitCode ?? none}`}`,
          death.outOfMemory ? ', out of memory' : '',
          death.peakRssBytes ? `; at most ${bytes(int(death.peakRssBytes))}` : '',
          death.cpuTime ? `; ${span(seconds(death.cpuTime))} processor` : '',
        )
      : null,
    death?.lastStderrLines?.length ? h('pre', null, death.lastStderrLines.join('\n')) : null,
    error.stackTrace ? h('details', null, h('summary', null, 'Stack trace'), h('pre', null, error.stackTrace)) : null,
  );
}
