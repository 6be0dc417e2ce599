import { model } from './model.js';

/** What the shell knows of a page. */
export interface Page {
  readonly element: HTMLElement;
  /** Shows what has changed: figures, or the address. Called at most twice a second for figures. */
  update(): void;
  /** Handles a key, and says whether it did. */
  key?(key: string): boolean;
  close?(): void;
}

export type MakePage = () => Page;

/** Whether figures and pictures stand still. What happens meanwhile is still collected. */
class Pause {
  on = false;
  /** The instant at which they stand, in milliseconds. */
  at = 0;
  private readonly listeners = new Set<() => void>();

  onChange(action: () => void): () => void {
    this.listeners.add(action);
    return () => this.listeners.delete(action);
  }

  set(on: boolean, at = model.now()): void {
    this.on = on;
    this.at = at;
    for (const listener of this.listeners) listener();
  }
}

export const pause = new Pause();

/** Repeats an action while a page is open and seen, beginning at once; what it answers is awaited before the next time. */
export class Repeat {
  private timer = 0;
  private closed = false;
  private running = false;
  private again = false;

  constructor(
    private readonly action: () => Promise<void>,
    private readonly milliseconds: number,
  ) {
    void this.run();
  }

  /** Does it now, or once more if it is under way. */
  now(): void {
    if (this.running) this.again = true;
    else void this.run();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private async run(): Promise<void> {
    clearTimeout(this.timer);
    this.running = true;
    do {
      this.again = false;
      // What is hidden or paused need not be asked for.
      await this.action();
    } while (this.again && !this.closed);
    this.running = false;
    this.schedule();
  }

  private schedule(): void {
    if (this.closed) return;
    this.timer = window.setTimeout(() => (document.hidden || pause.on ? this.schedule() : void this.run()), this.milliseconds);
  }
}
