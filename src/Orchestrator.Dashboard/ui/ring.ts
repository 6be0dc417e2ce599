/**
 * A strip of time as a ring of columns, each one device pixel wide. What happens is drawn once, when it becomes known; a frame copies the
 * visible part to the screen with at most two drawImage calls, so that its cost depends on neither the rate nor the number of spans.
 */
export class Ring {
  readonly canvas = document.createElement('canvas');
  readonly context: CanvasRenderingContext2D;
  columns = 4;
  height = 1;
  /** The newest column that may be drawn into: those up to it are cleared. */
  newest = 0;
  private zero = 0;
  private perColumn = 1;

  constructor() {
    this.context = this.canvas.getContext('2d')!;
  }

  /** The oldest column that is still there. */
  get oldest(): number {
    return this.newest - this.columns + 1;
  }

  /**
   * Empties the strip for another scale.
   * @param width Visible columns. @param multiple The number of columns becomes a multiple of this.
   * @param edge The instant at the right edge, in milliseconds.
   */
  reset(width: number, height: number, millisecondsPerColumn: number, multiple: number, edge: number): void {
    this.perColumn = millisecondsPerColumn;
    const ahead = this.ahead();
    this.columns = Math.ceil((width + ahead + multiple) / multiple) * multiple;
    this.height = Math.max(1, height);
    this.canvas.width = this.columns;
    this.canvas.height = this.height;
    // Columns count from an instant long ago enough that none is negative, and near enough that fractions stay exact.
    this.zero = edge - this.columns * millisecondsPerColumn * 4;
    this.newest = Math.floor(this.columnOf(edge)) + ahead;
  }

  /** The column of an instant, with its fraction. */
  columnOf(at: number): number {
    return (at - this.zero) / this.perColumn;
  }

  timeOf(column: number): number {
    return this.zero + column * this.perColumn;
  }

  /** Clears columns for what is to come, and says how many. */
  advance(edge: number): number {
    const newest = Math.floor(this.columnOf(edge)) + this.ahead();
    const fresh = Math.min(this.columns, newest - this.newest);
    if (fresh <= 0) return 0;
    this.clear(newest - fresh + 1, fresh, 0, this.height);
    this.newest = newest;
    return fresh;
  }

  /** Where a column lies on the canvas. */
  place(column: number): number {
    return ((column % this.columns) + this.columns) % this.columns;
  }

  clear(column: number, width: number, y: number, height: number): void {
    const x = this.place(column);
    this.context.clearRect(x, y, width, height);
    if (x + width > this.columns) this.context.clearRect(0, y, x + width - this.columns, height);
  }

  /** Copies the columns that end at an instant to the screen. */
  show(screen: CanvasRenderingContext2D, x: number, y: number, width: number, edge: number): void {
    const last = Math.floor(this.columnOf(edge));
    const from = this.place(last - width + 1);
    const first = Math.min(width, this.columns - from);
    screen.drawImage(this.canvas, from, 0, first, this.height, x, y, first, this.height);
    if (first < width) screen.drawImage(this.canvas, 0, 0, width - first, this.height, x + first, y, width - first, this.height);
  }

  /** How many columns are kept free for spans between the right edge and now: half a second. */
  private ahead(): number {
    return Math.min(4096, Math.ceil(500 / this.perColumn));
  }
}
