import { call, wordsOf } from '../api.js';
import { h, setText } from '../dom.js';
import { bytes, instant, toInstant } from '../format.js';
import { model } from '../model.js';
import { view } from '../moment.js';
import type { Page } from '../page.js';
import { change, parameter } from '../router.js';
import { reportHtml } from '../report-file.js';
import type { Deadlock, History, Limit, ServiceStatus } from '../types.js';

/** One file about the last minutes, to keep or to attach to a bug report. */

const lengths = [1, 5, 15];
/** A chart has no more points than this. */
const points = 300;

class Report implements Page {
  readonly element: HTMLElement;
  private readonly minutes = h(
    'select',
    { id: 'report-minutes' },
    lengths.map(value => h('option', { value: String(value) }, `${value} min`)),
  );
  private readonly make = h(
    'button',
    { type: 'button', class: 'btn on', 'data-test': 'report-make', onclick: () => void this.write() },
    'Make the report',
  );
  private readonly message = h('p', { role: 'status' });

  constructor() {
    this.minutes.addEventListener('change', () => change({ minutes: this.minutes.value }));
    this.element = h(
      'section',
      { class: 'panel pad report', 'aria-label': 'Report' },
      h(
        'p',
        null,
        'One HTML file with the figures, the handlers, the workers, the events and the limits of the last minutes. It is made in this browser, and needs neither scripts nor a network to be read. It holds no input and no output of a task.',
      ),
      h('div', { class: 'tools' }, h('label', { for: 'report-minutes' }, 'The last ', this.minutes), this.make),
      this.message,
    );
  }

  update(): void {
    this.minutes.value = lengths.includes(Number(parameter('minutes'))) ? parameter('minutes') : '15';
  }

  private async write(): Promise<void> {
    this.make.disabled = true;
    setText(this.message, 'Reading …');
    try {
      const minutes = Number(this.minutes.value);
      const { at: to, events } = view();
      const from = to - minutes * 60_000;
      const step = Math.max(1, Math.ceil((minutes * 60) / points));
      const [history, { deadlocks }, { limits }, { status }] = await Promise.all([
        call<History>('AdminService/GetHistory', { from: toInstant(from), to: toInstant(to), step: `${step}s` }),
        call<{ deadlocks?: Deadlock[] }>('AdminService/ListDeadlocks'),
        call<{ limits?: Limit[] }>('AdminService/ListLimits'),
        call<{ status: ServiceStatus }>('AdminService/GetStatus'),
      ]);
      const within = (at: string | undefined): boolean => instant(at) >= from && instant(at) <= to;
      const html = reportHtml({
        title: `Orchestrator, ${minutes} min`,
        address: location.host,
        from,
        to,
        step,
        status,
        series: history.series ?? [],
        events: events.filter(event => within(event.at)),
        deadlocks: (deadlocks ?? []).filter(deadlock => within(deadlock.at)),
        limits: limits ?? [],
      });
      const file = new Blob([html], { type: 'text/html' });
      const address = URL.createObjectURL(file);
      const name = `orchestrator-${toInstant(model.now()).slice(0, 19).replaceAll(':', '')}.html`;
      h('a', { href: address, download: name }).click();
      setTimeout(() => URL.revokeObjectURL(address), 60_000);
      setText(this.message, `${name}, ${bytes(file.size)}, was handed to the browser.`);
    } catch (error) {
      setText(this.message, wordsOf(error));
    } finally {
      this.make.disabled = false;
    }
  }
}

export const page = (): Page => new Report();
