/** Fits canvases to the pixels of the screen, and tells when their place changed. */
export interface Size {
  width: number;
  height: number;
  ratio: number;
}

/** Gives a canvas as many pixels as the screen has in its place. Says whether that changed anything; then it is empty. */
export function fit(canvas: HTMLCanvasElement): Size & { changed: boolean } {
  const ratio = devicePixelRatio || 1;
  const width = canvas.clientWidth;
  const height = canvas.clientHeight;
  const changed = canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio);
  if (changed) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  return { width, height, ratio, changed };
}

const observed = new WeakMap<Element, () => void>();
const observer = new ResizeObserver(entries => {
  for (const entry of entries) observed.get(entry.target)?.();
});

/** Calls back when an element's size has changed. */
export function onResize(element: Element, action: () => void): void {
  observed.set(element, action);
  observer.observe(element);
}

const seen = new WeakMap<Element, boolean>();
const sight = new IntersectionObserver(entries => {
  for (const entry of entries) seen.set(entry.target, entry.isIntersecting);
});

/** Begins to follow whether an element can be seen. */
export function watchSight(element: Element): void {
  sight.observe(element);
}

export const inSight = (element: Element): boolean => seen.get(element) ?? true;
