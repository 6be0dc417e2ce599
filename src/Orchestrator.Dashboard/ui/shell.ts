import { wordsOf } from './api.js';
import { h, setAttribute, setText, show, append, type Child } from './dom.js';
import { clock, instant, longSpan, plural } from './format.js';
import { helpDialog } from './help.js';
import { model } from './model.js';
import { followCursor, view } from './moment.js';
import { allowedEntries, entries, Navigation } from './navigation.js';
import { pause, type MakePage, type Page } from './page.js';
import { address, change, cursor, go, onRoute, pageName } from './router.js';
import { Search } from './search.js';
import { startTimeStrip, timeStrip } from './time-strip.js';

/** The frame around all pages: navigation, top bar, messages, the page, the strip of time; and the keys. */

/** Pages are loaded when they are first opened. */
const pages: Record<string, () => Promise<{ page: MakePage }>> = {
  overview: () => import('./pages/overview.js'),
  stream: () => import('./pages/stream.js'),
  tasks: () => import('./pages/tasks.js'),
  queues: () => import('./pages/queues.js'),
  waits: () => import('./pages/waits.js'),
  flow: () => import('./pages/flow.js'),
  compare: () => import('./pages/compare.js'),
  faults: () => import('./pages/faults.js'),
  events: () => import('./pages/events.js'),
  report: () => import('./pages/report.js'),
};

const messageTime = 6000;

export class Shell {
  private readonly title = h('h1');
  private readonly instance = h('span', { class: 'inst' });
  private readonly main = h('main', { id: 'main', tabindex: '-1' });
  private readonly live = h('button', { type: 'button', class: 'live', 'data-test': 'live' });
  private readonly message = h('div', { class: 'message', role: 'status', 'data-test': 'message', hidden: true });
  private readonly search = new Search();
  private readonly help = helpDialog();
  private readonly navigation: Navigation;
  private page: Page | null = null;
  private shown = '';
  private prefix = false;

  constructor(done: () => void) {
    this.navigation = new Navigation(() => this.help.showModal(), done);
    this.live.addEventListener('click', () => this.toggle());
  }

  start(): void {
    document.body.replaceChildren();
    append(document.body, [
      h('a', { class: 'skip', href: '#main' }, 'Skip to the page'),
      this.navigation.element,
      h('header', null, this.title, this.instance, this.search.element, this.live, this.navigation.menu),
      h('div', { class: 'page' }, this.message, this.main),
      timeStrip,
      this.help,
    ] satisfies Child[]);
    startTimeStrip();
    onRoute(() => void this.route());
    model.onChange(() => this.update());
    pause.onChange(() => this.update());
    document.addEventListener('keydown', event => this.key(event));
    document.addEventListener('visibilitychange', () => this.tellNeeds());
    // Ages in the top bar and in messages grow without news.
    setInterval(() => this.bar(), 1000);
    void this.route();
  }

  /** Ends the page: nothing is asked for any more. */
  stop(): void {
    this.shown = 'none';
    this.page?.close?.();
    this.page = null;
  }

  private async route(): Promise<void> {
    if (this.shown === 'none') return;
    followCursor();
    const asked = pageName();
    const entry = entries.find(entry => entry.name === asked) ?? entries[0]!;
    if (entry.name === this.shown) {
      this.bar();
      this.page?.update();
      return;
    }
    this.shown = entry.name;
    this.tellNeeds();
    try {
      const { page } = await pages[entry.name]!();
      if (this.shown !== entry.name) return;
      this.page?.close?.();
      this.page = page();
      this.main.replaceChildren(this.page.element);
      this.main.scrollTop = 0;
    } catch (error) {
      this.main.replaceChildren(h('p', { class: 'empty' }, `This page could not be loaded. ${wordsOf(error)}`));
    }
    setText(this.title, entry.title);
    document.title = `${entry.title} · Orchestrator`;
    this.update();
  }

  private tellNeeds(): void {
    model.need(this.shown === 'overview' || this.shown === 'stream', !document.hidden);
  }

  private update(): void {
    this.bar();
    if (!pause.on) this.page?.update();
  }

  private bar(): void {
    this.navigation.update();
    const started = instant(model.status?.coordinator?.startedAt);
    setText(this.instance, Number.isNaN(started) ? location.host : `${location.host} · up ${longSpan((model.now() - started) / 1000)}`);
    const at = cursor();
    const [state, text] =
      at !== null
        ? ['back', `looking back: ${clock(at)} · Live (Esc)`]
        : model.connection !== 'live'
          ? ['away', model.connection === 'connecting' ? 'Connecting…' : 'Reconnecting…']
          : pause.on
            ? ['paused', `Paused at ${clock(pause.at)}`]
            : ['live', 'Live'];
    setAttribute(this.live, 'data-state', state!);
    setText(this.live, text!);
    setAttribute(this.live, 'aria-label', `${text}. ${at !== null ? 'Return to now' : pause.on ? 'Go on' : 'Pause'}`);
    document.body.classList.toggle('back', at !== null);
    this.tell();
  }

  /** One sentence about the connection or the coordinator, if there is something to say. */
  private tell(): void {
    const now = performance.now();
    const text =
      model.connection === 'reconnecting'
        ? 'The coordinator does not answer. Reconnecting; the figures are those of the last message.'
        : now - model.restartedAt < 5 * messageTime && model.restartedAt > 0
          ? `The coordinator was restarted: this is another instance, ${model.status?.instance ?? ''}. What was shown before is gone.`
          : view().problem
            ? `The figures of that moment could not be read. ${view().problem}`
            : model.status?.draining
              ? 'The coordinator drains: it takes no new tasks.'
              : now - model.missedAt < messageTime
                ? `${plural(model.missed, 'frame')} skipped: this browser reads more slowly than the coordinator sends.`
                : '';
    setText(this.message, text);
    show(this.message, text !== '');
  }

  private toggle(): void {
    if (cursor() !== null) this.goLive();
    else pause.set(!pause.on);
  }

  private goLive(): void {
    if (pause.on) pause.set(false);
    if (cursor() !== null) change({ at: undefined });
  }

  private key(event: KeyboardEvent): void {
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input,textarea,select,dialog')) return;
    if (this.handle(event.key, target)) event.preventDefault();
  }

  private handle(key: string, target: HTMLElement): boolean {
    const { prefix } = this;
    this.prefix = false;
    if (prefix) {
      const entry = allowedEntries().find(entry => entry.key === key);
      if (entry) go(address(entry.name));
      return !!entry;
    }
    switch (key) {
      case 'g':
        this.prefix = true;
        return true;
      case '/':
        this.search.input.focus();
        return true;
      case '?':
        this.help.showModal();
        return true;
      case 'Escape':
        this.goLive();
        return true;
      case ' ':
        // A button or a link takes the key itself.
        if (target.closest('button,a,summary')) return false;
        pause.set(!pause.on);
        return true;
      default:
        return this.page?.key?.(key) ?? false;
    }
  }
}
