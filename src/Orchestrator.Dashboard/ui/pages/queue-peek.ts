import { call, wordsOf } from '../api.js';
import { fill, h, setText } from '../dom.js';
import { bytes, count, int, none, seconds, span, words } from '../format.js';
import { queueLink } from '../links.js';
import { model } from '../model.js';
import { payloadView } from '../payload.js';
import type { QueueInfo, QueueItem } from '../types.js';

/** One queue in detail, and a look at the items that would be delivered next. */
export class QueuePeek {
  readonly element: HTMLElement;
  private readonly facts = h('dl');
  private readonly items = h('div');
  private readonly message = h('p', { class: 'badv', role: 'alert' });
  private shown = '';

  constructor(
    private readonly queue: string,
    close: () => void,
  ) {
    const peek = model.may('operate')
      ? h('button', { type: 'button', class: 'btn', 'data-test': 'peek', onclick: () => void this.peek() }, 'Look at the next items')
      : null;
    this.element = h(
      'section',
      { class: 'panel detail two', 'aria-label': `Queue ${queue}`, 'data-test': 'queue-detail' },
      h('div', null, h('h3', null, 'Queue ', queueLink(queue)), this.facts),
      h('div', null, h('h3', null, 'Next items'), peek ?? h('p', { class: 'dimv' }, 'Items are shown to operators only.'), this.message, this.items),
      h('button', { type: 'button', class: 'act corner', 'aria-label': 'Close the queue', onclick: close }, '✕'),
    );
  }

  update(queue: QueueInfo): void {
    const { spec } = queue;
    const rows: [string, string][] = [
      ['kind', words(spec.kind, 'QUEUE_KIND_') || 'fifo'],
      ['survives', words(spec.durability, 'DURABILITY_') || 'memory'],
      ['ready', `${count(int(queue.readyItems))}, ${bytes(int(queue.readyBytes))}`],
      ['leased, delayed', `${count(int(queue.leasedItems))}, ${count(int(queue.delayedItems))}`],
      ['not done yet', count(int(queue.unfinishedItems))],
      ['oldest', span(seconds(queue.oldestAge))],
      ['at most', `${count(int(spec.maxItems))} items, ${bytes(int(spec.maxBytes))}`],
      ['wait to get, to put', `${queue.waitingGetters ?? 0}, ${queue.waitingPutters ?? 0}`],
      [
        'deliveries',
        spec.maxDeliveries
          ? `at most ${spec.maxDeliveries}, then ${spec.deadLetterQueue ? `to ${spec.deadLetterQueue}` : 'dropped'}`
          : 'without limit',
      ],
      ['made by', queue.owner || 'the owner'],
    ];
    const key = JSON.stringify(rows);
    if (key === this.shown) return;
    this.shown = key;
    fill(
      this.facts,
      rows.map(([name, value]) => [h('dt', null, name), h('dd', null, value)]),
    );
  }

  private async peek(): Promise<void> {
    try {
      const { items } = await call<{ items?: QueueItem[] }>('QueueService/PeekQueue', { queue: this.queue, maxItems: 10 });
      setText(this.message, '');
      fill(
        this.items,
        items?.length
          ? h(
              'ol',
              { class: 'items' },
              items.map(item =>
                h(
                  'li',
                  null,
                  `no. ${item.sequence ?? none}${item.priority && item.priority !== '0' ? `, priority ${item.priority}` : ''}${item.delivery ? `, delivered ${item.delivery}×` : ''} · `,
                  item.body ? payloadView(item.body) : 'empty',
                  item.deadLetter ? h('em', { class: 'dimv' }, ` from ${item.deadLetter.queue ?? ''}: ${item.deadLetter.reason ?? ''}`) : null,
                ),
              ),
            )
          : h('p', { class: 'dimv' }, 'No item is ready.'),
      );
    } catch (error) {
      setText(this.message, wordsOf(error));
    }
  }
}
