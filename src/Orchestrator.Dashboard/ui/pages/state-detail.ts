import { call, wordsOf } from '../api.js';
import { fill, h, setText } from '../dom.js';
import { count, int } from '../format.js';
import { objectLink } from '../links.js';
import { model } from '../model.js';
import { payloadView } from '../payload.js';
import type { Payload } from '../types.js';

/** What one shared object holds: shown only when asked, since values may be secret. */

const shownAtOnce = 50;

interface NumberValue {
  integer?: string;
  real?: number;
}
interface Content {
  version?: string;
  count?: string;
  length?: string;
  entries?: { key: string; value?: Payload; version?: string }[];
  values?: (Payload & NumberValue)[];
  current?: NumberValue;
}

export class StateDetail {
  readonly element: HTMLElement;
  private readonly content = h('div');
  private readonly message = h('p', { class: 'badv', role: 'alert' });

  constructor(
    private readonly object: string,
    close: () => void,
  ) {
    const read = h('button', { type: 'button', class: 'btn', onclick: () => void this.read() }, 'Show its content');
    this.element = h(
      'section',
      { class: 'panel detail one', 'aria-label': object },
      h(
        'div',
        null,
        h('h3', null, objectLink(object)),
        model.may('operate') ? read : h('p', { class: 'dimv' }, 'Values are shown to operators only.'),
        this.message,
        this.content,
      ),
      h('button', { type: 'button', class: 'act corner', 'aria-label': 'Close', onclick: close }, '✕'),
    );
  }

  private async read(): Promise<void> {
    const [kind, ...rest] = this.object.split('/');
    const name = rest.join('/');
    try {
      switch (kind) {
        case 'dicts':
          return this.dict(await call<Content>('StateService/ReadDict', { dict: name, pageSize: shownAtOnce }));
        case 'lists':
          return this.list(await call<Content>('StateService/ReadList', { list: name, start: '0', limit: String(shownAtOnce) }));
        case 'values':
          return fill(this.content, h('p', null, h('b', null, numberText((await call<Content>('StateService/ReadValue', { value: name })).current))));
        case 'arrays':
          return this.array(await call<Content>('StateService/ReadArray', { array: name, start: '0', limit: String(shownAtOnce * 4) }));
      }
    } catch (error) {
      setText(this.message, wordsOf(error));
    }
  }

  private dict(answer: Content): void {
    fill(
      this.content,
      h(
        'dl',
        null,
        answer.entries?.map(entry => [h('dt', null, entry.key), h('dd', null, entry.value ? payloadView(entry.value) : '')]),
      ),
      rest(int(answer.count), answer.entries?.length ?? 0),
    );
  }

  private list(answer: Content): void {
    fill(
      this.content,
      h(
        'ol',
        { class: 'items', start: '0' },
        answer.values?.map(value => h('li', null, payloadView(value))),
      ),
      rest(int(answer.count), answer.values?.length ?? 0),
    );
  }

  private array(answer: Content): void {
    fill(this.content, h('p', { class: 'wrap' }, answer.values?.map(numberText).join(', ')), rest(int(answer.length), answer.values?.length ?? 0));
  }
}

const numberText = (value: NumberValue | undefined): string => value?.integer ?? String(value?.real ?? 0);
const rest = (total: number, shown: number): HTMLElement =>
  h('p', { class: 'dimv' }, shown < total ? `the first ${count(shown)} of ${count(total)}` : `${count(total)} in all`);
