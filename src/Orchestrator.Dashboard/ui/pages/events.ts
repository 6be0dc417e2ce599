import { h, KeyedList, setText, show } from '../dom.js';
import { clock, instant, int, plural } from '../format.js';
import { subjectLink } from '../links.js';
import { model } from '../model.js';
import { view } from '../moment.js';
import type { Page } from '../page.js';
import { change, parameter } from '../router.js';
import { lookAt } from '../time-strip.js';
import { eventLook } from '../tones.js';
import type { OperatorEvent } from '../types.js';

/** What happened to workers, groups, sessions and the coordinator itself. */

const first = 200;
const periods: [value: string, text: string][] = [
  ['', 'all that are kept'],
  ['60', 'last minute'],
  ['300', 'last 5 min'],
  ['900', 'last 15 min'],
  ['3600', 'last hour'],
];

class Events implements Page {
  readonly element: HTMLElement;
  private readonly kind = h('select', { id: 'event-kind' });
  private readonly subject = h('input', { type: 'search', placeholder: 'worker-1, locks/x …' });
  private readonly since = h(
    'select',
    null,
    periods.map(([value, text]) => h('option', { value }, text)),
  );
  private readonly total = h('b', { 'data-test': 'total' });
  private readonly rows = h('ul', { class: 'feed wide' });
  private readonly empty = h('p', { class: 'empty', hidden: true });
  private readonly more = h('button', { type: 'button', class: 'btn', hidden: true }, 'Show all');
  private readonly list: KeyedList<OperatorEvent>;
  private kindsKey = '';
  private most = first;

  constructor() {
    this.kind.addEventListener('change', () => change({ kind: this.kind.value }));
    this.subject.addEventListener('input', () => change({ subject: this.subject.value.trim() }));
    this.since.addEventListener('change', () => change({ since: this.since.value }));
    this.more.addEventListener('click', () => {
      this.most = Infinity;
      this.update();
    });
    void model.loadEvents();
    this.list = new KeyedList(
      this.rows,
      event => `${event.sequence}`,
      event => ({ element: item(event), update() {} }),
    );
    this.element = h(
      'div',
      { class: 'stack' },
      h(
        'form',
        { class: 'panel filter', role: 'search', onsubmit: (event: SubmitEvent) => event.preventDefault() },
        h('label', null, 'Kind', this.kind),
        h('label', null, 'Subject', this.subject),
        h('label', null, 'Since', this.since),
      ),
      h(
        'section',
        { class: 'panel', 'aria-label': 'Events' },
        h('h2', null, this.total, h('span', null, 'a click on a time looks back to it')),
        this.rows,
        this.empty,
        h('div', { class: 'tools foot' }, this.more),
      ),
    );
  }

  update(): void {
    const { events, at } = view();
    this.updateKinds(events);
    const [kind, subject, since] = [parameter('kind'), parameter('subject').toLowerCase(), Number(parameter('since'))];
    if (document.activeElement !== this.subject) this.subject.value = parameter('subject');
    this.since.value = parameter('since');
    const from = since > 0 ? at - since * 1000 : -Infinity;
    const found = events.filter(
      event =>
        (!kind || event.kind === kind || event.kind?.startsWith(`${kind}.`)) &&
        (!subject || `${event.subject} ${event.message}`.toLowerCase().includes(subject)) &&
        instant(event.at) >= from,
    );
    setText(this.total, plural(found.length, 'event'));
    this.list.update(found.slice(-this.most).reverse());
    show(this.more, found.length > this.most);
    show(this.empty, found.length === 0);
    setText(
      this.empty,
      events.length === 0 ? 'Nothing has happened yet. Replace a worker to see something: orchestrator recycle worker-1' : 'No event matches.',
    );
  }

  /** Offers the kinds that there are, and their families. */
  private updateKinds(events: readonly OperatorEvent[]): void {
    const kinds = [...new Set(events.flatMap(event => (event.kind ? [event.kind, event.kind.split('.')[0]!] : [])))].sort();
    const chosen = parameter('kind');
    if (chosen && !kinds.includes(chosen)) kinds.push(chosen);
    const key = kinds.join('\n');
    if (key !== this.kindsKey) {
      this.kindsKey = key;
      this.kind.replaceChildren(
        h('option', { value: '' }, 'all'),
        ...kinds.map(value => h('option', { value }, value.includes('.') ? value : `${value}.*`)),
      );
    }
    this.kind.value = chosen;
  }
}

function item(event: OperatorEvent): HTMLElement {
  const kind = event.kind ?? '';
  const look = eventLook(kind);
  const at = instant(event.at);
  return h(
    'li',
    { 'data-test': 'event', 'data-kind': kind, 'data-id': String(int(event.sequence)) },
    h('span', { class: `g ${look.tone}`, 'aria-hidden': 'true' }, look.glyph),
    h(
      'span',
      null,
      h('a', { class: 'name dimv', href: `?page=events&kind=${encodeURIComponent(kind)}` }, kind),
      ' ',
      h('b', null, subjectLink(kind, event.subject ?? '')),
      h('em', null, event.message ?? ''),
    ),
    h('button', { type: 'button', class: 'time', title: 'Look back to this moment', onclick: () => lookAt(at) }, clock(at, true)),
  );
}

export const page = (): Page => new Events();
