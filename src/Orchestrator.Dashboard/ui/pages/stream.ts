import { handlerColour, onTheme } from '../colours.js';
import { debug } from '../debug.js';
import { fill, h, setAttribute, setText, show } from '../dom.js';
import { rate } from '../format.js';
import { behind, onFrame } from '../frames.js';
import { LanesView, outcomeLegend } from '../lanes-view.js';
import { model } from '../model.js';
import { onPastLanes, pastLanes, view } from '../moment.js';
import { pause, type Page } from '../page.js';
import { change, cursor, parameter } from '../router.js';
import { handlerNames } from '../spans.js';
import { TaskDetail } from '../task-detail.js';

/** What every worker ran, attempt by attempt. */

const zooms: [ms: number, text: string][] = [
  [60_000, '60 s'],
  [10_000, '10 s'],
  [2000, '2 s'],
  [200, '200 ms'],
];
const narrowest = 10;
const widest = 60_000;
const zoomStep = 1.5;
/** Handlers named above the lanes: those that ran in the last seconds. */
const chipsShown = 16;

class Stream implements Page {
  readonly element: HTMLElement;
  private readonly lanes = new LanesView(model.spans, model.bins);
  private readonly zoomButtons = zooms.map(([ms, text]) => h('button', { type: 'button', onclick: () => this.zoom(ms) }, text));
  private readonly byButtons = (['handler', 'state'] as const).map(by =>
    h('button', { type: 'button', onclick: () => change({ by: by === 'handler' ? undefined : by }) }, by),
  );
  private readonly pauseButton = h('button', { type: 'button', class: 'btn on p', onclick: () => pause.set(!pause.on, this.edge() + behind) });
  private readonly chips = h('div', { class: 'chips' });
  private readonly worker = h('button', { type: 'button', class: 'chip', hidden: true, onclick: () => change({ worker: undefined }) });
  private readonly note = h('span');
  private readonly tip = h('div', { class: 'tip', hidden: true });
  private readonly place = h('div');
  private detail: TaskDetail | null = null;
  private task = '';
  private chipsKey = '';
  private rateAt = 0;
  private rateHead = 0;
  private readonly closers: (() => unknown)[];

  constructor() {
    const { canvas } = this.lanes;
    this.element = h(
      'div',
      { class: 'stack' },
      h(
        'div',
        { class: 'tools' },
        h('div', { class: 'seg2', role: 'group', 'aria-label': 'Visible time' }, this.zoomButtons),
        this.pauseButton,
        h('div', { class: 'seg2', role: 'group', 'aria-label': 'Colours show' }, this.byButtons),
        this.worker,
        this.chips,
      ),
      h(
        'section',
        { class: 'panel', 'aria-label': 'Lanes' },
        h(
          'h2',
          null,
          'Lanes ',
          this.note,
          h('em', { class: 'keys' }, h('kbd', null, 'W'), ' ', h('kbd', null, 'S'), ' zoom ', h('kbd', null, 'A'), ' ', h('kbd', null, 'D'), ' move'),
        ),
        h('div', { class: 'lanesbox' }, canvas, this.tip),
      ),
      this.place,
    );
    this.closers = [
      model.onSpans((from, to) => {
        if (this.lanes.source === model.spans) this.lanes.add(from, to);
      }),
      onPastLanes(() => this.useSource()),
      onTheme(() => this.lanes.redraw()),
      model.onGapFilled(() => this.lanes.redraw()),
      pause.onChange(() => this.lanes.redraw()),
      onFrame(edge => this.frame(edge)),
    ];
    debug.hatched = () => this.lanes.lanes.hatched;
    this.listen(canvas);
    this.useSource();
  }

  update(): void {
    const shown = Math.min(widest, Math.max(narrowest, Number(parameter('show')) || 10_000));
    const by = parameter('by') === 'state' ? 'state' : 'handler';
    const only = parameter('handler');
    const worker = parameter('worker');
    const { lanes } = this;
    if (shown !== lanes.shown || by !== lanes.colourBy || only !== lanes.only || worker !== lanes.worker) {
      Object.assign(lanes, { shown, colourBy: by, only, worker });
      lanes.redraw();
    }
    zooms.forEach(([ms], i) => press(this.zoomButtons[i]!, ms === shown));
    this.byButtons.forEach(button => press(button, button.textContent === by));
    show(this.pauseButton, cursor() === null);
    setText(this.pauseButton, pause.on ? '▶ Go on' : '❚❚ Pause');
    setText(this.worker, `worker ${worker} ✕`);
    show(this.worker, worker !== '');
    this.updateChips(by, only);
    this.updateNote();
    this.updateDetail();
  }

  key(key: string): boolean {
    switch (key) {
      case 'w':
        this.zoom(this.lanes.shown / zoomStep);
        return true;
      case 's':
        this.zoom(this.lanes.shown * zoomStep);
        return true;
      case 'a':
        this.move(-0.25);
        return true;
      case 'd':
        this.move(0.25);
        return true;
      default:
        return false;
    }
  }

  close(): void {
    for (const close of this.closers) close();
    this.detail?.close();
  }

  /** The instant at the right edge. */
  private edge(): number {
    const past = pastLanes();
    return past ? past.at : pause.on ? pause.at - behind : model.now() - behind;
  }

  private frame(edge: number): void {
    const past = pastLanes();
    const live = !past && !pause.on;
    const current = past || cursor() !== null ? view() : null;
    this.lanes.frame(live ? edge : this.edge(), current?.status ?? model.status, live ? model.open : null, current?.events ?? model.events, live);
  }

  private useSource(): void {
    const past = pastLanes();
    if (past) this.lanes.use(past.spans, past.bins);
    else this.lanes.use(model.spans, model.bins);
  }

  private zoom(ms: number): void {
    const shown = Math.round(Math.min(widest, Math.max(narrowest, ms)));
    change({ show: shown === 10_000 ? undefined : String(shown) });
  }

  /** Moves the window of time; moving back from now pauses, moving on to now goes on. */
  private move(part: number): void {
    const by = part * this.lanes.shown;
    const at = cursor();
    if (at !== null) return change({ at: String(Math.round(Math.min(model.now() - 1000, at + by))) });
    const to = this.edge() + behind + by;
    pause.set(to < model.now(), to);
  }

  private listen(canvas: HTMLCanvasElement): void {
    canvas.addEventListener(
      'wheel',
      event => {
        // Without a modifier the page scrolls, unless all lanes are in sight.
        if (!event.ctrlKey && !event.altKey && canvas.clientHeight > innerHeight - 200) return;
        event.preventDefault();
        this.zoom(this.lanes.shown * (event.deltaY > 0 ? 1.25 : 0.8));
      },
      { passive: false },
    );
    let from: { x: number; at: number; moved: boolean } | null = null;
    canvas.addEventListener('pointerdown', event => {
      from = { x: event.offsetX, at: this.edge(), moved: false };
      if (event.pointerType === 'mouse') canvas.setPointerCapture(event.pointerId);
    });
    canvas.addEventListener('pointermove', event => {
      if (from && (from.moved || Math.abs(event.offsetX - from.x) > 4)) {
        from.moved = true;
        const to = from.at + behind - (event.offsetX - from.x) * this.lanes.perPixel;
        if (cursor() === null) pause.set(to < model.now(), to);
      } else this.hover(event);
    });
    const end = (event: PointerEvent): void => {
      if (from && !from.moved && event.type === 'pointerup') this.click(event);
      from = null;
    };
    canvas.addEventListener('pointerup', end);
    canvas.addEventListener('pointercancel', end);
    canvas.addEventListener('pointerleave', () => show(this.tip, false));
  }

  private hover(event: PointerEvent): void {
    const hit = this.lanes.at(event.offsetX, event.offsetY);
    show(this.tip, !!hit);
    if (!hit) return;
    setText(this.tip, hit.text);
    const left = Math.max(4, Math.min(event.offsetX + 12, this.lanes.canvas.clientWidth - 320));
    this.tip.style.transform = `translate(${left}px, ${event.offsetY + 16}px)`;
  }

  private click(event: PointerEvent): void {
    const hit = this.lanes.at(event.offsetX, event.offsetY);
    if (hit) change({ task: this.lanes.source.taskId(hit.span) });
    else if (event.offsetX < 120) change({ worker: parameter('worker') ? undefined : this.lanes.workerAt(event.offsetY) || undefined });
  }

  private updateChips(by: string, only: string): void {
    const { source } = this.lanes;
    const counts = new Map<number, number>();
    // The newest spans tell well enough what runs.
    for (let n = source.head - 1; n >= source.first && n > source.head - 5000; n--) {
      const handler = source.handler[n & source.mask]!;
      counts.set(handler, (counts.get(handler) ?? 0) + 1);
    }
    const names = [...counts.keys()]
      .map(handler => handlerNames[handler]!)
      .sort()
      .slice(0, chipsShown);
    if (only && !names.includes(only)) names.push(only);
    const key = `${by}\n${only}\n${names.join('\n')}`;
    if (key === this.chipsKey) return;
    this.chipsKey = key;
    fill(
      this.chips,
      by === 'state'
        ? outcomeLegend.map(([tone, name]) => h('span', { class: 'chip' }, h('i', { class: `dot ${tone}` }), name))
        : names.map(name => {
            const dot = h('i', { class: 'dot' });
            dot.style.background = handlerColour(name);
            const chip = h(
              'button',
              { type: 'button', class: 'chip', title: `Show ${name} alone`, onclick: () => change({ handler: only === name ? undefined : name }) },
              dot,
              name,
            );
            press(chip, only === name);
            return chip;
          }),
    );
  }

  private updateNote(): void {
    const past = pastLanes();
    const now = performance.now();
    const perSecond = (model.spans.head - this.rateHead) / Math.max(0.2, (now - this.rateAt) / 1000);
    const drawn = this.lanes.allBars ? 'every one drawn' : 'where one would be thinner than 3 pixels, as shares of the lane';
    const missed = model.spans.missed > 0 ? ` · ${model.spans.missed} spans did not arrive` : '';
    if (past) setText(this.note, past.bins.some(bin => bin.to > past.at - this.lanes.shown) ? 'as shares of the lane where nobody watched' : drawn);
    else if (now - this.rateAt > 900) {
      if (this.rateAt > 0)
        setText(
          this.note,
          model.spans.head === 0 ? 'no attempt has ended since this page was opened' : `${rate(Math.max(0, perSecond))} spans/s · ${drawn}${missed}`,
        );
      this.rateAt = now;
      this.rateHead = model.spans.head;
    }
  }

  private updateDetail(): void {
    const task = parameter('task');
    if (task === this.task) return;
    this.task = task;
    this.lanes.select(task);
    this.detail?.close();
    this.detail = task ? new TaskDetail(task, () => change({ task: undefined }), false) : null;
    this.place.replaceChildren(...(this.detail ? [this.detail.element] : []));
  }
}

function press(button: HTMLElement, on: boolean): void {
  button.classList.toggle('on', on);
  setAttribute(button, 'aria-pressed', String(on));
}

export const page = (): Page => new Stream();
