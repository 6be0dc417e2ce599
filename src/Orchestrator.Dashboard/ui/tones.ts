/** How urgent an event is: the tone and the glyph beside its text. */
export interface Look {
  tone: string;
  glyph: string;
}

const looks: [start: string, look: Look][] = [
  ['worker.ready', { tone: 'ok', glyph: '●' }],
  ['worker.lost', { tone: 'lost', glyph: '✕' }],
  ['worker.failed', { tone: 'bad', glyph: '✕' }],
  ['worker.start_failed', { tone: 'bad', glyph: '✕' }],
  ['worker.condemned', { tone: 'late', glyph: '▲' }],
  ['worker.suspect', { tone: 'late', glyph: '▲' }],
  ['worker.handler_refused', { tone: 'late', glyph: '▲' }],
  ['group.given_up', { tone: 'bad', glyph: '✕' }],
  ['deadlock.', { tone: 'bad', glyph: '!' }],
  ['session.lost', { tone: 'late', glyph: '▲' }],
  ['task.', { tone: 'late', glyph: '▲' }],
  ['stream.stalled', { tone: 'late', glyph: '▲' }],
  ['queue.unconsumed', { tone: 'late', glyph: '▲' }],
  ['journal.failed', { tone: 'bad', glyph: '!' }],
  ['coordinator.reload_failed', { tone: 'bad', glyph: '!' }],
  ['coordinator.draining', { tone: 'late', glyph: '▲' }],
  ['events.gone', { tone: 'off', glyph: '…' }],
];

const calm: Look = { tone: 'off', glyph: '●' };

export function eventLook(kind: string): Look {
  return looks.find(([start]) => kind.startsWith(start))?.[1] ?? calm;
}
