/**
 * The sums of one lane: which handler used how much of it, in bins of time. Where single attempts would be thinner than a few pixels, a
 * stack of shares says more than confetti.
 */

/** Handlers that are told apart in one stack, then "others", then what failed. */
export const slots = 16;
export const otherSlot = slots - 2;
export const badSlot = slots - 1;

export class Sums {
  /** The concurrency that fills the height. */
  scale: number;
  /** The bins that have changed since they were drawn. */
  dirtyFrom = Infinity;
  dirtyTo = -Infinity;
  private readonly shares: Float32Array;
  private readonly stamps: Float64Array;

  constructor(
    private readonly bins: number,
    leastScale: number,
  ) {
    this.scale = leastScale;
    this.shares = new Float32Array(bins * slots);
    this.stamps = new Float64Array(bins).fill(-1);
  }

  /** Adds an amount of concurrency to the bins from `from` to `to`, whose ends may lie within a bin; `oldest` is the first that counts. */
  add(from: number, to: number, slot: number, density: number, oldest: number, newest: number): void {
    const first = Math.max(oldest, Math.floor(from));
    const last = Math.min(newest, Math.floor(to));
    for (let bin = first; bin <= last; bin++) {
      const share = Math.min(to, bin + 1) - Math.max(from, bin);
      this.shares[this.fresh(bin) + slot]! += Math.max(0, share) * density;
    }
    if (last < first) return;
    if (first < this.dirtyFrom) this.dirtyFrom = first;
    if (last > this.dirtyTo) this.dirtyTo = last;
  }

  /** Where the shares of a bin begin; -1 if nothing is known of it. */
  at(bin: number): number {
    const place = bin % this.bins;
    return this.stamps[place] === bin ? place * slots : -1;
  }

  share(at: number, slot: number): number {
    return this.shares[at + slot]!;
  }

  total(at: number): number {
    let total = 0;
    for (let slot = 0; slot < slots; slot++) total += this.shares[at + slot]!;
    return total;
  }

  drawn(): void {
    this.dirtyFrom = Infinity;
    this.dirtyTo = -Infinity;
  }

  private fresh(bin: number): number {
    const place = bin % this.bins;
    if (this.stamps[place] !== bin) {
      this.stamps[place] = bin;
      this.shares.fill(0, place * slots, place * slots + slots);
    }
    return place * slots;
  }
}
