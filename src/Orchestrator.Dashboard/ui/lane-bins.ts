import { instant } from './format.js';
import type { Bin } from './lanes.js';
import { SpanNames, type SpanStore } from './spans.js';
import type { LaneHistory } from './types.js';

/** The shares of lanes in a history, with the groups of a store. */
export function binsOf(lanes: LaneHistory | undefined, store: SpanStore): Bin[] {
  if (!lanes) return [];
  const names = new SpanNames(store);
  names.learn(lanes.lanes ?? [], lanes.handlers ?? []);
  const origin = instant(lanes.origin);
  return (lanes.lane ?? []).map((lane, i): Bin => {
    const from = origin + (lanes.tenths?.[i] ?? 0) * 100;
    return {
      group: names.lane(lane).group.id,
      handler: names.handler(lanes.handler?.[i] ?? 0),
      from,
      to: from + 100,
      density: (lanes.hundredths?.[i] ?? 0) / 100,
    };
  });
}
