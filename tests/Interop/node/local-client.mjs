// The local transport from Node, without gRPC: unary calls to a coordinator on this machine.
//
//     node tests/Interop/node/local-client.mjs sum_of_squares '{"n": 1000000}'
import { readdirSync, readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';

const MESSAGE = 0, OPEN = 16, HALF_CLOSE = 17, STATUS = 18;
const protos = join(dirname(fileURLToPath(import.meta.url)), '../../../protos');
const root = new protobuf.Root();
root.resolvePath = (_, target) => (target.startsWith('google/') ? target : join(protos, target));
root.loadSync(['local', ''].flatMap(name => readdirSync(join(protos, 'orchestrator', name, 'v1')).map(file => join('orchestrator', name, 'v1', file))));
const [LocalCall, LocalStatus] = ['LocalCall', 'LocalStatus'].map(name => root.lookupType(`orchestrator.local.v1.${name}`));

export class LocalClient {
  idle = [];

  constructor(home) {
    this.path = JSON.parse(readFileSync(join(home, 'endpoint.json'))).local_transport.socket;
    this.authorization = `Bearer ${process.env.ORCHESTRATOR_TOKEN || readFileSync(join(home, 'token'), 'utf8').trim()}`;
  }
  /** Such as call('TaskService', 'RunTask', { … }). A connection carries one call at a time. */
  async call(service, name, request) {
    const method = root.lookupService(`orchestrator.v1.${service}`).methods[name].resolve();
    const open = LocalCall.encode({ method: `/orchestrator.v1.${service}/${name}`, authorization: this.authorization }).finish();
    const body = method.resolvedRequestType.encode(method.resolvedRequestType.fromObject(request)).finish();
    const connection = this.idle.pop() ?? this.connect();
    connection.ref().write(Buffer.concat([frame(OPEN, open), frame(MESSAGE, body), frame(HALF_CLOSE, Buffer.alloc(0))]));
    const { message, status } = await answer(connection);
    this.idle.push(connection.unref());
    if (status.code) throw new Error(`${status.code}: ${status.message}`);
    return method.resolvedResponseType.toObject(method.resolvedResponseType.decode(message), { longs: String, enums: String });
  }

  connect() {
    const connection = connect(this.path).on('data', part => connection.take(part)).on('error', error => connection.fail(error));
    return connection.on('close', () => connection.fail(new Error('the coordinator closed the connection')));
  }
}

const frame = (kind, content) => Buffer.concat([Buffer.from([kind, ...new Uint8Array(new Uint32Array([content.length]).buffer).reverse()]), content]);

const answer = connection => new Promise((resolve, reject) => {
  let [bytes, message] = [Buffer.alloc(0)];
  connection.fail = reject;
  connection.take = part => {
    bytes = Buffer.concat([bytes, part]);
    for (let end; bytes.length >= 5 && bytes.length >= (end = 5 + bytes.readUInt32BE(1)); bytes = bytes.subarray(end)) {
      if (bytes[0] === STATUS) resolve({ message, status: LocalStatus.decode(bytes.subarray(5, end)) });
      else message = bytes.subarray(5, end);
    }
  };
});

if (process.argv.length > 2) {
  const fields = Object.entries(JSON.parse(process.argv[3])).map(([key, numberValue]) => [key, { numberValue }]);
  const input = { json: { structValue: { fields: Object.fromEntries(fields) } } };
  const client = new LocalClient(process.env.ORCHESTRATOR_DATA_DIR || join(homedir(), '.local/state/orchestrator'));
  console.log((await client.call('TaskService', 'RunTask', { task: { handler: process.argv[2], input } })).result.output.json);
}
