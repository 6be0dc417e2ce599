import { fit, onResize } from './canvas.js';
import { line } from './charts.js';
import { onTheme, themed } from './colours.js';
import { h, setText, show } from './dom.js';
import { clock, instant } from './format.js';
import { model } from './model.js';
import { change, cursor } from './router.js';
import { secondsKept } from './series.js';
import { eventLook } from './tones.js';

/** The last 15 minutes at the foot of every page. Dragging over it looks back. */

const shown = secondsKept * 1000;
/** What is not longer ago than this is shown as now: its second may not be sampled yet. */
const newestBack = 1500;
/** Arrow keys move the cursor by this much. */
const keyStep = 1000;

const canvas = h('canvas', {
  'data-test': 'strip',
  tabindex: '0',
  role: 'slider',
  'aria-label': 'Look back: the moment that the page shows, in the last 15 minutes',
  'aria-valuemin': '-900',
  'aria-valuemax': '0',
});
const caption = h('span', { class: 'cap' });
const now = h('span', { class: 'now2' }, 'now');
export const timeStrip = h('div', { id: 'strip' }, canvas, caption, now);

export function startTimeStrip(): void {
  model.onChange(draw);
  onResize(canvas, draw);
  onTheme(draw);
  canvas.addEventListener('pointerdown', event => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    moveTo(event);
  });
  canvas.addEventListener('pointermove', event => {
    if (canvas.hasPointerCapture(event.pointerId)) moveTo(event);
  });
  canvas.addEventListener('keydown', event => {
    const step = event.key === 'ArrowLeft' ? -keyStep : event.key === 'ArrowRight' ? keyStep : 0;
    if (step === 0) return;
    event.preventDefault();
    // From now, the first step goes behind the seconds that count as now.
    lookAt((cursor() ?? model.now() - newestBack) + step * (event.shiftKey ? 30 : 1));
  });
}

/** Shows a moment; one that is not over shows now. */
export function lookAt(at: number): void {
  const newest = model.now() - newestBack;
  const oldest = model.now() - shown + 2000;
  change({ at: at >= newest ? undefined : String(Math.round(Math.max(oldest, at))) });
  draw();
}

function moveTo(event: PointerEvent): void {
  const box = canvas.getBoundingClientRect();
  lookAt(model.now() - shown * (1 - (event.clientX - box.left) / box.width));
}

function draw(): void {
  if (canvas.clientWidth === 0) return;
  const { width, height, ratio } = fit(canvas);
  const context = canvas.getContext('2d')!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  const { points } = model;
  const ended = points.last('tasks.ended', secondsKept);
  const latency = points.last('latency.p99', secondsKept);
  const most = (values: readonly number[]): number => values.reduce((a, b) => (b > a ? b : a), 0);
  line(context, ended, width, height, Math.max(1, most(ended) * 1.1), 16, themed('run'), 1.2, 0.18);
  line(context, latency, width, height, Math.max(1, most(latency) * 1.25), 14, themed('wait'), 1, 0);
  ticks(context, width, height);
  drawCursor(context, width, height);
  setText(caption, width < 600 ? '15 min · tasks/s, p99 – drag to look back' : 'last 15 min · tasks/s, p99, events – drag to look back');
}

function ticks(context: CanvasRenderingContext2D, width: number, height: number): void {
  const newest = model.now();
  for (const event of model.events) {
    const x = width * (1 - (newest - instant(event.at)) / shown);
    if (!(x >= 0)) continue;
    context.fillStyle = themed(eventLook(event.kind ?? '').tone);
    context.fillRect(x - 1, height - 14, 2, 14);
    context.beginPath();
    context.arc(x, height - 16, 3, 0, 7);
    context.fill();
  }
}

function drawCursor(context: CanvasRenderingContext2D, width: number, height: number): void {
  const at = cursor();
  show(now, at === null);
  const seconds = at === null ? 0 : Math.round((at - model.now()) / 1000);
  canvas.setAttribute('aria-valuenow', String(seconds));
  canvas.setAttribute('aria-valuetext', at === null ? 'now' : `${-seconds} seconds ago, ${clock(at)}`);
  const x = at === null ? width - 1 : Math.max(1, width * (1 + (at - model.now()) / shown));
  context.fillStyle = themed(at === null ? 'ok' : 'accent');
  context.fillRect(x - 1, 0, 2, height);
  if (at === null) return;
  const text = clock(at);
  context.font = '600 11px system-ui,"Noto Sans",sans-serif';
  const room = context.measureText(text).width;
  context.fillText(text, x + 6 + room > width ? x - room - 6 : x + 6, 14);
}
