/** Builds and updates the document. Data only ever becomes text or an attribute, since names come from strangers. */
export type Child = Node | string | number | null | undefined | false | Child[];
type Attribute = string | number | boolean | undefined | ((event: never) => void);

/** Makes an element. A function becomes a listener ("onclick"), true an empty attribute; false and undefined leave the attribute out. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes?: Record<string, Attribute> | null,
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  for (const name in attributes) apply(element, name, attributes[name]);
  append(element, children);
  return element;
}

/** Makes an element of a drawing. */
export function svg(tag: string, attributes?: Record<string, string | number | undefined>, ...children: Child[]): SVGElement {
  const element = document.createElementNS('http://www.w3.org/2000/svg', tag);
  for (const name in attributes) if (attributes[name] !== undefined) element.setAttribute(name, String(attributes[name]));
  append(element, children);
  return element;
}

function apply(element: HTMLElement, name: string, value: Attribute): void {
  if (value === undefined || value === false) return;
  if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
  else element.setAttribute(name, value === true ? '' : String(value));
}

export function append(parent: Node, children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (child instanceof Node) parent.appendChild(child);
    else if (child !== null && child !== undefined && child !== false) parent.appendChild(document.createTextNode(String(child)));
  }
}

/** Replaces what an element contains. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, children);
}

/** Sets a text, and touches the document only if it differs. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string | null): void {
  if (value === null) element.removeAttribute(name);
  else if (element.getAttribute(name) !== value) element.setAttribute(name, value);
}

/** Shows or hides an element. */
export function show(element: HTMLElement, visible: boolean): void {
  if (element.hidden === visible) element.hidden = !visible;
}

/** A list of elements that follows a list of items: an item keeps its element, so focus and selection survive an update. */
export class KeyedList<Item> {
  private readonly entries = new Map<string, { element: HTMLElement; update(item: Item): void }>();

  constructor(
    private readonly parent: HTMLElement,
    private readonly key: (item: Item) => string,
    private readonly create: (item: Item) => { element: HTMLElement; update(item: Item): void },
  ) {}

  update(items: readonly Item[]): void {
    const seen = new Set<string>();
    let place = this.parent.firstElementChild;
    for (const item of items) {
      const key = this.key(item);
      if (seen.has(key)) continue;
      seen.add(key);
      let entry = this.entries.get(key);
      if (!entry) this.entries.set(key, (entry = this.create(item)));
      entry.update(item);
      if (entry.element === place) place = place.nextElementSibling;
      else this.parent.insertBefore(entry.element, place);
    }
    for (const [key, entry] of this.entries) {
      if (seen.has(key)) continue;
      entry.element.remove();
      this.entries.delete(key);
    }
  }
}

/** A column of a table: either a text, or content that is built once per value of `key` and may be refreshed. */
export interface Column<Row> {
  title: string;
  /** Says more than the title. */
  hint?: string;
  class?: string;
  text?(row: Row): string;
  build?(row: Row): Child;
  key?(row: Row): string;
  refresh?(cell: HTMLTableCellElement, row: Row): void;
}

export interface TableOptions<Row> {
  caption: string;
  key(row: Row): string;
  columns: Column<Row>[];
  /** Attributes of a row, such as data-test. */
  attributes?(row: Row): Record<string, string>;
  /** A click on a row, outside its links and buttons. */
  select?(row: Row): void;
  selected?(row: Row): boolean;
}

/** A table whose rows stay the same elements while their items stay. */
export class Table<Row> {
  readonly element: HTMLTableElement;
  private readonly list: KeyedList<Row>;

  constructor(private readonly options: TableOptions<Row>) {
    const body = h('tbody');
    this.element = h(
      'table',
      null,
      h('caption', { class: 'unseen' }, options.caption),
      h(
        'thead',
        null,
        h(
          'tr',
          null,
          options.columns.map(column => h('th', { scope: 'col', class: column.class, title: column.hint }, column.title)),
        ),
      ),
      body,
    );
    this.list = new KeyedList(body, options.key, row => this.row(row));
  }

  update(rows: readonly Row[]): void {
    this.list.update(rows);
  }

  private row(first: Row): { element: HTMLElement; update(row: Row): void } {
    const { columns, select, selected, attributes } = this.options;
    let current = first;
    const cells = columns.map((column, i) => (i === 0 ? h('th', { scope: 'row', class: column.class }) : h('td', { class: column.class })));
    const keys: (string | undefined)[] = columns.map(() => undefined);
    const element = h('tr', { ...attributes?.(first), class: select ? 'pick' : undefined }, cells);
    if (select)
      element.addEventListener('click', event => {
        if (!(event.target as Element).closest('a,button,input,label')) select(current);
      });
    const update = (row: Row): void => {
      current = row;
      if (selected) element.classList.toggle('on', selected(row));
      columns.forEach((column, i) => {
        const cell = cells[i] as HTMLTableCellElement;
        if (column.text) return setText(cell, column.text(row));
        const key = column.key?.(row) ?? '';
        if (keys[i] !== key) {
          keys[i] = key;
          fill(cell, column.build?.(row));
        }
        column.refresh?.(cell, row);
      });
    };
    return { element, update };
  }
}

/** A bar of the share that is used, with the share in words for those who cannot see it. */
export function meter(): { element: HTMLElement; set(share: number, tone?: string): void } {
  const inner = h('i');
  const element = h('div', { class: 'bar', 'aria-hidden': 'true' }, inner);
  return {
    element,
    set(share, tone) {
      const width = `${Math.round(Math.min(1, Math.max(0, share || 0)) * 1000) / 10}%`;
      if (inner.style.width !== width) inner.style.width = width;
      setAttribute(inner, 'class', tone ?? '');
    },
  };
}
