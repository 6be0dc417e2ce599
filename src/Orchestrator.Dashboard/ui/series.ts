import { instant, seconds } from './format.js';
import type { History } from './types.js';

/** The figures of the last 15 minutes, one per second. */
export const secondsKept = 900;

export class SeriesRing {
  /** The newest second, counted since 1970. */
  newest = 0;
  private readonly values = new Map<string, Float32Array>();

  clear(): void {
    this.newest = 0;
    this.values.clear();
  }

  get names(): string[] {
    return [...this.values.keys()];
  }

  /** Sets the value of a second. Seconds in between stay unknown. */
  set(name: string, second: number, value: number): void {
    let ring = this.values.get(name);
    if (!ring) this.values.set(name, (ring = new Float32Array(secondsKept).fill(NaN)));
    if (second > this.newest) this.advance(second);
    if (second > this.newest - secondsKept) ring[second % secondsKept] = value;
  }

  /** The value of a second; not a number if it is unknown. */
  at(name: string, second: number): number {
    if (second > this.newest || second <= this.newest - secondsKept) return NaN;
    return this.values.get(name)?.[second % secondsKept] ?? NaN;
  }

  /** The values up to a second, or up to the newest, the oldest first. */
  last(name: string, length: number, second = this.newest): number[] {
    return Array.from({ length }, (_, i) => this.at(name, second - length + 1 + i));
  }

  peak(name: string): number {
    let peak = NaN;
    for (const value of this.values.get(name) ?? []) if (!(value <= peak) && !Number.isNaN(value)) peak = value;
    return peak;
  }

  /** Takes over what the coordinator kept. */
  load(history: History): void {
    const from = Math.floor(instant(history.from) / 1000);
    const step = Math.max(1, Math.round(seconds(history.step ?? '1s')));
    for (const series of history.series ?? []) series.values?.forEach((value, i) => this.set(series.name, from + i * step, Number(value)));
  }

  private advance(second: number): void {
    const first = Math.max(this.newest + 1, second - secondsKept + 1);
    for (const ring of this.values.values()) for (let s = first; s <= second; s++) ring[s % secondsKept] = NaN;
    this.newest = second;
  }
}

/** The series of a history by name, as numbers. */
export function seriesByName(history: History): Map<string, number[]> {
  return new Map((history.series ?? []).map(series => [series.name, (series.values ?? []).map(Number)]));
}

/** The last value of a series that is a number. */
export function latest(values: readonly number[] | undefined): number {
  for (let i = (values?.length ?? 0) - 1; i >= 0; i--) if (!Number.isNaN(values![i]!)) return values![i]!;
  return NaN;
}
