import { call, wordsOf } from '../api.js';
import { fill, h, KeyedList, setText, show, Table, type Child } from '../dom.js';
import { bytes, count, instant, int, longSpan, none, seconds, span, words } from '../format.js';
import { clientLink, objectLink, sessionLink, taskLink, workerLink } from '../links.js';
import { PagedList, tabs } from '../lists.js';
import { model } from '../model.js';
import { Repeat, type Page } from '../page.js';
import { address, change, parameter } from '../router.js';
import type { Deadlock, Holder, SessionSummary, StateInfo, SyncInfo, WaitEdge } from '../types.js';
import { chainsOf, holdings, sentence, type Chain } from '../wait-chains.js';
import { graphKey, waitGraph } from '../wait-graph.js';
import { StateDetail } from './state-detail.js';

/** Who waits for whom, refused cycles, and all shared objects. */

const pauseBetween = 1000;
const pageSize = 100;
/** Refused cycles in the picture, and in the list of chains: the newest. */
const cyclesDrawn = 2;
const cyclesListed = 20;

class Waits implements Page {
  readonly element: HTMLElement;
  private readonly views = tabs(
    'Part',
    [
      ['chains', 'Who waits for whom'],
      ['objects', 'Locks and others'],
      ['state', 'Shared state'],
      ['sessions', 'Sessions'],
    ],
    view => change({ view: view === 'chains' ? undefined : view, object: undefined, session: undefined }),
  );
  private readonly objects = new PagedList<SyncInfo>('SyncService/ListSync', 'objects', 'object', pageSize, () => this.draw());
  private readonly states = new PagedList<StateInfo>('StateService/ListState', 'objects', 'object', pageSize, () => this.draw());
  private readonly sessions = new PagedList<SessionSummary>('AdminService/ListSessions', 'sessions', 'session', pageSize, () => this.draw());
  private readonly chainsElement = h('div');
  private readonly chains: KeyedList<Chain>;
  private readonly deadlocksElement = h('div');
  private readonly deadlocks: KeyedList<Deadlock>;
  private readonly noChains = h(
    'p',
    { class: 'empty' },
    'Nobody waits. To see a wait, run two tasks that take one lock: ',
    h('code', null, 'orchestrator run hold \'{"locks": ["x"], "ms": 5000}\' --count 2'),
  );
  private readonly graph = h('div', { class: 'graphbox' });
  private readonly problem = h('p', { class: 'badv', role: 'alert' });
  private readonly panels: Record<string, HTMLElement>;
  private readonly tables: [Table<SyncInfo>, Table<StateInfo>, Table<SessionSummary>];
  private readonly place = h('div');
  private readonly repeat: Repeat;
  private readonly empties = new Map<object, HTMLElement>();
  private edges: WaitEdge[] = [];
  private refused: Deadlock[] = [];
  private drawn = '';
  private view = '';
  private object = '';

  constructor() {
    this.chains = new KeyedList(
      this.chainsElement,
      chain => chain.object,
      chain => this.chainItem(chain),
    );
    this.deadlocks = new KeyedList(
      this.deadlocksElement,
      deadlock => `${deadlock.at} ${deadlock.message}`,
      deadlock => deadlockItem(deadlock),
    );
    this.tables = [this.objectTable(), stateTable(), sessionTable()];
    const list = (
      title: string,
      paged: PagedList<never> | PagedList<SyncInfo> | PagedList<StateInfo> | PagedList<SessionSummary>,
      table: HTMLElement,
      empty: Child,
    ): HTMLElement => {
      const nothing = h('p', { class: 'empty', hidden: true }, empty);
      this.empties.set(paged, nothing);
      return h(
        'section',
        { class: 'panel', 'aria-label': title },
        h('h2', null, title, paged.total),
        paged.problem,
        h('div', { class: 'scroll' }, table),
        nothing,
        h('div', { class: 'tools foot' }, paged.more),
      );
    };
    this.panels = {
      chains: h(
        'div',
        { class: 'waits' },
        h(
          'section',
          { class: 'panel', 'aria-label': 'Chains' },
          h('h2', null, 'Chains', h('span', null, 'longest wait first')),
          this.problem,
          this.deadlocksElement,
          this.chainsElement,
          this.noChains,
        ),
        h(
          'section',
          { class: 'panel', 'aria-label': 'Graph' },
          h('h2', null, 'Graph', h('span', null, 'waiter → object → holder · width is how long')),
          this.graph,
        ),
      ),
      objects: list(
        'Locks, semaphores, events, conditions, barriers, latches, rate limiters',
        this.objects,
        this.tables[0].element,
        'None is in use.',
      ),
      state: list('Dicts, lists, values, arrays', this.states, this.tables[1].element, [
        'None. Make one: ',
        h('code', null, 'orchestrator value add counter 1'),
      ]),
      sessions: list('Sessions', this.sessions, this.tables[2].element, 'No client and no task holds or waits for anything.'),
    };
    this.element = h('div', { class: 'stack' }, h('div', { class: 'tools' }, this.views.element), this.place, Object.values(this.panels));
    this.repeat = new Repeat(() => this.load(), pauseBetween);
  }

  update(): void {
    const asked = parameter('view');
    const view = asked in this.panels ? asked : 'chains';
    if (view !== this.view) {
      this.view = view;
      for (const name in this.panels) show(this.panels[name]!, name === view);
      this.repeat.now();
    }
    const object = view === 'state' ? parameter('object') : '';
    if (object !== this.object) {
      this.object = object;
      this.place.replaceChildren(...(object ? [new StateDetail(object, () => change({ object: undefined })).element] : []));
    }
    this.draw();
  }

  close(): void {
    this.repeat.close();
  }

  private async load(): Promise<void> {
    switch (this.view || parameter('view')) {
      case 'state':
        return this.states.load();
      case 'sessions':
        return this.sessions.load();
      case 'objects':
        return this.objects.load();
      default:
        return this.loadWaits();
    }
  }

  private async loadWaits(): Promise<void> {
    try {
      const [waits, refused] = await Promise.all([
        call<{ edges?: WaitEdge[] }>('AdminService/ExplainWaits'),
        call<{ deadlocks?: Deadlock[] }>('AdminService/ListDeadlocks'),
        this.objects.load(),
      ]);
      this.edges = waits.edges ?? [];
      this.refused = (refused.deadlocks ?? []).reverse();
      setText(this.problem, '');
    } catch (error) {
      setText(this.problem, wordsOf(error));
    }
    this.draw();
  }

  private draw(): void {
    this.views.update(this.view || 'chains', {
      objects: this.objects.items.length ? String(this.objects.items.length) : '',
      state: this.states.items.length ? String(this.states.items.length) : '',
    });
    const object = parameter('object');
    this.tables[0].update(
      object ? [...this.objects.items].sort((a, b) => Number(b.object === object) - Number(a.object === object)) : this.objects.items,
    );
    this.tables[1].update(this.states.items);
    this.tables[2].update(this.sessions.items);
    for (const [paged, nothing] of this.empties) show(nothing, (paged as PagedList<unknown>).items.length === 0);
    const chains = chainsOf(this.edges, this.objects.items);
    this.chains.update(chains);
    this.deadlocks.update(this.refused.slice(0, cyclesListed));
    show(this.noChains, chains.length === 0);
    const cycles = this.refused.slice(0, cyclesDrawn);
    const key = graphKey(chains, cycles);
    if (key === this.drawn || this.view !== 'chains') return;
    this.drawn = key;
    if (chains.length + cycles.length > 0) fill(this.graph, waitGraph(chains, cycles));
    else fill(this.graph, h('p', { class: 'empty' }, 'Nothing to draw.'));
  }

  private chainItem(first: Chain): { element: HTMLElement; update(chain: Chain): void } {
    const time = h('b');
    const text = h('span');
    const detail = h('p');
    const element = h(
      'div',
      { class: 'chain', 'data-test': 'chain', 'data-object': first.object },
      time,
      ' · ',
      text,
      ' ',
      objectLink(first.object),
      detail,
    );
    let key = '';
    return {
      element,
      update: chain => {
        setText(time, span(chain.longest));
        setText(text, sentence(chain));
        const held = [holdings(chain, this.objects.items), chain.description].filter(Boolean).join(' · ');
        const fresh = `${held}\n${chain.waiters.map(waiter => waiter.session).join()}`;
        if (fresh === key) return;
        key = fresh;
        fill(
          detail,
          held,
          held ? h('br') : null,
          'waiting: ',
          chain.waiters.slice(0, 5).map((waiter, i) => [i > 0 ? ', ' : '', sessionLink(waiter.session, waiter.name)]),
          chain.waiters.length > 5 ? ` and ${chain.waiters.length - 5} more` : null,
          chain.holders.length > 0
            ? [h('br'), 'holding: ', chain.holders.slice(0, 5).map((holder, i) => [i > 0 ? ', ' : '', sessionLink(holder.session, holder.name)])]
            : null,
        );
      },
    };
  }

  private objectTable(): Table<SyncInfo> {
    const parties = (holders: Holder[] | undefined): string =>
      JSON.stringify(holders?.map(holder => [holder.sessionId, holder.taskId, holder.fencingToken]) ?? []);
    return new Table<SyncInfo>({
      caption: 'Locks and other primitives',
      key: item => item.object,
      attributes: item => ({ 'data-test': 'object', 'data-name': item.object }),
      selected: item => item.object === parameter('object'),
      columns: [
        { title: 'object', build: item => objectLink(item.object) },
        { title: 'is', class: 'l wrap', text: item => item.description ?? '' },
        { title: 'held by', class: 'l wrap', key: item => parties(item.holders), build: item => partyList(item.holders) },
        { title: 'for', class: 'hide', text: item => span(Math.max(...(item.holders ?? []).map(holder => seconds(holder.age)), -Infinity)) },
        { title: 'waiting', class: 'l wrap', key: item => parties(item.waiters), build: item => partyList(item.waiters) },
        { title: 'for', class: 'hide', text: item => span(Math.max(...(item.waiters ?? []).map(waiter => seconds(waiter.age)), -Infinity)) },
      ],
    });
  }
}

function partyList(holders: readonly Holder[] | undefined): Child {
  if (!holders?.length) return h('span', { class: 'dimv' }, none);
  return [
    holders
      .slice(0, 3)
      .map((holder, i) => [
        i > 0 ? ', ' : '',
        sessionLink(holder.sessionId ?? '', holder.displayName ?? ''),
        holder.taskId && holder.taskId !== '0' ? [' task ', taskLink(holder.taskId)] : null,
        holder.fencingToken && holder.fencingToken !== '0' ? h('span', { class: 'dimv' }, ` token ${holder.fencingToken}`) : null,
      ]),
    holders.length > 3 ? ` and ${holders.length - 3} more` : null,
  ];
}

function deadlockItem(deadlock: Deadlock): { element: HTMLElement; update(deadlock: Deadlock): void } {
  const title = h('b');
  const tasks = [...new Set([...(deadlock.message ?? '').matchAll(/task (\d+)/g)].map(match => match[1]!))];
  const edges = deadlock.cycle?.edges ?? [];
  const element = h(
    'div',
    { class: 'chain bad', 'data-test': 'deadlock' },
    title,
    h('p', null, deadlock.message ?? ''),
    h(
      'p',
      null,
      edges.map((edge, i) => [i > 0 ? ', ' : 'over ', objectLink(edge.object ?? '')]),
      tasks.length > 0 ? [' · ', tasks.map(task => ['task ', taskLink(task), ' '])] : null,
    ),
  );
  return { element, update: () => setText(title, `Deadlock, refused ${longSpan((model.now() - instant(deadlock.at)) / 1000)} ago`) };
}

const stateKinds: Record<string, string> = {
  STATE_KIND_DICT: 'dicts',
  STATE_KIND_LIST: 'lists',
  STATE_KIND_VALUE: 'values',
  STATE_KIND_ARRAY: 'arrays',
};

function stateTable(): Table<StateInfo> {
  const object = (item: StateInfo): string => `${stateKinds[item.kind ?? ''] ?? ''}/${item.name}`;
  return new Table<StateInfo>({
    caption: 'Shared state',
    key: object,
    selected: item => object(item) === parameter('object'),
    select: item => change({ object: object(item) }),
    attributes: item => ({ 'data-test': 'state', 'data-name': item.name }),
    columns: [
      { title: 'name', build: item => objectLink(object(item)) },
      { title: 'kind', class: 'l', text: item => words(item.kind, 'STATE_KIND_') },
      { title: 'entries', text: item => count(int(item.count)) },
      { title: 'size', text: item => bytes(int(item.bytes)) },
      { title: 'version', class: 'hide', text: item => count(int(item.version)) },
      { title: 'survives', class: 'l hide', text: item => words(item.durability, 'DURABILITY_') || 'memory' },
      { title: 'made by', class: 'l hide', text: item => item.owner || 'the owner' },
    ],
  });
}

function sessionTable(): Table<SessionSummary> {
  return new Table<SessionSummary>({
    caption: 'Sessions',
    key: item => item.alias,
    selected: item => item.alias === parameter('session'),
    attributes: item => ({ 'data-test': 'session', 'data-name': item.alias }),
    columns: [
      {
        title: 'session',
        build: item => h('a', { class: 'name', href: address('waits', { view: 'sessions', session: item.alias }) }, item.displayName || item.alias),
      },
      { title: 'client', class: 'l', build: item => (item.client ? clientLink(item.client) : h('span', { class: 'dimv' }, 'unknown')) },
      {
        title: 'task',
        class: 'l',
        build: item =>
          item.taskId && item.taskId !== '0'
            ? [taskLink(item.taskId), item.attempt && item.attempt > 1 ? ` attempt ${item.attempt}` : null]
            : h('span', { class: 'dimv' }, none),
      },
      { title: 'worker', class: 'l hide', build: item => (item.worker ? workerLink(item.worker) : h('span', { class: 'dimv' }, none)) },
      { title: 'holds', text: item => count(item.holds ?? 0) },
      { title: 'waits', text: item => count(item.waits ?? 0) },
      {
        title: 'lives',
        class: 'l hide',
        text: item => (item.ttl ? `${span(seconds(item.ttl))} after its last sign of life` : 'as long as its attempt'),
      },
      { title: 'kind', class: 'l hide', text: item => (item.implicit ? 'made for one lease' : 'session') },
    ],
  });
}

export const page = (): Page => new Waits();
