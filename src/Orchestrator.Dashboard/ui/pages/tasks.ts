import { call, wordsOf } from '../api.js';
import { fill, h, setText, show, Table } from '../dom.js';
import { clock, count, instant, int, none, plural, seconds, span, words } from '../format.js';
import { confirmed } from '../help.js';
import { clientLink, handlerLink, taskLink, workerLink } from '../links.js';
import { model } from '../model.js';
import { Repeat, type Page } from '../page.js';
import { change, parameter } from '../router.js';
import { statePill } from '../state-pill.js';
import { hasEnded, TaskDetail } from '../task-detail.js';
import type { TaskInfo } from '../types.js';
import { filterNames, filterOf, filterWords, TaskFilter } from './task-filter.js';

/** Tasks that are known, by filter, and one of them in detail. */

const pageSize = 100;
const bulkPage = 1000;
const pause = 2000;

interface Answer {
  tasks?: TaskInfo[];
  nextPageToken?: string;
  total?: string;
  totalIsMinimum?: boolean;
}

class Tasks implements Page {
  readonly element: HTMLElement;
  private readonly filter = new TaskFilter();
  private readonly total = h('b', { 'data-test': 'total' });
  private readonly message = h('p', { class: 'badv', role: 'alert' });
  private readonly more = h('button', { type: 'button', class: 'btn', hidden: true, onclick: () => void this.loadMore() }, 'Show more');
  private readonly cancelAll = h(
    'button',
    { type: 'button', class: 'btn', hidden: true, onclick: () => void this.cancelMatching() },
    'Cancel all that match…',
  );
  private readonly empty = h('p', { class: 'empty', hidden: true });
  private readonly place = h('div');
  private readonly table: Table<TaskInfo>;
  private readonly repeat: Repeat;
  private detail: TaskDetail | null = null;
  private task = '';
  private filterKey = '';
  private first: TaskInfo[] = [];
  private rest: TaskInfo[] = [];
  private next = '';

  constructor() {
    this.table = new Table<TaskInfo>({
      caption: 'Tasks',
      key: task => task.taskId,
      attributes: task => ({ 'data-test': 'task', 'data-id': task.taskId }),
      select: task => change({ task: task.taskId }, true),
      selected: task => task.taskId === this.task,
      columns: [
        { title: 'task', build: task => taskLink(task.taskId) },
        { title: 'state', class: 'l', key: task => task.state ?? '', build: task => statePill(task.state) },
        { title: 'handler', class: 'l', build: task => handlerLink(task.handler ?? '') },
        {
          title: 'worker',
          class: 'l hide',
          key: workerOf,
          build: task => (workerOf(task) ? workerLink(workerOf(task)) : h('span', { class: 'dimv' }, none)),
        },
        { title: 'accepted', class: 'hide', text: task => clock(instant(acceptedAt(task))) },
        { title: 'took', hint: 'from its acceptance to its end, or until now', text: took },
        { title: 'run', class: 'hide', text: task => span(seconds(task.result?.timing?.run ?? task.attempts?.at(-1)?.run)) },
        { title: 'attempts', class: 'hide', text: task => String(Math.max(task.attempts?.length ?? 0, task.result?.attempt ?? 0)) },
        { title: 'client', class: 'l hide', build: task => (task.client ? clientLink(task.client) : h('span', { class: 'dimv' }, none)) },
        { title: 'why', class: 'l hide wrap', text: why },
      ],
    });
    this.element = h(
      'div',
      { class: 'stack' },
      this.filter.element,
      this.place,
      h(
        'section',
        { class: 'panel', 'aria-label': 'Tasks' },
        h('h2', null, this.total, h('span', null, 'newest first')),
        this.message,
        h('div', { class: 'scroll' }, this.table.element),
        this.empty,
        h('div', { class: 'tools foot' }, this.more, this.cancelAll),
      ),
    );
    this.filterKey = this.keyOf();
    this.repeat = new Repeat(() => this.load(), pause);
    void model.loadHandlers();
  }

  update(): void {
    this.filter.update();
    const key = this.keyOf();
    if (key !== this.filterKey) {
      this.filterKey = key;
      this.rest = [];
      this.repeat.now();
    }
    const task = parameter('task');
    if (task === this.task) return;
    this.task = task;
    this.detail?.close();
    this.detail = task ? new TaskDetail(task, () => change({ task: undefined })) : null;
    this.place.replaceChildren(...(this.detail ? [this.detail.element] : []));
    this.draw();
  }

  close(): void {
    this.repeat.close();
    this.detail?.close();
  }

  private keyOf(): string {
    return filterNames.map(parameter).join('\n');
  }

  private async load(): Promise<void> {
    const key = this.filterKey;
    try {
      const answer = await call<Answer>('TaskService/ListTasks', { ...filterOf(), pageSize, total: true });
      if (key !== this.filterKey) return;
      this.first = answer.tasks ?? [];
      if (this.rest.length === 0) this.next = answer.nextPageToken ?? '';
      const total = Math.max(int(answer.total), this.first.length);
      setText(this.total, `${answer.totalIsMinimum ? 'at least ' : ''}${plural(total, 'task')}`);
      setText(this.message, '');
      show(this.cancelAll, model.may('submit') && total > 0);
      this.showEmpty();
    } catch (error) {
      setText(this.message, wordsOf(error));
    }
    this.draw();
  }

  private showEmpty(): void {
    show(this.empty, this.first.length === 0);
    if (this.first.length > 0) return;
    if (filterWords()) fill(this.empty, `No known task has ${filterWords()}.`);
    else fill(this.empty, 'No task is known. Submit some: ', h('code', null, 'orchestrator submit sleep \'{"ms": 200}\' --count 5'));
  }

  private async loadMore(): Promise<void> {
    const key = this.filterKey;
    try {
      const answer = await call<Answer>('TaskService/ListTasks', { ...filterOf(), pageSize, pageToken: this.next });
      if (key !== this.filterKey) return;
      // Those that have left the first page meanwhile stay in the list.
      const known = new Set(answer.tasks?.map(task => task.taskId));
      this.rest = [...this.rest, ...this.first, ...(answer.tasks ?? [])].filter(
        (task, i, all) =>
          (i >= all.length - (answer.tasks?.length ?? 0) || !known.has(task.taskId)) && all.findIndex(other => other.taskId === task.taskId) === i,
      );
      this.next = answer.nextPageToken ?? '';
    } catch (error) {
      setText(this.message, wordsOf(error));
    }
    this.draw();
  }

  private draw(): void {
    const seen = new Set(this.first.map(task => task.taskId));
    const rows = [...this.first, ...this.rest.filter(task => !seen.has(task.taskId))];
    this.table.update(rows.sort((a, b) => instant(acceptedAt(b)) - instant(acceptedAt(a)) || 0));
    show(this.more, this.next !== '');
  }

  /** Cancels all unfinished tasks that match: the filter is asked for ids, page by page. */
  private async cancelMatching(): Promise<void> {
    const filter = filterOf();
    const chosen = (filter['states'] as string[]).filter(state => /QUEUED|RUNNING/.test(state));
    const states = chosen.length > 0 ? chosen : ['TASK_STATE_QUEUED', 'TASK_STATE_RUNNING'];
    const which = filterWords();
    if (
      !(await confirmed(`Cancel every queued and running task${which ? ` with ${which}` : ''}? Running ones get their time to stop.`, 'Cancel them'))
    )
      return;
    this.cancelAll.disabled = true;
    let cancelled = 0;
    try {
      for (let pageToken = ''; ;) {
        const answer = await call<Answer>('TaskService/ListTasks', { ...filter, states, pageSize: bulkPage, pageToken });
        const taskIds = answer.tasks?.map(task => task.taskId) ?? [];
        if (taskIds.length === 0) break;
        const done = await call<{ cancelledTaskIds?: string[] }>('TaskService/CancelTasks', { taskIds });
        cancelled += done.cancelledTaskIds?.length ?? 0;
        setText(this.message, `${count(cancelled)} cancelled …`);
        pageToken = answer.nextPageToken ?? '';
        if (!pageToken) break;
      }
      setText(this.message, `${plural(cancelled, 'task')} cancelled.`);
    } catch (error) {
      setText(this.message, `${plural(cancelled, 'task')} cancelled, then: ${wordsOf(error)}`);
    } finally {
      this.cancelAll.disabled = false;
    }
  }
}

const acceptedAt = (task: TaskInfo): string | undefined => task.acceptedAt ?? task.result?.timing?.acceptedAt;
const workerOf = (task: TaskInfo): string => task.result?.worker || task.attempts?.at(-1)?.worker || '';

function took(task: TaskInfo): string {
  if (!hasEnded(task)) return span((model.now() - instant(acceptedAt(task))) / 1000);
  const timing = task.result?.timing;
  const parts = [timing?.queued, timing?.dispatch, timing?.run, timing?.reply].map(seconds).filter(value => value >= 0);
  return parts.length > 0 ? span(parts.reduce((a, b) => a + b)) : none;
}

function why(task: TaskInfo): string {
  return task.waitingFor || task.result?.error?.message || words(task.result?.error?.reason, 'ERROR_REASON_') || task.progress?.message || '';
}

export const page = (): Page => new Tasks();
