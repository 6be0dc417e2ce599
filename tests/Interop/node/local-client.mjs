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
root.loadSync(['orchestrator/v1', 'orchestrator/local/v1'].flatMap(folder => readdirSync(join(protos, folder)).map(file => join(folder, file))));
const [LocalCall, LocalStatus] = ['LocalCall', 'LocalStatus'].map(name => root.lookupType(`orchestrator.local.v1.${name}`));

const frame = (kind, content = Buffer.alloc(0)) => {
  const head = Buffer.from([kind, 0, 0, 0, 0]);
  head.writeUInt32BE(content.length, 1);
  return Buffer.concat([head, content]);
};

export class LocalClient {
  idle = [];

  constructor(home) {
    this.path = JSON.parse(readFileSync(join(home, 'endpoint.json'))).local_transport.socket;
    this.authorization = `Bearer ${process.env.ORCHESTRATOR_TOKEN || readFileSync(join(home, 'token'), 'utf8').trim()}`;
  }

  /** Such as call('TaskService', 'RunTask', { … }). A connection carries one call at a time. */
  async call(service, name, request) {
    const { resolvedRequestType: Request, resolvedResponseType: Response } = root.lookupService(`orchestrator.v1.${service}`).methods[name].resolve();
    const open = LocalCall.encode({ method: `/orchestrator.v1.${service}/${name}`, authorization: this.authorization }).finish();
    const connection = (this.idle.pop() ?? connect(this.path)).ref();
    connection.write(Buffer.concat([frame(OPEN, open), frame(MESSAGE, Request.encode(Request.fromObject(request)).finish()), frame(HALF_CLOSE)]));
    let message, status, received = Buffer.alloc(0);
    for await (const part of connection.iterator({ destroyOnReturn: false })) {
      received = Buffer.concat([received, part]);
      for (let end; received.length >= 5 && received.length >= (end = 5 + received.readUInt32BE(1)); received = received.subarray(end)) {
        if (received[0] === STATUS) status = LocalStatus.decode(received.subarray(5, end));
        else message = received.subarray(5, end);
      }
      if (status) break;
    }
    if (!status) throw new Error('the coordinator closed the connection');
    this.idle.push(connection.unref());
    if (status.code) throw new Error(`${status.code}: ${status.message}`);
    return Response.toObject(Response.decode(message), { longs: String, enums: String });
  }
}

if (process.argv.length > 2) {
  const fields = Object.entries(JSON.parse(process.argv[3])).map(([key, numberValue]) => [key, { numberValue }]);
  const task = { handler: process.argv[2], input: { json: { structValue: { fields: Object.fromEntries(fields) } } } };
  const client = new LocalClient(process.env.ORCHESTRATOR_DATA_DIR || join(homedir(), '.local/state/orchestrator'));
  console.log((await client.call('TaskService', 'RunTask', { task })).result.output.json);
}
