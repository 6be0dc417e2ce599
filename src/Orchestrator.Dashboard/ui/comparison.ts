import { int, seconds, words } from './format.js';
import type { ComparisonRun } from './types.js';

/** Makes sense of the runs of a comparison. */

export const placements = ['WORKER_PROCESS', 'IN_PROCESS_SEQUENTIAL', 'IN_PROCESS_THREADS', 'IN_PROCESS_ASYNC'].map(name => `PLACEMENT_${name}`);

export const placementName = (placement: string): string =>
  placement === placements[0] ? 'worker processes' : words(placement, 'PLACEMENT_IN_PROCESS_');

/** A kept comparison: what was asked, and what was measured. */
export interface Kept {
  id: string;
  at: number;
  handler: string;
  inputs: string[];
  tasks: number;
  runs: ComparisonRun[];
}

/** The medians of one input at one placement. */
export interface Result {
  input: number;
  placement: string;
  rounds: number;
  perSecond: number;
  latency: number;
  run: number;
  memory: number;
  tasks: number;
}

function median(values: number[]): number {
  const sorted = values.filter(value => !Number.isNaN(value)).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length === 0 ? NaN : sorted.length % 2 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The results by input, then by placement. */
export function resultsOf(runs: readonly ComparisonRun[]): Result[] {
  const groups = new Map<string, ComparisonRun[]>();
  for (const run of runs) {
    const key = `${run.input ?? 0} ${run.placement}`;
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  return [...groups.values()]
    .map((group): Result => ({
      input: group[0]!.input ?? 0,
      placement: group[0]!.placement ?? '',
      rounds: group.length,
      tasks: group[0]!.tasks ?? 0,
      perSecond: median(group.map(run => run.perSecond ?? NaN)),
      latency: median(group.map(run => seconds(run.latencyP50))),
      run: median(group.map(run => seconds(run.runP50))),
      memory: Math.max(...group.map(run => int(run.rssBytes))),
    }))
    .sort((a, b) => a.input - b.input || placements.indexOf(a.placement) - placements.indexOf(b.placement));
}

/** The fastest placement of an input. */
export function fastest(results: readonly Result[], input: number): Result | undefined {
  return results
    .filter(result => result.input === input)
    .reduce<Result | undefined>((best, result) => (best && best.perSecond >= result.perSecond ? best : result), undefined);
}

/** How many times as fast worker processes are as one thread; one run time per input. */
function gains(results: readonly Result[]): { run: number; gain: number }[] {
  return [...new Set(results.map(result => result.input))]
    .flatMap(input => {
      const of = (placement: string): Result | undefined => results.find(result => result.input === input && result.placement === placement);
      const [worker, one] = [of(placements[0]!), of(placements[1]!)];
      return worker && one && one.perSecond > 0 && one.run > 0 ? [{ run: one.run, gain: worker.perSecond / one.perSecond }] : [];
    })
    .sort((a, b) => a.run - b.run);
}

export interface BreakEven {
  kind: 'always' | 'never' | 'from' | 'unknown';
  run: number;
}

/**
 * From which run time on worker processes are faster than one thread, by interpolation between the inputs. The gain grows with the logarithm
 * of the run time where the way to a process costs about as much as the task.
 */
export function breakEven(results: readonly Result[]): BreakEven {
  const points = gains(results);
  if (points.length === 0) return { kind: 'unknown', run: NaN };
  const last = points.at(-1)!;
  if (last.gain < 1) return { kind: 'never', run: last.run };
  let i = points.length - 1;
  while (i > 0 && points[i - 1]!.gain >= 1) i--;
  if (i === 0) return { kind: 'always', run: points[0]!.run };
  const [below, above] = [points[i - 1]!, points[i]!];
  const part = (1 - below.gain) / (above.gain - below.gain);
  return { kind: 'from', run: Math.exp(Math.log(below.run) + part * (Math.log(above.run) - Math.log(below.run))) };
}

const storageKey = 'comparisons';
const mostKept = 10;

/** The comparisons of this tab. */
export function kept(): Kept[] {
  try {
    return JSON.parse(sessionStorage.getItem(storageKey) ?? '[]') as Kept[];
  } catch {
    return [];
  }
}

export function keep(comparison: Kept): void {
  sessionStorage.setItem(storageKey, JSON.stringify([comparison, ...kept()].slice(0, mostKept)));
}
