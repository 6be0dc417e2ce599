import { decodeSpans, type SpanColumns } from './span-block.js';
import type { TelemetryMessage } from './types.js';

/** The WebSocket that brings what happens. Connects again by itself, and says what the page needs. */

export interface FeedHandlers {
  message(message: TelemetryMessage): void;
  spans(block: SpanColumns): void;
  /** A connection is open. It tells the numbers of lanes and handlers anew. */
  opened(): void;
  closed(): void;
  /** The credential has ended: connecting again would be refused. */
  signedOut(): void;
}

const credentialEnded = 4401;
const firstDelay = 300;
const longestDelay = 2000;

export class Feed {
  private socket: WebSocket | undefined;
  private delay = firstDelay;
  private timer = 0;
  private needs = { spans: false, intervalMs: 1000 };

  constructor(private readonly handlers: FeedHandlers) {}

  start(): void {
    this.connect();
  }

  stop(): void {
    clearTimeout(this.timer);
    const { socket } = this;
    this.socket = undefined;
    socket?.close();
  }

  /** Says what the page needs from now on. */
  need(spans: boolean, intervalMs: number): void {
    if (this.needs.spans === spans && this.needs.intervalMs === intervalMs) return;
    this.needs = { spans, intervalMs };
    this.tell();
  }

  private tell(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(this.needs));
  }

  private connect(): void {
    const address = new URL('feed', document.baseURI);
    address.protocol = address.protocol.replace('http', 'ws');
    address.search = address.hash = '';
    const socket = new WebSocket(address);
    this.socket = socket;
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => {
      this.handlers.opened();
      this.tell();
    };
    socket.onmessage = event => {
      if (socket !== this.socket) return;
      // Only a message proves that the connection works: one that opens and closes at once must not be tried without a pause.
      this.delay = firstDelay;
      if (typeof event.data === 'string') this.handlers.message(JSON.parse(event.data) as TelemetryMessage);
      else this.handlers.spans(decodeSpans(event.data as ArrayBuffer));
    };
    socket.onclose = event => {
      if (socket !== this.socket) return;
      this.socket = undefined;
      if (event.code === credentialEnded) return this.handlers.signedOut();
      this.handlers.closed();
      this.timer = window.setTimeout(() => this.connect(), this.delay);
      this.delay = Math.min(longestDelay, this.delay * 1.7);
    };
  }
}
