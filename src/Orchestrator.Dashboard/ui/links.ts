import { handlerColour } from './colours.js';
import { h, type Child } from './dom.js';
import { address } from './router.js';

/** Every name is a link to what it names. */

const link = (page: string, parameters: Record<string, string>, ...children: Child[]): HTMLElement =>
  h('a', { class: 'name', href: address(page, parameters) }, ...children);

export const taskLink = (id: string): HTMLElement => link('tasks', { task: id }, id);

export function handlerDot(name: string): HTMLElement {
  const dot = h('i', { class: 'dot', 'aria-hidden': 'true' });
  dot.style.background = handlerColour(name);
  return dot;
}

/** A handler's name with its colour. */
export const handlerLink = (name: string): HTMLElement => link('tasks', { handler: name }, handlerDot(name), name);

/** A worker, with or without its incarnation. */
export const workerLink = (name: string): HTMLElement => link('stream', { worker: name.split('#')[0]! }, name);

export const queueLink = (name: string): HTMLElement => link('queues', { queue: name }, name);

export const clientLink = (name: string): HTMLElement => link('tasks', { client: name }, name);

export const sessionLink = (alias: string, name: string): HTMLElement => link('waits', { view: 'sessions', session: alias }, name || alias);

/** A shared object such as "locks/build". */
export function objectLink(object: string): HTMLElement {
  const [kind, ...rest] = object.split('/');
  const name = rest.join('/');
  switch (kind) {
    case 'queues':
      return link('queues', { queue: name }, h('code', null, object));
    case 'pipes':
      return link('queues', { view: 'pipes', pipe: name }, h('code', null, object));
    case 'tasks':
      return link('tasks', { task: name }, h('code', null, object));
    case 'dicts':
    case 'lists':
    case 'values':
    case 'arrays':
      return link('waits', { view: 'state', object }, h('code', null, object));
    default:
      return link('waits', { view: 'objects', object }, h('code', null, object));
  }
}

/** Whatever an event or a warning is about, as a link where it is known what it names. */
export function subjectLink(kind: string, subject: string): Child {
  if (!subject) return null;
  if (/^\d+$/.test(subject) && kind.startsWith('task')) return taskLink(subject);
  if (/^(locks|semaphores|events|conditions|barriers|latches|rate_limiters|queues|pipes|dicts|lists|values|arrays)\//.test(subject))
    return objectLink(subject);
  if (kind.startsWith('queue.')) return queueLink(subject);
  if (kind.startsWith('worker.')) return workerLink(subject);
  if (kind === 'tasks.waiting') return link('tasks', { state: 'queued' }, 'queued tasks');
  if (kind.startsWith('handler.')) return handlerLink(subject);
  if (kind.startsWith('session.')) return sessionLink(subject, subject);
  if (kind.startsWith('deadlock')) return link('waits', {}, subject);
  if (kind.startsWith('stream.')) return link('flow', {}, /^\d+$/.test(subject) ? `stream ${subject}` : subject);
  if (kind === 'task.shed' || kind.startsWith('memory.')) return link('flow', { view: 'limits' }, subject);
  return subject;
}
