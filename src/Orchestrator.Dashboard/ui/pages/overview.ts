import { call } from '../api.js';
import { onTheme } from '../colours.js';
import { debug } from '../debug.js';
import { h, KeyedList, setText, show } from '../dom.js';
import { AttentionList, EventList } from '../event-list.js';
import { int, toInstant } from '../format.js';
import { behind, onFrame } from '../frames.js';
import { Ledger } from '../ledger.js';
import { model } from '../model.js';
import { onPastLanes, pastLanes, view } from '../moment.js';
import { pause, type Page } from '../page.js';
import { address } from '../router.js';
import { seriesByName } from '../series.js';
import { lookAt } from '../time-strip.js';
import type { History, WorkerInfo } from '../types.js';
import { WorkerCard } from '../worker-card.js';
import { HandlerTable, Sparks } from './handler-table.js';
import { Tiles } from './tiles.js';

/** Cards beyond this are shown when asked for: a card has a picture that moves. */
const cardsFirst = 16;

/** The first page: whether all is well, and if not, where. */
class Overview implements Page {
  readonly element: HTMLElement;
  private readonly tiles = new Tiles();
  private readonly ledger = new Ledger();
  private readonly cards = new Map<string, WorkerCard>();
  private readonly cardsElement = h('div', { class: 'workers' });
  private readonly noWorkers = h('p', { class: 'panel empty', hidden: true }, 'No worker. Start some: ', h('code', null, 'orchestrator scale 2'));
  private readonly more = h('button', { type: 'button', class: 'btn', hidden: true });
  private readonly sparks = new Sparks();
  private readonly handlers = new HandlerTable(this.sparks);
  private readonly attention = new AttentionList();
  private readonly events = new EventList(lookAt);
  private readonly nothing = h('p', { class: 'empty' }, 'Nothing.');
  private readonly noEvents = h('p', { class: 'empty' }, 'None yet.');
  private readonly list: KeyedList<WorkerInfo>;
  private readonly closers: (() => unknown)[];
  private most = cardsFirst;
  private heaviest = 1;
  private live = true;
  private sparksLoaded = false;

  constructor() {
    this.list = new KeyedList(
      this.cardsElement,
      worker => worker.name,
      worker => {
        const card = new WorkerCard(worker.name);
        this.cards.set(worker.name, card);
        this.useLanes(card);
        return { element: card.element, update: current => card.update(current, this.heaviest, this.live) };
      },
    );
    this.more.addEventListener('click', () => {
      this.most = Infinity;
      this.update();
    });
    this.element = h(
      'div',
      { class: 'stack' },
      this.tiles.element,
      this.ledger.element,
      h(
        'div',
        { class: 'cols' },
        h('div', { class: 'stack' }, this.cardsElement, this.noWorkers, this.more, this.handlers.element),
        h(
          'div',
          { class: 'stack' },
          h('section', { class: 'panel', 'aria-label': 'Needs attention' }, h('h2', null, 'Needs attention'), this.attention.element, this.nothing),
          h(
            'section',
            { class: 'panel', 'aria-label': 'Events' },
            h('h2', null, 'Events', h('span', null, h('a', { class: 'name', href: address('events') }, 'all'))),
            this.events.element,
            this.noEvents,
          ),
        ),
      ),
    );
    const lanes = (): void => {
      for (const card of this.cards.values()) this.useLanes(card);
    };
    const redraw = (): void => {
      for (const card of this.cards.values()) card.lanes.redraw();
    };
    this.closers = [
      onTheme(redraw),
      model.onSpans((from, to) => {
        for (const card of this.cards.values()) card.lanes.add(from, to);
      }),
      onPastLanes(lanes),
      model.onGapFilled(redraw),
      pause.onChange(redraw),
      onFrame(edge => this.frame(edge)),
    ];
    debug.hatched = () => [...this.cards.values()].reduce((sum, card) => sum + card.lanes.hatched, 0);
  }

  update(): void {
    const current = view();
    const { status } = current;
    if (this.live !== current.live) for (const card of this.cards.values()) this.useLanes(card);
    this.live = current.live;
    if (model.status?.window) this.sparks.take(model.status.window.handlers ?? [], model.statusAt);
    void this.loadSparks();
    this.tiles.update(current);
    show(this.ledger.element, current.live);
    if (current.live) this.ledger.update(status?.tasks);
    this.updateCards(status?.workers ?? []);
    show(this.noWorkers, !!status && !status.workers?.length);
    this.handlers.update(current);
    this.attention.update(current.attention, current.at);
    show(this.nothing, current.attention.length === 0);
    setText(this.nothing, current.live ? 'Nothing.' : 'Known only of now.');
    this.events.update(current.events, 12);
    show(this.noEvents, current.events.length === 0);
  }

  close(): void {
    for (const close of this.closers) close();
  }

  private updateCards(workers: readonly WorkerInfo[]): void {
    this.heaviest = Math.max(1, ...workers.map(worker => int(worker.rssBytes))) * 1.2;
    const kept = workers.slice(0, this.most);
    for (const name of this.cards.keys()) if (!kept.some(worker => worker.name === name)) this.cards.delete(name);
    this.list.update(kept);
    show(this.more, workers.length > kept.length);
    setText(this.more, `Show all ${workers.length} workers`);
  }

  private useLanes(card: WorkerCard): void {
    const past = pastLanes();
    if (past) card.lanes.use(past.spans, past.bins);
    else card.lanes.use(model.spans, model.bins);
  }

  private frame(edge: number): void {
    const past = pastLanes();
    const at = past ? past.at : pause.on ? pause.at - behind : edge;
    for (const card of this.cards.values()) card.lanes.frame(at, past || pause.on ? null : model.open);
  }

  /** The rates of the handlers before the page was opened. */
  private async loadSparks(): Promise<void> {
    const names = model.status?.window?.handlers?.map(handler => handler.handler) ?? [];
    if (this.sparksLoaded || names.length === 0) return;
    this.sparksLoaded = true;
    const now = model.now();
    const history = await call<History>('AdminService/GetHistory', {
      from: toInstant(now - 90_000),
      to: toInstant(now),
      series: names.slice(0, 64).map(name => `handler/${name}/ended`),
    }).catch(() => null);
    if (!history) return;
    for (const [series, values] of seriesByName(history)) this.sparks.prepend(series.slice('handler/'.length, -'/ended'.length), values);
  }
}

export const page = (): Page => new Overview();
