import { leastBar, type Band } from './lanes.js';
import { inOrder, type LaneGroup } from './spans.js';

/** Decides where each lane is drawn, and whether as bars or as a sum. */

export interface WorkerBands {
  worker: string;
  top: number;
  bottom: number;
  bands: Band[];
}

interface Heights {
  processor: number;
  row: number;
  rows: number;
  sum: number;
  blockingRows: number;
  gap: number;
}

/** The more workers, the lower their lanes; from the fifth on, then from the ninth and the 25th. */
const heights: [workers: number, heights: Heights][] = [
  [4, { processor: 34, row: 8.4, rows: 12, sum: 26, blockingRows: 4, gap: 8 }],
  [8, { processor: 26, row: 6.4, rows: 8, sum: 18, blockingRows: 3, gap: 6 }],
  [24, { processor: 18, row: 0, rows: 0, sum: 18, blockingRows: 0, gap: 4 }],
  [Infinity, { processor: 12, row: 0, rows: 0, sum: 10, blockingRows: 0, gap: 2 }],
];

/** Whether single attempts of a lane are wide enough to be drawn. Near the limit it stays as it was, so that lanes do not flicker. */
export function asBars(group: LaneGroup, millisecondsPerPixel: number, before: boolean | undefined): boolean {
  const width = group.mean / millisecondsPerPixel;
  return before === undefined ? width >= leastBar : width >= leastBar * (before ? 0.85 : 1.15);
}

/** Rows grow in steps, so that the picture moves rarely. */
const step = (rows: number, most: number): number => Math.min(most, rows <= 1 ? 1 : rows <= 2 ? 2 : rows <= 4 ? 4 : rows <= 8 ? 8 : 12);

/** Places the lanes of all workers below each other. */
export function placeLanes(groups: readonly LaneGroup[], top: number, bars: (group: LaneGroup) => boolean): WorkerBands[] {
  const workers = new Set(groups.map(group => group.worker)).size;
  const sizes = heights.find(([most]) => workers <= most)![1];
  const placed: WorkerBands[] = [];
  let y = top;
  for (const group of inOrder(groups)) {
    let worker = placed.at(-1);
    if (worker?.worker !== group.worker) {
      if (worker) y += sizes.gap;
      placed.push((worker = { worker: group.worker, top: y, bottom: y, bands: [] }));
    }
    const band = group.kind === 'cpu' ? processorBand(group, y, sizes, bars(group)) : rowsBand(group, y, sizes, bars(group));
    worker.bands.push(band.band);
    y += band.height;
    worker.bottom = y;
    y += sizes.gap;
  }
  return placed;
}

function processorBand(group: LaneGroup, y: number, sizes: Heights, bars: boolean): { band: Band; height: number } {
  const height = sizes.processor;
  return { band: { group, top: y, rows: bars ? 1 : 0, rowHeight: height, sumTop: y, sumHeight: bars ? 0 : height }, height };
}

function rowsBand(group: LaneGroup, y: number, sizes: Heights, bars: boolean): { band: Band; height: number } {
  const rows = step(group.rows, group.kind === 'io' ? sizes.rows : sizes.blockingRows);
  const rest = group.overflow > 0 || group.rows > rows;
  const rowsHeight = rows * sizes.row;
  const height = rowsHeight === 0 ? sizes.sum : rowsHeight + (rest ? sizes.sum + 3 : 0);
  if (rowsHeight === 0 || !bars)
    return { band: { group, top: y, rows: 0, rowHeight: 0, sumTop: y, sumHeight: Math.max(height, sizes.sum) }, height: Math.max(height, sizes.sum) };
  return { band: { group, top: y, rows, rowHeight: sizes.row, sumTop: y + rowsHeight + 3, sumHeight: rest ? sizes.sum : 0 }, height };
}
