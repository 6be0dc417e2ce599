import { append, svg } from './dom.js';
import { clock, instant, span } from './format.js';
import type { Deadlock, WaitEdge } from './types.js';
import { keyOf, partyName, type Chain, type Party } from './wait-chains.js';

/** Draws waits: waiter → object → holder, and refused cycles in a frame of their own. */

const width = 760;
const boxWidth = 186;
const boxHeight = 42;
const rowHeight = 58;
const columns = [102, 380, 658] as const;
/** Waiters of one object that are drawn by themselves. */
const mostWaiters = 4;
const mostChains = 12;

interface Box {
  x: number;
  y: number;
  title: string;
  detail: string;
  tone: string;
  round: boolean;
}

class Drawing {
  readonly boxes: SVGElement[] = [];
  readonly lines: SVGElement[] = [];

  box({ x, y, title, detail, tone, round }: Box): void {
    this.boxes.push(
      svg(
        'g',
        { class: `node ${tone}` },
        svg('title', {}, `${title} ${detail}`),
        svg('rect', { x: x - boxWidth / 2, y: y - boxHeight / 2, width: boxWidth, height: boxHeight, rx: round ? boxHeight / 2 : 7 }),
        svg('text', { x, y: y - 2, 'text-anchor': 'middle', class: 'strong' }, short(title, 24)),
        svg('text', { x, y: y + 13, 'text-anchor': 'middle', class: 'sub' }, short(detail, 30)),
      ),
    );
  }

  /** A line from one box to another; `seconds` makes it thicker. */
  line(from: [x: number, y: number], to: [x: number, y: number], seconds: number, tone: string, label = ''): void {
    const side = Math.sign(to[0] - from[0]);
    const x1 = from[0] + (side * boxWidth) / 2;
    const x2 = to[0] - side * (boxWidth / 2 + 2);
    const middle = (x1 + x2) / 2;
    this.lines.push(
      svg('path', {
        d: `M${x1} ${from[1]}C${middle} ${from[1]} ${middle} ${to[1]} ${x2} ${to[1]}`,
        class: `edge ${tone}`,
        'stroke-width': 1.2 + Math.min(3, seconds / 4),
        'marker-end': `url(#arrow-${tone})`,
      }),
    );
    if (label) this.lines.push(svg('text', { x: middle + 4, y: (from[1] + to[1]) / 2 - 6, class: 'sub' }, label));
  }
}

/** The whole picture. What does not fit is left to the chains in words. */
export function waitGraph(chains: readonly Chain[], deadlocks: readonly Deadlock[]): SVGElement {
  const drawing = new Drawing();
  const frames: SVGElement[] = [];
  let y = 40;
  for (const chain of chains.slice(0, mostChains)) y = drawChain(drawing, chain, y);
  for (const deadlock of deadlocks) {
    const height = drawCycle(drawing, deadlock, y, frames);
    if (height > 0) y += height + 24;
  }
  const hidden = chains.length - mostChains;
  if (hidden > 0) frames.push(svg('text', { x: 20, y: y + 4, class: 'sub' }, `and ${hidden} more chains, see the list`));
  const root = svg(
    'svg',
    {
      viewBox: `0 0 ${width} ${Math.max(120, y + 20)}`,
      class: 'graph',
      role: 'img',
      'aria-label': 'Who waits for whom; the chains say the same in words',
    },
    svg(
      'defs',
      {},
      ['wait', 'bad', 'late'].map(tone =>
        svg(
          'marker',
          {
            id: `arrow-${tone}`,
            viewBox: '0 0 8 8',
            refX: 7,
            refY: 4,
            markerWidth: 8,
            markerHeight: 8,
            markerUnits: 'userSpaceOnUse',
            orient: 'auto',
            class: `head ${tone}`,
          },
          svg('path', { d: 'M0 0L8 4L0 8z' }),
        ),
      ),
    ),
  );
  append(root, [frames, drawing.lines, drawing.boxes]);
  return root;
}

/** Draws one object with its waiters at the left and its holders at the right, and answers where the next may begin. */
function drawChain(drawing: Drawing, chain: Chain, top: number): number {
  const waiters = fold(chain.waiters, true);
  const holders = chain.holders.length > 0 ? fold(chain.holders, false) : [];
  const rows = Math.max(waiters.length, holders.length, 1);
  const middle = top + ((rows - 1) * rowHeight) / 2;
  const at = (i: number, of: number): number => middle + (i - (of - 1) / 2) * rowHeight;
  const nobody = holders.length === 0 && chain.object.startsWith('queues/');
  drawing.box({
    x: columns[1],
    y: middle,
    title: chain.object,
    detail: chain.description || `${chain.waiters.length} wait`,
    tone: 'object',
    round: true,
  });
  waiters.forEach((waiter, i) => {
    const y = at(i, waiters.length);
    drawing.box({ x: columns[0], y, title: waiter.name, detail: `waits ${span(waiter.waiting)}`, tone: 'waiter', round: false });
    drawing.line([columns[0], y], [columns[1], middle], waiter.waiting, 'wait', i === 0 ? span(waiter.waiting) : '');
  });
  holders.forEach((holder, i) => {
    const y = at(i, holders.length);
    drawing.box({ x: columns[2], y, title: holder.name, detail: 'holds', tone: 'holder', round: false });
    drawing.line([columns[1], middle], [columns[2], y], chain.longest, 'wait');
  });
  if (nobody) {
    drawing.box({ x: columns[2], y: middle, title: 'nobody', detail: 'is on the other side', tone: 'late', round: false });
    drawing.line([columns[1], middle], [columns[2], middle], 0, 'late');
  }
  return top + rows * rowHeight + 16;
}

/** Many parties become a few, and one that stands for the rest. */
function fold(parties: readonly Party[], waits: boolean): Party[] {
  if (parties.length <= mostWaiters) return [...parties];
  const kept = parties.slice(0, mostWaiters - 1);
  const rest = parties.slice(mostWaiters - 1);
  return [...kept, { session: '', name: `${rest.length} more`, waiting: waits ? Math.max(...rest.map(party => party.waiting)) : 0 }];
}

/** Draws a refused cycle, sessions and objects in turn around a ring, and answers its height. */
function drawCycle(drawing: Drawing, deadlock: Deadlock, top: number, frames: SVGElement[]): number {
  const edges = deadlock.cycle?.edges ?? [];
  if (edges.length === 0) return 0;
  const steps = edges.flatMap((edge): { title: string; detail: string; round: boolean }[] => [
    {
      title: partyName(edge.waiterSession, edge.waiterName),
      detail: edge === edges[0] ? 'was told DEADLOCK' : `waited ${span(seconds(edge))}`,
      round: false,
    },
    { title: edge.object ?? '', detail: `held by ${partyName(edge.holderSession, edge.holderName)}`, round: true },
  ]);
  const height = 110 + steps.length * 15;
  const centre = top + height / 2 + 14;
  const place = (i: number): [number, number] => {
    const angle = Math.PI + (i * 2 * Math.PI) / steps.length;
    return [width / 2 + Math.cos(angle) * 262, centre + Math.sin(angle) * (height / 2 - 38)];
  };
  frames.push(
    svg('rect', { x: 6, y: top, width: width - 12, height: height + 20, rx: 12, class: 'cycle' }),
    svg('text', { x: 22, y: top + 20, class: 'strong badv' }, `deadlock, ${clock(instant(deadlock.at), true)} – refused`),
  );
  steps.forEach((step, i) => {
    const [x, y] = place(i);
    drawing.box({ x, y, ...step, tone: 'bad' });
    const next = place((i + 1) % steps.length);
    // Boxes above each other are joined at their sides all the same.
    drawing.line([x, y], Math.abs(next[0] - x) < 1 ? [x + 1, next[1]] : next, 0.3, 'bad');
  });
  return height + 20;
}

const seconds = (edge: WaitEdge): number => parseFloat(edge.waiting ?? '0');
const short = (text: string, most: number): string => (text.length > most ? `${text.slice(0, most - 1)}…` : text);

/** What has to change for the picture to be drawn anew: waits that only grow older redraw it no more than once a second. */
export const graphKey = (chains: readonly Chain[], deadlocks: readonly Deadlock[]): string =>
  JSON.stringify([
    chains.map(chain => [chain.object, chain.description, Math.round(chain.longest), chain.waiters.map(keyOf), chain.holders.map(keyOf)]),
    deadlocks.map(deadlock => deadlock.at),
  ]);
