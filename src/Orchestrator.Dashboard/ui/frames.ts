import { reducedMotion } from './colours.js';
import { model } from './model.js';

/** One animation loop for all moving pictures. */
type Frame = (now: number) => void;

/** Spans are drawn this much behind the clock, so that those that come late still come before their columns are seen. */
export const behind = 300;

/** The last 600 gaps between frames, in milliseconds, the oldest first. */
export const gaps: number[] = [];
const gapsKept = 600;

const callbacks = new Set<Frame>();
let running = false;
let last = 0;

/** Calls back before each frame with the instant at the pictures' right edge, until the returned action is called. */
export function onFrame(frame: Frame): () => void {
  callbacks.add(frame);
  if (!running) {
    running = true;
    last = 0;
    requestAnimationFrame(tick);
  }
  return () => callbacks.delete(frame);
}

/** The instant that is drawn at the right edge. Without motion it jumps once a second. */
export function edge(): number {
  const at = model.now() - behind;
  return reducedMotion() ? Math.floor(at / 1000) * 1000 : at;
}

function tick(time: number): void {
  if (callbacks.size === 0) {
    running = false;
    return;
  }
  if (last > 0) {
    gaps.push(time - last);
    if (gaps.length > gapsKept) gaps.shift();
  }
  last = time;
  const at = edge();
  for (const callback of callbacks) callback(at);
  requestAnimationFrame(tick);
}

// While the page is hidden there are no frames: that is no gap.
document.addEventListener('visibilitychange', () => {
  last = 0;
});
