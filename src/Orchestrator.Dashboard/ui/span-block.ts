import { instant } from './format.js';
import type { SpanBlockJson, SpanHandler, SpanLane } from './types.js';

/** Decodes SpanBlock messages of the feed, and brings those of the history into the same columns. */

export const enum Outcome {
  Unknown,
  Succeeded,
  Failed,
  Cancelled,
  TimedOut,
  WorkerLost,
}

/** Spans by column; element i of each list belongs to span i. */
export interface SpanColumns {
  /** The instant that the starts count from, in milliseconds since 1970. */
  origin: number;
  length: number;
  startUs: ArrayLike<number>;
  lengthUs: ArrayLike<number>;
  busyUs: ArrayLike<number>;
  /** Lower and upper half of each task's id. */
  task: ArrayLike<number>;
  count: ArrayLike<number>;
  lane: ArrayLike<number>;
  handler: ArrayLike<number>;
  outcome: ArrayLike<number>;
  retried: ArrayLike<number>;
  lanes: SpanLane[];
  handlers: SpanHandler[];
  missed: number;
}

const kinds = ['TASK_KIND_UNSPECIFIED', 'TASK_KIND_CPU', 'TASK_KIND_IO', 'TASK_KIND_BLOCKING'];
const outcomes = ['UNSPECIFIED', 'SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT', 'WORKER_LOST'].map(name => `ATTEMPT_OUTCOME_${name}`);

/** Reads the fields of one message. */
class Reader {
  private at: number;

  constructor(
    private readonly view: DataView,
    start: number,
    private readonly end: number,
  ) {
    this.at = start;
  }

  /** The next field's number and wire type, as on the wire; 0 at the end. */
  tag(): number {
    return this.at < this.end ? this.varint() : 0;
  }

  varint(): number {
    let value = 0;
    let factor = 1;
    for (;;) {
      const byte = this.view.getUint8(this.at++);
      value += (byte & 127) * factor;
      if (byte < 128) return value;
      factor *= 128;
    }
  }

  /** The bounds of a field with a length. */
  bounds(): [start: number, end: number] {
    const length = this.varint();
    const start = this.at;
    this.at += length;
    return [start, this.at];
  }

  message(): Reader {
    return new Reader(this.view, ...this.bounds());
  }

  text(): string {
    const [start, end] = this.bounds();
    return new TextDecoder().decode(new Uint8Array(this.view.buffer, this.view.byteOffset + start, end - start));
  }

  /** A copy of a field's bytes, since typed arrays have to be aligned. */
  bytes(): ArrayBuffer {
    const [start, end] = this.bounds();
    return this.view.buffer.slice(this.view.byteOffset + start, this.view.byteOffset + end) as ArrayBuffer;
  }

  varints(): number[] {
    const inner = this.message();
    const values: number[] = [];
    while (inner.at < inner.end) values.push(inner.varint());
    return values;
  }

  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.varint();
        break;
      case 1:
        this.at += 8;
        break;
      case 2:
        this.bounds();
        break;
      case 5:
        this.at += 4;
        break;
      default:
        throw new Error(`wire type ${tag & 7}`);
    }
  }
}

/** Decodes the message of a feed. Platforms that run browsers store numbers as the wire does, the lowest byte first. */
export function decodeSpans(message: ArrayBuffer): SpanColumns {
  const reader = new Reader(new DataView(message), 0, message.byteLength);
  const block: SpanColumns = {
    origin: 0,
    length: 0,
    startUs: [],
    lengthUs: [],
    busyUs: [],
    task: [],
    count: [],
    lane: [],
    handler: [],
    outcome: [],
    retried: [],
    lanes: [],
    handlers: [],
    missed: 0,
  };
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    switch (tag) {
      case 0x0a:
        block.origin = timestamp(reader.message());
        break;
      case 0x12:
        block.startUs = new Int32Array(reader.bytes());
        break;
      case 0x1a:
        block.lengthUs = new Uint32Array(reader.bytes());
        break;
      case 0x22:
        block.busyUs = new Uint32Array(reader.bytes());
        break;
      case 0x2a:
        block.task = new Uint32Array(reader.bytes());
        break;
      case 0x32:
        block.count = reader.varints();
        break;
      case 0x3a:
        block.lane = reader.varints();
        break;
      case 0x42:
        block.handler = reader.varints();
        break;
      case 0x4a:
        block.outcome = reader.varints();
        break;
      case 0x52:
        block.retried = reader.varints();
        break;
      case 0x5a:
        block.lanes.push(lane(reader.message()));
        break;
      case 0x62:
        block.handlers.push(handler(reader.message()));
        break;
      case 0x68:
        block.missed = reader.varint();
        break;
      default:
        reader.skip(tag);
    }
  }
  block.length = block.startUs.length;
  return block;
}

function timestamp(reader: Reader): number {
  let ms = 0;
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) ms += reader.varint() * 1000;
    else if (tag === 0x10) ms += reader.varint() / 1e6;
    else reader.skip(tag);
  }
  return ms;
}

function lane(reader: Reader): SpanLane {
  const lane: SpanLane = {};
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) lane.number = reader.varint();
    else if (tag === 0x12) lane.worker = reader.text();
    else if (tag === 0x18) lane.kind = kinds[reader.varint()];
    else reader.skip(tag);
  }
  return lane;
}

function handler(reader: Reader): SpanHandler {
  const handler: SpanHandler = {};
  for (let tag = reader.tag(); tag !== 0; tag = reader.tag()) {
    if (tag === 0x08) handler.number = reader.varint();
    else if (tag === 0x12) handler.name = reader.text();
    else reader.skip(tag);
  }
  return handler;
}

/** The spans of a history in the same columns. */
export function spansOfHistory(json: SpanBlockJson): SpanColumns {
  const ids = json.taskId ?? [];
  const task = new Uint32Array(ids.length * 2);
  ids.forEach((id, i) => {
    const value = BigInt(id);
    task[2 * i] = Number(value & 0xffffffffn);
    task[2 * i + 1] = Number(value >> 32n);
  });
  return {
    origin: instant(json.origin),
    length: json.startUs?.length ?? 0,
    startUs: json.startUs ?? [],
    lengthUs: json.lengthUs ?? [],
    busyUs: json.busyUs ?? [],
    task,
    count: json.count ?? [],
    lane: json.lane ?? [],
    handler: json.handler ?? [],
    outcome: (json.outcome ?? []).map(value => (typeof value === 'number' ? value : Math.max(0, outcomes.indexOf(value)))),
    retried: (json.retried ?? []).map(Number),
    lanes: json.lanes ?? [],
    handlers: json.handlers ?? [],
    missed: 0,
  };
}
