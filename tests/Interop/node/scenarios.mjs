// What a client can do, from Node: tasks, a stream, a queue with leases, a lock with its token, a dict with guards, a pipe, a deadlock.
//
//     npm install --prefix tests/Interop/node && node tests/Interop/node/scenarios.mjs
//
// prints one line `name: outcome` for each of ../scenarios.json. There is nothing to generate: @grpc/proto-loader reads protos/ as they are.
import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';

const LIMIT = 30_000; // Milliseconds: the limit of every call.
const protos = join(dirname(fileURLToPath(import.meta.url)), '../../../protos');
const files = readdirSync(join(protos, 'orchestrator/v1')).map(file => `orchestrator/v1/${file}`);
// 64-bit numbers as strings, since a JavaScript number would round them; enums by name.
const { v1 } = grpc.loadPackageDefinition(loadSync(files, { includeDirs: [protos], longs: String, enums: String, defaults: true, oneofs: true })).orchestrator;

const home = process.env.ORCHESTRATOR_DATA_DIR || join(homedir(), '.local/state/orchestrator');
const address = JSON.parse(readFileSync(join(home, 'endpoint.json'))).grpc.replace('http://', '');
const metadata = new grpc.Metadata();
metadata.set('authorization', `Bearer ${process.env.ORCHESTRATOR_TOKEN || readFileSync(join(home, 'token'), 'utf8').trim()}`);
const unique = `node/${randomUUID().slice(0, 8)}`;
const sessions = []; // What a client holds belongs to its sessions, and is released when they are closed.
const clients = {};

/** The client of a service; all share one connection. */
const service = name => clients[name] ??= new v1[name](address, grpc.credentials.createInsecure(), { 'grpc.enable_http_proxy': 0, 'grpc.max_receive_message_length': -1 });
const options = () => ({ deadline: Date.now() + LIMIT });

/** One unary call, such as call('TaskService', 'RunTask', { … }). */
const call = (name, method, request) => new Promise((resolve, reject) =>
  service(name)[method](request, metadata, options(), (error, response) => (error ? reject(error) : resolve(response))));

/** The reason in google.rpc.ErrorInfo { reason, domain } beside the status; protobufjs with googleapis' protos would parse all of the details. */
const reasonOf = error =>
  /\n.([A-Z_]+)\x12\x0corchestrator/s.exec(error.metadata?.get('grpc-status-details-bin')[0]?.toString('latin1') ?? '')?.[1] ?? error.message;
const reasonFor = promise => promise.then(() => 'OK', reasonOf);

// A payload's JSON is a google.protobuf.Value, which proto-loader shows as its oneof.
const json = value => typeof value === 'number' ? { json: { numberValue: value } }
  : typeof value === 'string' ? { json: { stringValue: value } }
  : { json: { structValue: { fields: Object.fromEntries(Object.entries(value).map(([key, item]) => [key, json(item).json])) } } };
const plain = payload => String(payload.json[payload.json.kind]);
const duration = seconds => ({ seconds, nanos: 0 });
const spec = (n, handler = 'sum_of_squares') => ({ handler, input: json({ n }) });
const outcomeOf = result => result.state === 'TASK_STATE_SUCCEEDED' ? plain(result.output) : result.error.reason.replace('ERROR_REASON_', '');
const statusOf = response => response.status.split('_STATUS_')[1];

const session = async name => {
  sessions.push((await call('SessionService', 'CreateSession', { displayName: name })).sessionId);
  return sessions.at(-1);
};
const acquire = (lock, sessionId, seconds = 20) => call('SyncService', 'AcquireLock', { lock: `${unique}/${lock}`, sessionId, timeout: duration(seconds) });
const release = (lock, sessionId) => call('SyncService', 'ReleaseLock', { lock: `${unique}/${lock}`, sessionId });

const scenarios = {
  async tasks() {
    const specs = [spec(1_000_000), spec(1_000_000, 'sum_of_square')];
    return (await Promise.all(specs.map(task => call('TaskService', 'RunTask', { task })))).map(answer => outcomeOf(answer.result));
  },

  async stream() {
    const stream = service('TaskService').StreamTasks(metadata, options());
    stream.write({ options: { order: 'RESULT_ORDER_SUBMISSION' }, tasks: [spec(3), spec(4)] });
    stream.write({ tasks: [spec(0, 'sum_of_square'), spec(5)] });
    stream.end();
    const outcomes = [];
    for await (const response of stream) outcomes.push(...response.results.map(outcomeOf));
    return outcomes;
  },

  async queue() {
    const queue = `${unique}/queue`, sessionId = await session('consumer'), leases = [], lines = [];
    const settle = (lease, settlement) => call('QueueService', 'Settle', { queue, leaseIds: [lease], settlement, sessionId });
    await call('QueueService', 'CreateQueue', { spec: { name: queue, kind: 'QUEUE_KIND_FIFO' } });
    await call('QueueService', 'Put', { queue, items: [{ body: json('a') }, { body: json('b') }] });
    for (const settlement of ['SETTLEMENT_RETURN', 'SETTLEMENT_DONE', 'SETTLEMENT_DONE']) {
      const [item] = (await call('QueueService', 'Get', { queue, leased: true, sessionId, timeout: duration(10) })).items;
      lines.push(`${plain(item.body)} delivery ${item.delivery}`);
      leases.push(item.leaseId);
      await settle(item.leaseId, settlement);
    }
    const late = await settle(leases[0], 'SETTLEMENT_DONE');
    const joined = await call('QueueService', 'Join', { queue, timeout: duration(0) });
    return [...lines, `${late.staleLeaseIds.length} stale`, `${joined.unfinishedItems} unfinished`];
  },

  async lock() {
    const first = await session('first'), second = await session('second');
    const held = await acquire('lock', first), refused = await acquire('lock', second, 0), stolen = await reasonFor(release('lock', second));
    await release('lock', first);
    const later = await acquire('lock', second);
    return [statusOf(held), statusOf(refused), stolen, statusOf(later), BigInt(later.fencingToken) > BigInt(held.fencingToken) ? 'token grew' : 'token did not grow'];
  },

  async dict() {
    const me = await session('writer'), dict = `${unique}/dict`, lock = `${unique}/guard`;
    const set = (n, guard) => call('StateService', 'UpdateDict', { dict, edits: [{ key: 'n', set: json(n) }], guard });
    const shown = promise => promise.then(answer => plain(answer.entries[0].value), reasonOf);
    const { version: expectedVersion } = await set(1);
    const lines = [await shown(set(2, { expectedVersion })), await shown(set(2, { expectedVersion }))];
    const early = (await acquire('guard', me)).fencingToken;
    await release('guard', me);
    const fencingToken = (await acquire('guard', me)).fencingToken;
    return [...lines, await shown(set(3, { lock, fencingToken })), await shown(set(3, { lock, fencingToken: early }))];
  },

  async pipe() {
    const pipe = `${unique}/pipe`, lines = [], timeout = duration(10);
    const send = (end, text) => call('PipeService', 'Send', { pipe, end: `PIPE_END_${end}`, messages: [json(text)], timeout });
    const receive = end => call('PipeService', 'Receive', { pipe, end: `PIPE_END_${end}`, timeout });
    await call('PipeService', 'CreatePipe', { spec: { name: pipe, duplex: true } });
    for (const [text, from, to] of [['ping', 'A', 'B'], ['pong', 'B', 'A']]) {
      await send(from, text);
      lines.push(plain((await receive(to)).messages[0]));
    }
    await call('PipeService', 'ClosePipeEnd', { pipe, end: 'PIPE_END_B' });
    return [...lines, statusOf(await receive('A')), statusOf(await send('A', '?'))];
  },

  async deadlock() {
    const a = await session('A'), b = await session('B');
    await Promise.all([acquire('x', a), acquire('y', b)]);
    const waiting = acquire('y', a);
    while (!(await call('AdminService', 'ExplainWaits', {})).edges.some(edge => edge.object === `locks/${unique}/y`)) await sleep(20);
    const refused = await reasonFor(acquire('x', b));
    await release('y', b);
    return [refused, statusOf(await waiting)];
  },
};

const clock = setTimeout(() => { throw new Error('not done in time'); }, 3 * LIMIT);
for (const [name, scenario] of Object.entries(scenarios)) {
  console.log(`${name}: ${(await scenario()).join(', ')}`);
  await Promise.all(sessions.splice(0).map(sessionId => call('SessionService', 'CloseSession', { sessionId })));
}
clearTimeout(clock);
Object.values(clients).forEach(client => client.close());
