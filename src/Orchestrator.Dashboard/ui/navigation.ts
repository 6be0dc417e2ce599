import { signOut } from './api.js';
import { setTheme, theme, type Theme } from './colours.js';
import { h, setAttribute, setText, show } from './dom.js';
import { count, int } from './format.js';
import { icon, mark } from './icons.js';
import { model } from './model.js';
import { address, pageName } from './router.js';
import { view } from './moment.js';

/** The pages of the navigation, in its order. */
export interface PageEntry {
  name: string;
  title: string;
  key?: string;
  more?: boolean;
  allowed?(): boolean;
}

export const entries: PageEntry[] = [
  { name: 'overview', title: 'Overview', key: 'o' },
  { name: 'stream', title: 'Task stream', key: 's' },
  { name: 'tasks', title: 'Tasks', key: 't' },
  { name: 'queues', title: 'Queues & pipes', key: 'q' },
  { name: 'waits', title: 'State & waits', key: 'w' },
  { name: 'flow', title: 'Backpressure', more: true },
  { name: 'compare', title: 'Compare', more: true },
  { name: 'faults', title: 'Faults', more: true, allowed: () => model.mayInjectFaults },
  { name: 'events', title: 'Events', more: true },
  { name: 'report', title: 'Report', more: true },
];

export const allowedEntries = (): PageEntry[] => entries.filter(entry => entry.allowed?.() ?? true);

interface Item {
  entry: PageEntry;
  link: HTMLAnchorElement;
  badge: HTMLElement;
}

const themes: Record<Theme, { next: Theme; text: string }> = {
  auto: { next: 'dark', text: 'Theme: as the system' },
  dark: { next: 'light', text: 'Theme: dark' },
  light: { next: 'auto', text: 'Theme: light' },
};

/** The rail at the left, on a phone the bar at the bottom with a menu for the rest. */
export class Navigation {
  readonly element: HTMLElement;
  readonly menu: HTMLDetailsElement;
  private readonly items: Item[];
  private readonly menuLinks: Item[];
  private readonly foot = h('span', { class: 'about' });

  constructor(help: () => void, done: () => void) {
    this.items = entries.map(entry => this.item(entry, `nav-${entry.name}`));
    this.menuLinks = entries.filter(entry => entry.more).map(entry => this.item(entry, `menu-${entry.name}`));
    this.menu = h(
      'details',
      { class: 'menu' },
      h('summary', { 'aria-label': 'More pages' }, icon('more')),
      h(
        'div',
        { class: 'panel' },
        this.menuLinks.map(item => item.link),
        this.buttons(help, done),
      ),
    );
    this.menu.addEventListener('click', event => {
      if ((event.target as Element).closest('a,button')) this.menu.open = false;
    });
    this.element = h(
      'nav',
      { 'aria-label': 'Pages' },
      h('a', { class: 'brand', href: address('overview') }, mark(), 'Orchestrator'),
      this.items.map(item => item.link),
      h('div', { class: 'gap' }),
      h('div', { class: 'rest' }, this.buttons(help, done)),
      this.foot,
    );
  }

  update(): void {
    const name = pageName();
    for (const { entry, link, badge } of [...this.items, ...this.menuLinks]) {
      show(link, entry.allowed?.() ?? true);
      link.classList.toggle('on', entry.name === name);
      setAttribute(link, 'aria-current', entry.name === name ? 'page' : null);
      setAttribute(link, 'href', address(entry.name));
      const [text, urgent] = this.badgeOf(entry.name);
      setText(badge, text);
      badge.classList.toggle('red', urgent);
      show(badge, text !== '');
    }
    const { session, status } = model;
    setText(this.foot, `${status?.version ?? session.version ?? ''} · ${session.role} · ${session.name}`);
  }

  private badgeOf(name: string): [text: string, urgent: boolean] {
    const { status, attention } = view();
    switch (name) {
      case 'tasks':
        return [count(int(status?.tasks?.running)), false];
      case 'queues':
        return [status?.queues && status.queues !== '0' ? count(int(status.queues)) : '', false];
      case 'waits': {
        const deadlocks = attention.filter(item => item.kind?.startsWith('deadlock')).length;
        return [deadlocks ? String(deadlocks) : '', deadlocks > 0];
      }
      case 'overview': {
        const urgent = attention.filter(item => item.urgent).length;
        return [urgent ? String(urgent) : '', urgent > 0];
      }
      default:
        return ['', false];
    }
  }

  private item(entry: PageEntry, test: string): Item {
    const badge = h('b');
    const link = h(
      'a',
      {
        href: address(entry.name),
        class: entry.more ? 'more' : undefined,
        'data-test': test,
        title: entry.key ? `${entry.title} (g ${entry.key})` : undefined,
      },
      icon(entry.name),
      h('span', null, entry.title),
      badge,
    );
    return { entry, link, badge };
  }

  private buttons(help: () => void, done: () => void): HTMLElement[] {
    const look = h('button', { type: 'button', class: 'plain', 'data-test': 'theme' }, themes[theme()].text);
    look.addEventListener('click', () => {
      setTheme(themes[theme()].next);
      for (const button of document.querySelectorAll('[data-test=theme]')) setText(button, themes[theme()].text);
    });
    return [
      look,
      h('button', { type: 'button', class: 'plain', onclick: help }, 'Keys (?)'),
      h('button', { type: 'button', class: 'plain', onclick: () => void signOut().finally(done) }, 'Sign out'),
    ];
  }
}
