import { CallError, stream, wordsOf } from '../api.js';
import { breakEven, fastest, keep, kept, placementName, resultsOf, type Kept, type Result } from '../comparison.js';
import { fill, h, meter, setText, show, type Child } from '../dom.js';
import { bytes, clock, count, none, rate, span } from '../format.js';
import { model } from '../model.js';
import type { Page } from '../page.js';
import { payloadText } from '../payload.js';
import { change, parameter } from '../router.js';
import type { ComparisonRun, Payload } from '../types.js';

/** The same tasks one after the other, on threads, asynchronously and in worker processes. */

const tones = ['run', 'off', 'wait', 'reply'];
const mostInputs = 8;

class Compare implements Page {
  readonly element: HTMLElement;
  private readonly handler = h('select', { id: 'compare-handler' });
  private readonly inputs = h('textarea', { id: 'compare-inputs', rows: '4', spellcheck: 'false' });
  private readonly tasks = h('input', { type: 'number', min: '1', max: '10000', value: '200' });
  private readonly force = h('input', { type: 'checkbox' });
  private readonly run = h('button', { type: 'submit', class: 'btn on', 'data-test': 'compare-run' }, 'Compare');
  private readonly stop = h('button', { type: 'button', class: 'btn', hidden: true, onclick: () => this.abort?.abort() }, 'Stop');
  private readonly message = h('p', { role: 'status' });
  private readonly progress = meter();
  private readonly results = h('div', { class: 'stack' });
  private readonly left = h('select', { 'aria-label': 'First comparison' });
  private readonly right = h('select', { 'aria-label': 'Second comparison' });
  private readonly difference = h('div', { class: 'scroll' });
  private readonly differencePanel: HTMLElement;
  private abort: AbortController | null = null;
  private handlersKey = '';

  constructor() {
    const form = h(
      'form',
      {
        class: 'panel filter',
        onsubmit: (event: SubmitEvent) => {
          event.preventDefault();
          void this.compare();
        },
      },
      h('label', { for: 'compare-handler' }, 'Handler', this.handler),
      h(
        'label',
        { for: 'compare-inputs', class: 'broad' },
        'Inputs, one JSON value per line; larger and larger ones show from which size a process pays',
        this.inputs,
      ),
      h('label', null, 'Tasks per run', this.tasks),
      h('label', { class: 'check' }, this.force, 'although other tasks run'),
      this.run,
      this.stop,
    );
    for (const select of [this.left, this.right]) select.addEventListener('change', () => this.showDifference());
    this.differencePanel = h(
      'section',
      { class: 'panel', 'aria-label': 'Two comparisons' },
      h('h2', null, 'Two comparisons', h('span', null, 'kept in this tab')),
      h('div', { class: 'tools pad' }, this.left, ' against ', this.right),
      this.difference,
    );
    this.element = h(
      'div',
      { class: 'stack' },
      model.may('operate')
        ? form
        : h(
            'p',
            { class: 'panel empty' },
            'Comparisons load the machine: they are run by operators only. The command is ',
            h('code', null, 'orchestrator bench compare'),
          ),
      h('div', { class: 'panel pad', hidden: !model.may('operate') }, this.message, this.progress.element),
      this.results,
      this.differencePanel,
    );
    this.handler.addEventListener('change', () => {
      change({ handler: this.handler.value });
      this.suggest();
    });
    setText(this.message, 'A comparison takes at most 30 s. It is refused while tasks of others run.');
    show(this.progress.element, false);
    void model.loadHandlers();
    this.showKept(kept()[0]);
  }

  update(): void {
    const names = [...model.handlers.keys()].sort();
    const key = names.join('\n');
    if (key === this.handlersKey || names.length === 0) return;
    this.handlersKey = key;
    this.handler.replaceChildren(...names.map(name => h('option', { value: name }, name)));
    this.handler.value = names.includes(parameter('handler')) ? parameter('handler') : names.includes('fibonacci') ? 'fibonacci' : names[0]!;
    this.suggest();
  }

  close(): void {
    this.abort?.abort();
  }

  /** Offers the handler's example. */
  private suggest(): void {
    const example = model.handlers.get(this.handler.value)?.exampleInput;
    this.inputs.value =
      this.handler.value === 'fibonacci'
        ? '{"n": 10}\n{"n": 18}\n{"n": 24}\n{"n": 30}'
        : example
          ? payloadText(example).replace(/\s*\n\s*/g, ' ')
          : '{}';
  }

  private async compare(): Promise<void> {
    const lines = this.inputs.value
      .split('\n')
      .map(line => line.trim())
      .filter(Boolean)
      .slice(0, mostInputs);
    let inputs: Payload[];
    try {
      inputs = lines.map(line => ({ json: JSON.parse(line) as unknown }));
    } catch {
      return setText(this.message, 'Each line has to be one JSON value.');
    }
    const comparison: Kept = {
      id: crypto.randomUUID(),
      at: Date.now(),
      handler: this.handler.value,
      inputs: lines,
      tasks: Number(this.tasks.value),
      runs: [],
    };
    const abort = (this.abort = new AbortController());
    this.run.disabled = true;
    show(this.stop, true);
    show(this.progress.element, true);
    let said = '';
    try {
      const request = { handler: comparison.handler, inputs, tasks: comparison.tasks, force: this.force.checked };
      for await (const run of stream<ComparisonRun>('AdminService/RunComparison', request, abort.signal)) {
        comparison.runs.push(run);
        this.progress.set(comparison.runs.length / Math.max(1, run.runs ?? 1));
        setText(
          this.message,
          `${comparison.runs.length} of ${run.runs ?? '?'} runs: input ${(run.input ?? 0) + 1}, ${placementName(run.placement ?? '')}`,
        );
        this.showResults(comparison);
      }
    } catch (error) {
      said = abort.signal.aborted
        ? 'Stopped.'
        : error instanceof CallError && error.message.includes("'force'")
          ? `${error.message}: tick "although other tasks run".`
          : wordsOf(error);
    } finally {
      this.run.disabled = false;
      show(this.stop, false);
      show(this.progress.element, false);
    }
    if (comparison.runs.length > 0) keep(comparison);
    const [measured, planned] = [comparison.runs.length, comparison.runs[0]?.runs ?? 0];
    const done = measured < planned ? `Measured ${measured} of ${planned} runs in 30 s, the most that a comparison may take.` : 'Done.';
    setText(this.message, said || done);
    this.showKept(comparison);
  }

  private showKept(comparison: Kept | undefined): void {
    if (comparison && comparison.runs.length > 0) this.showResults(comparison);
    const all = kept();
    show(this.differencePanel, all.length > 1);
    for (const [select, i] of [
      [this.left, 1],
      [this.right, 0],
    ] as const) {
      select.replaceChildren(...all.map(item => h('option', { value: item.id }, `${clock(item.at)} ${item.handler}, ${item.tasks} tasks`)));
      select.selectedIndex = Math.min(i, all.length - 1);
    }
    this.showDifference();
  }

  private showResults(comparison: Kept): void {
    const results = resultsOf(comparison.runs);
    const most = Math.max(...results.map(result => result.perSecond));
    fill(
      this.results,
      h(
        'section',
        { class: 'panel', 'aria-label': 'Result', 'data-test': 'comparison' },
        h('h2', null, `${comparison.handler}, ${count(comparison.tasks)} tasks per run`, h('span', null, 'medians of all rounds')),
        h('p', { class: 'pad strong', 'data-test': 'break-even' }, breakEvenWords(results)),
        h(
          'div',
          { class: 'scroll' },
          h(
            'table',
            null,
            h('caption', { class: 'unseen' }, 'Results'),
            h(
              'thead',
              null,
              h(
                'tr',
                null,
                ['input', 'placement', 'tasks/s', '', 'latency p50', 'run p50', 'memory', 'rounds'].map((title, i) =>
                  h('th', { scope: 'col', class: i === 1 ? 'l' : i === 3 || i > 5 ? 'l hide' : undefined }, title),
                ),
              ),
            ),
            h(
              'tbody',
              null,
              results.map(result => this.row(comparison, results, result, most)),
            ),
          ),
        ),
      ),
    );
  }

  private row(comparison: Kept, results: Result[], result: Result, most: number): Child {
    const best = fastest(results, result.input) === result;
    const bar = h('i', { class: tones[['WORKER_PROCESS', 'SEQUENTIAL', 'THREADS', 'ASYNC'].findIndex(name => result.placement.endsWith(name))] });
    // Rates differ by orders of magnitude between inputs: the bar compares within one.
    const scale = fastest(results, result.input)?.perSecond ?? most;
    bar.style.width = `${Math.max(1, (result.perSecond / scale) * 100)}%`;
    return h(
      'tr',
      { class: best ? 'best' : undefined, 'data-test': 'comparison-row', 'data-placement': result.placement, 'data-input': String(result.input) },
      h('th', { scope: 'row' }, h('code', null, comparison.inputs[result.input] ?? String(result.input + 1))),
      h('td', { class: 'l' }, placementName(result.placement), best ? ' ✓ fastest' : ''),
      h('td', null, rate(result.perSecond)),
      h('td', { class: 'l hide' }, h('div', { class: 'bar wide', 'aria-hidden': 'true' }, bar)),
      h('td', null, span(result.latency)),
      h('td', null, span(result.run)),
      h('td', { class: 'hide' }, bytes(result.memory)),
      h('td', { class: 'hide' }, String(result.rounds)),
    );
  }

  /** Two comparisons beside each other, where both measured the same input at the same placement. */
  private showDifference(): void {
    const all = kept();
    const [a, b] = [this.left, this.right].map(select => all.find(item => item.id === select.value));
    if (!a || !b) return fill(this.difference);
    const before = resultsOf(a.runs);
    const rows = resultsOf(b.runs).flatMap(now => {
      const input = b.inputs[now.input];
      const then = before.find(result => a.inputs[result.input] === input && result.placement === now.placement && a.handler === b.handler);
      return then ? [{ input, then, now }] : [];
    });
    fill(
      this.difference,
      rows.length === 0
        ? h('p', { class: 'empty' }, 'These two have no handler and input in common.')
        : h(
            'table',
            null,
            h('caption', { class: 'unseen' }, 'Difference'),
            h(
              'thead',
              null,
              h(
                'tr',
                null,
                ['input', 'placement', 'tasks/s before', 'tasks/s now', 'ratio', 'latency ratio'].map((title, i) =>
                  h('th', { scope: 'col', class: i === 1 ? 'l' : undefined }, title),
                ),
              ),
            ),
            h(
              'tbody',
              null,
              rows.map(({ input, then, now }) =>
                h(
                  'tr',
                  null,
                  h('th', { scope: 'row' }, h('code', null, input)),
                  h('td', { class: 'l' }, placementName(now.placement)),
                  h('td', null, rate(then.perSecond)),
                  h('td', null, rate(now.perSecond)),
                  h('td', null, ratio(now.perSecond / then.perSecond)),
                  h('td', null, ratio(now.latency / then.latency)),
                ),
              ),
            ),
          ),
    );
  }
}

const ratio = (value: number): string => (Number.isFinite(value) ? `${value.toFixed(2)} ×` : none);

function breakEvenWords(results: readonly Result[]): string {
  const { kind, run } = breakEven(results);
  switch (kind) {
    case 'always':
      return `Worker processes are faster than one thread for every input measured, from ${span(run)} per task on.`;
    case 'never':
      return `One thread is faster than worker processes for every input measured, up to ${span(run)} per task.`;
    case 'from':
      return `Worker processes pay from about ${span(run)} per task.`;
    default:
      return 'Both one thread and worker processes are needed to tell from when on processes pay.';
  }
}

export const page = (): Page => new Compare();
