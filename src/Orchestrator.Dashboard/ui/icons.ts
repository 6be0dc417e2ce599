import { svg } from './dom.js';

/** The pictures of the navigation, as paths in a square of 16. */
const paths: Record<string, string> = {
  overview: 'M2 2h5v5H2zM9 2h5v5H9zM2 9h5v5H2zM9 9h5v5H9z',
  stream: 'M2 4h7M5 8h9M2 12h5',
  tasks: 'M5 4h9M5 8h9M5 12h9M2 4h.1M2 8h.1M2 12h.1',
  queues: 'M2 3v10M5 5h4v6H5zM11 5h3v6h-3z',
  waits: 'M4 2a2 2 0 100 4 2 2 0 000-4zM12 4a2 2 0 100 4 2 2 0 000-4zM6 10a2 2 0 100 4 2 2 0 000-4zM6 4.500l4 1M10.500 7.500L7 10.500M5 10L4.300 6',
  flow: 'M2 8h8m0 0L7 5m3 3l-3 3M13 3v10',
  compare: 'M3 13V7M7 13V3M11 13V9M14 13V5',
  faults: 'M9 1L3 9h4l-1 6 7-9H9z',
  events: 'M8 4v4l3 2M8 2a6 6 0 100 12A6 6 0 008 2z',
  report: 'M4 1.500h6l3 3v10H4zM6 8h5M6 11h5M10 1.500v3h3',
  more: 'M3 8h.1M8 8h.1M13 8h.1',
};

export function icon(name: string): SVGElement {
  return svg('svg', { viewBox: '0 0 16 16', 'aria-hidden': 'true' }, svg('path', { d: paths[name] ?? '' }));
}

export function mark(): SVGElement {
  const bar = (x: number, y: number, width: number, fill: string): SVGElement => svg('rect', { x, y, width, height: 4, rx: 1.5, fill });
  return svg(
    'svg',
    { viewBox: '0 0 20 20', 'aria-hidden': 'true', class: 'mark' },
    bar(1, 3, 11, '#5a9ee8'),
    bar(5, 8.5, 14, '#45b98a'),
    bar(3, 14, 8, '#e0a443'),
  );
}
