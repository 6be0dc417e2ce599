/** The address holds the page, its filters, the selection and the look-back cursor, so that a copied address shows the same. */
export type Parameters = Record<string, string | undefined>;

const listeners = new Set<() => void>();

export function onRoute(listener: () => void): void {
  listeners.add(listener);
}

const current = (): URLSearchParams => new URLSearchParams(location.search);

/** A parameter of the address; empty if it is absent. */
export const parameter = (name: string): string => current().get(name) ?? '';

export const pageName = (): string => parameter('page') || 'overview';

/** The moment that is looked at, in milliseconds; null for now. */
export function cursor(): number | null {
  const at = Number(parameter('at'));
  return at > 0 ? at : null;
}

/** The address of a page, without the look-back cursor: links outlive it. */
export function address(page: string, parameters: Parameters = {}): string {
  const search = new URLSearchParams();
  if (page !== 'overview') search.set('page', page);
  for (const name in parameters) if (parameters[name]) search.set(name, parameters[name]!);
  const text = search.toString();
  return text ? `?${text}` : './';
}

/** Goes to the address of a page. The look-back cursor stays. */
export function go(to: string): void {
  const at = parameter('at');
  history.pushState(null, '', at ? `?${to.startsWith('?') ? `${to.slice(1)}&` : ''}at=${at}` : to);
  tell();
}

/** Changes parameters of this page; undefined or empty removes one. Replaces the entry of the browser's history unless told otherwise. */
export function change(parameters: Parameters, push = false): void {
  const search = current();
  for (const name in parameters) {
    if (parameters[name]) search.set(name, parameters[name]!);
    else search.delete(name);
  }
  const text = search.toString();
  history[push ? 'pushState' : 'replaceState'](null, '', text ? `?${text}` : './');
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** Follows links within the page without loading it again. */
export function startRouter(): void {
  addEventListener('popstate', tell);
  document.addEventListener('click', event => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return;
    const link = (event.target as Element).closest?.('a');
    const href = link?.getAttribute('href');
    if (!href || !(href.startsWith('?') || href === './')) return;
    event.preventDefault();
    go(href);
  });
}
