import { h, KeyedList, setText, type Child } from './dom.js';
import { clock, instant, int, longSpan } from './format.js';
import { subjectLink } from './links.js';
import { eventLook } from './tones.js';
import type { Attention, OperatorEvent } from './types.js';

/** Lists of events, and of what needs attention. */

function item(kind: string, tone: string, glyph: string, subject: string, message: string, test: string, time: Child): HTMLElement {
  return h(
    'li',
    { 'data-test': test, 'data-kind': kind },
    h('span', { class: `g ${tone}`, 'aria-hidden': 'true' }, glyph),
    h('span', null, subject ? h('b', null, subjectLink(kind, subject)) : h('b', null, kind), h('em', null, message)),
    time,
  );
}

/** Events; a click on the time of one looks back to it. */
export class EventList {
  readonly element = h('ul', { class: 'feed' });
  private readonly list: KeyedList<OperatorEvent>;

  constructor(jump: (at: number) => void) {
    this.list = new KeyedList(
      this.element,
      event => `${event.sequence}`,
      event => {
        const look = eventLook(event.kind ?? '');
        const at = instant(event.at);
        const time = h('button', { type: 'button', class: 'time', title: 'Look back to this moment', onclick: () => jump(at) }, clock(at));
        return {
          element: item(
            event.kind ?? '',
            look.tone,
            look.glyph,
            event.subject ?? '',
            `${words(event.kind ?? '')}${event.message ?? ''}`,
            'event',
            time,
          ),
          update() {},
        };
      },
    );
  }

  /** Shows events, the newest first. */
  update(events: readonly OperatorEvent[], most: number): void {
    this.list.update(
      events
        .slice(-most)
        .reverse()
        .filter(event => int(event.sequence) >= 0),
    );
  }
}

/** "worker.ready" as the start of a sentence: "ready: ". */
function words(kind: string): string {
  const verb = kind.slice(kind.indexOf('.') + 1).replaceAll('_', ' ');
  return verb ? `${verb}: ` : '';
}

/** What needs attention, told to screen readers as it comes. */
export class AttentionList {
  readonly element = h('ul', { class: 'feed', 'aria-live': 'polite' });
  private now = 0;
  private readonly list = new KeyedList<Attention>(
    this.element,
    entry => `${entry.kind}\n${entry.subject}\n${entry.urgent}`,
    entry => {
      const time = h('time');
      const element = item(entry.kind ?? '', entry.urgent ? 'bad' : 'late', entry.urgent ? '!' : '▲', entry.subject ?? '', '', 'attention', time);
      const message = element.querySelector('em')!;
      return {
        element,
        update: current => {
          setText(message, current.message ?? '');
          setText(time, current.since ? longSpan((this.now - instant(current.since)) / 1000) : '');
        },
      };
    },
  );

  update(attention: readonly Attention[], now: number): void {
    this.now = now;
    this.list.update([...attention].sort((a, b) => Number(b.urgent ?? false) - Number(a.urgent ?? false)));
  }
}
