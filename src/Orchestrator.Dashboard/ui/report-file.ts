import { bytes, clock, count, instant, int, percent, rate, seconds, span } from './format.js';
import type { Deadlock, Limit, OperatorEvent, Series, ServiceStatus } from './types.js';

/** Writes a report: one HTML file that needs nothing else, neither scripts nor a network. */

export interface ReportData {
  title: string;
  address: string;
  from: number;
  to: number;
  step: number;
  status: ServiceStatus;
  series: Series[];
  events: OperatorEvent[];
  deadlocks: Deadlock[];
  limits: Limit[];
}

/** Text for a document that is written as text. */
const escape = (text: unknown): string => String(text ?? '').replace(/[&<>"']/g, char => `&#${char.charCodeAt(0)};`);

const style = `body{font:14px/1.5 system-ui,"Noto Sans",sans-serif;color:#131a22;max-width:1000px;margin:2em auto;padding:0 1em;font-variant-numeric:tabular-nums}
h1{font-size:22px}h2{font-size:16px;margin-top:2em}table{border-collapse:collapse;width:100%}th,td{text-align:right;padding:4px 8px;border-top:1px solid #dde3e9;vertical-align:top}th:first-child,td:first-child,.l{text-align:left}
th{color:#566372;font-weight:500}figure{margin:0 0 14px}figcaption{color:#566372}svg{width:100%;height:90px;background:#f4f6f8;border-radius:6px}path{fill:none;stroke:#2a72c4;stroke-width:1.5}.charts{display:grid;grid-template-columns:1fr 1fr;gap:14px}@media(max-width:640px){.charts{grid-template-columns:1fr}}`;

const titles: Record<string, string> = {
  'tasks.ended': 'Tasks ended',
  'tasks.accepted': 'Tasks accepted',
  'tasks.failed': 'Tasks failed',
  'tasks.retried': 'Tasks retried',
  'tasks.queued': 'Tasks queued',
  'tasks.running': 'Tasks running',
  'latency.p50': 'Latency, median',
  'latency.p99': 'Latency, 99th percentile',
  'memory.kept': 'Memory kept',
  'coordinator.memory': 'Memory of the coordinator',
  'coordinator.cpu': 'Processor of the coordinator',
  sessions: 'Sessions',
  streams: 'Task streams',
  'queues.items': 'Items in queues',
};

function value(number: number, unit: string): string {
  switch (unit) {
    case 'bytes':
      return bytes(number);
    case '%':
      return percent(number);
    case 'ms':
      return span(number / 1000);
    default:
      return `${rate(number)} ${unit}`;
  }
}

/** A series as a drawing, with its mean and its peak in words. */
function chart(series: Series): string {
  const values = (series.values ?? []).map(Number);
  const known = values.filter(number => !Number.isNaN(number));
  if (known.length === 0) return '';
  const peak = known.reduce((a, b) => Math.max(a, b));
  const mean = known.reduce((a, b) => a + b) / known.length;
  const most = Math.max(peak, 1e-9);
  let path = '';
  let open = false;
  values.forEach((number, i) => {
    if (Number.isNaN(number)) return void (open = false);
    path += `${open ? 'L' : 'M'}${Math.round((i / Math.max(1, values.length - 1)) * 1000)} ${Math.round(95 - (number / most) * 88)}`;
    open = true;
  });
  const unit = series.unit ?? '';
  return `<figure><figcaption><b>${escape(titles[series.name] ?? series.name)}</b> – mean ${escape(value(mean, unit))}, peak ${escape(value(peak, unit))}</figcaption><svg viewBox="0 0 1000 100" preserveAspectRatio="none"><path vector-effect="non-scaling-stroke" d="${path}"/></svg></figure>`;
}

function table(headers: string[], rows: unknown[][]): string {
  if (rows.length === 0) return '<p>None.</p>';
  const line = (tag: string, cells: unknown[]): string => `<tr>${cells.map(cell => `<${tag}>${escape(cell)}</${tag}>`).join('')}</tr>`;
  return `<table><thead>${line('th', headers)}</thead><tbody>${rows.map(row => line('td', row)).join('')}</tbody></table>`;
}

export function reportHtml(data: ReportData): string {
  const { status } = data;
  const tasks = status.tasks ?? {};
  const length = Math.round(seconds(status.window?.length ?? '0s'));
  const windows = new Map(status.window?.handlers?.map(handler => [handler.handler, handler]));
  const sections: [string, string][] = [
    ['Figures', `<div class="charts">${data.series.map(chart).join('')}</div>`],
    [
      'Ledger',
      table(
        ['accepted', 'queued', 'running', 'succeeded', 'failed', 'cancelled', 'timed out', 'worker lost', 'retried'],
        [
          [
            tasks.accepted,
            tasks.queued,
            tasks.running,
            tasks.succeeded,
            tasks.failed,
            tasks.cancelled,
            tasks.timedOut,
            tasks.workerLost,
            tasks.retried,
          ].map(number => count(int(number))),
        ],
      ),
    ],
    [
      'Handlers',
      `<p>Rates and times of the last ${length} s, counts since the start of the coordinator.</p>` +
        table(
          ['handler', 'tasks/s', 'run p50', 'run p99', 'latency p99', 'succeeded', 'failed', 'cancelled', 'timed out', 'worker lost'],
          (status.handlers ?? []).map(({ handler, counts = {} }) => {
            const window = windows.get(handler);
            return [
              handler,
              rate(window?.perSecond ?? 0),
              span(seconds(window?.runP50)),
              span(seconds(window?.runP99)),
              span(seconds(window?.latencyP99)),
              ...[counts.succeeded, counts.failed, counts.cancelled, counts.timedOut, counts.workerLost].map(number => count(int(number))),
            ];
          }),
        ),
    ],
    [
      'Workers',
      table(
        ['worker', 'state', 'processor', 'memory', 'running', 'done', 'failed', 'restarts', 'last exit'],
        (status.workers ?? []).map(worker => [
          `${worker.name}#${worker.incarnation ?? ''}`,
          (worker.state ?? '').replace('WORKER_STATE_', '').toLowerCase(),
          percent(worker.cpuPercent ?? 0),
          bytes(int(worker.rssBytes)),
          worker.runningTasks ?? 0,
          count(int(worker.completedTasks)),
          count(int(worker.failedTasks)),
          int(worker.restarts),
          worker.lastExit ?? '',
        ]),
      ),
    ],
    [
      'Deadlocks refused',
      table(
        ['time', 'cycle'],
        data.deadlocks.map(deadlock => [clock(instant(deadlock.at), true), deadlock.message]),
      ),
    ],
    [
      'Events',
      table(
        ['time', 'kind', 'subject', 'message'],
        data.events.map(event => [clock(instant(event.at), true), event.kind, event.subject, event.message]),
      ),
    ],
    [
      'Limits',
      table(
        ['limit', 'used', 'at most', 'unit'],
        data.limits.map(limit => [limit.name, count(int(limit.used)), int(limit.maximum) > 0 ? count(int(limit.maximum)) : '', limit.unit]),
      ),
    ],
  ];
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>${escape(data.title)}</title><style>${style}</style></head><body>
<h1>${escape(data.title)}</h1><p>${escape(new Date(data.from).toLocaleString('en-GB'))} to ${escape(clock(data.to))}, ${escape(data.address)}, version ${escape(status.version)}, instance ${escape(status.instance)}</p>
${sections.map(([title, body]) => `<h2>${escape(title)}</h2>\n${body}`).join('\n')}
</body></html>
`;
}
