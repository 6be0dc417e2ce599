/** Calls of the contract, as JSON over the page's own server. */

/** A refused or failed call; `code` is the gRPC status in words. */
export class CallError extends Error {
  constructor(
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

let signedOut: () => void = () => {};

/** Sets what happens when the server no longer knows this browser. */
export function onSignedOut(action: () => void): void {
  signedOut = action;
}

const headers = { 'content-type': 'application/json', 'x-orchestrator': 'page' };
const pathOf = (method: string): string => `api/orchestrator.v1.${method}`;

/** Calls a method such as "AdminService/GetStatus". */
export async function call<Response>(method: string, request: object = {}, signal?: AbortSignal): Promise<Response> {
  const response = await send(pathOf(method), request, signal);
  return (await response.json()) as Response;
}

/** Calls a method that answers with a stream; each answer comes as soon as its line is complete. Ends early if aborted. */
export async function* stream<Response>(method: string, request: object, signal: AbortSignal): AsyncGenerator<Response> {
  const response = await send(pathOf(method), request, signal);
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = '';
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split('\n');
      rest = lines.pop()!;
      for (const line of lines) if (line.trim()) yield check(JSON.parse(line)) as Response;
    }
    if (rest.trim()) yield check(JSON.parse(rest)) as Response;
  } finally {
    // Also when the reader of this generator stops early: the call must not go on unread.
    void reader.cancel().catch(() => {});
  }
}

function check(answer: { error?: { code?: string; message?: string } }): unknown {
  // A task's error has no code: only a failed call is reported as an object of just this form.
  if (answer.error?.code && Object.keys(answer).length === 1) throw new CallError(answer.error.code, answer.error.message ?? '');
  return answer;
}

async function send(path: string, request: object, signal?: AbortSignal): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, { method: 'POST', headers, body: JSON.stringify(request), signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new CallError('unavailable', 'The coordinator does not answer.');
  }
  if (response.ok) return response;
  if (response.status === 401) signedOut();
  throw await errorOf(response);
}

async function errorOf(response: Response): Promise<CallError> {
  const body = (await response.json().catch(() => ({}))) as { code?: string; message?: string };
  return new CallError(body.code ?? `http_${response.status}`, body.message || `The server answered ${response.status} ${response.statusText}.`);
}

export interface Session {
  name: string;
  role: 'observe' | 'submit' | 'operate';
  chaos?: boolean;
  instance?: string;
  version?: string;
  prefix?: string;
}

/** Who is signed in; null if nobody is. */
export async function session(): Promise<Session | null> {
  const response = await fetch('session', { headers: { 'x-orchestrator': 'page' } });
  if (response.status === 401) return null;
  if (!response.ok) throw await errorOf(response);
  return (await response.json()) as Session;
}

/** Signs in with a code or a token; answers the HTTP status. */
export async function signIn(credential: { code: string } | { token: string }): Promise<number> {
  return (await fetch('login', { method: 'POST', headers, body: JSON.stringify(credential) })).status;
}

export async function signOut(): Promise<void> {
  await fetch('logout', { method: 'POST', headers, body: '{}' });
}

/** An error in words. */
export function wordsOf(error: unknown): string {
  if (error instanceof CallError) return error.code === 'permission_denied' ? `Your role does not allow this. ${error.message}` : error.message;
  return error instanceof Error ? error.message : String(error);
}
