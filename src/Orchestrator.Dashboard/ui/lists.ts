import { call, wordsOf } from './api.js';
import { h, setText, show } from './dom.js';
import { plural } from './format.js';

/** A list that the coordinator gives out in pages: the first is shown quickly and kept fresh, further ones are asked for. */
export class PagedList<Item> {
  items: Item[] = [];
  readonly more = h('button', { type: 'button', class: 'btn', hidden: true }, 'Show more');
  readonly total = h('span', { 'data-test': 'total' });
  readonly problem = h('p', { class: 'badv', role: 'alert' });
  private pages = 1;
  private next = '';

  constructor(
    private readonly method: string,
    private readonly field: string,
    private readonly noun: string,
    private readonly pageSize: number,
    private readonly loaded: () => void,
    private readonly request: () => object = () => ({}),
  ) {
    this.more.addEventListener('click', () => {
      this.pages++;
      void this.load();
    });
  }

  /** Reads as many pages as are shown. */
  async load(): Promise<void> {
    try {
      const items: Item[] = [];
      let total = NaN;
      this.next = '';
      for (let page = 0; page < this.pages; page++) {
        const answer = await call<Record<string, unknown>>(this.method, { ...this.request(), pageSize: this.pageSize, pageToken: this.next });
        items.push(...((answer[this.field] as Item[] | undefined) ?? []));
        total = Number(answer['total'] ?? NaN);
        this.next = String(answer['nextPageToken'] ?? '');
        if (!this.next) break;
      }
      this.items = items;
      setText(this.problem, '');
      setText(
        this.total,
        !Number.isNaN(total)
          ? plural(total, this.noun)
          : this.next
            ? `more than ${plural(items.length, this.noun)}`
            : plural(items.length, this.noun),
      );
    } catch (error) {
      setText(this.problem, wordsOf(error));
    }
    show(this.more, this.next !== '');
    this.loaded();
  }
}

/** Buttons of which one is chosen: parts of a page. */
export function tabs(
  label: string,
  entries: [name: string, title: string][],
  choose: (name: string) => void,
): { element: HTMLElement; update(chosen: string, titles?: Record<string, string>): void } {
  const buttons = entries.map(([name, title]) => ({
    name,
    title,
    button: h('button', { type: 'button', 'data-test': `view-${name}`, onclick: () => choose(name) }, title),
  }));
  return {
    element: h(
      'div',
      { class: 'seg2', role: 'group', 'aria-label': label },
      buttons.map(entry => entry.button),
    ),
    update(chosen, titles) {
      for (const { name, title, button } of buttons) {
        button.classList.toggle('on', name === chosen);
        button.setAttribute('aria-pressed', String(name === chosen));
        setText(button, titles?.[name] ? `${title} ${titles[name]}` : title);
      }
    },
  };
}
