/**
 * The parts of the contract that the page reads, in protobuf's JSON form: a field with its default value may be absent, 64-bit integers are
 * strings, durations are strings such as "1.5s", instants are RFC 3339 strings.
 */
export type Int64 = string;
export type DurationText = string;
export type Instant = string;

export interface TaskCounts {
  queued?: Int64;
  running?: Int64;
  succeeded?: Int64;
  failed?: Int64;
  cancelled?: Int64;
  timedOut?: Int64;
  workerLost?: Int64;
  retried?: Int64;
  perSecond?: number;
  accepted?: Int64;
}

export interface RunningAttempt {
  taskId?: Int64;
  handler?: string;
  running?: DurationText;
}

export interface WorkerInfo {
  name: string;
  incarnation?: Int64;
  state?: string;
  pid?: number;
  core?: number;
  startedAt?: Instant;
  restarts?: Int64;
  lastExit?: string;
  runningTasks?: number;
  prefetchedTasks?: number;
  completedTasks?: Int64;
  failedTasks?: Int64;
  cpuPercent?: number;
  rssBytes?: Int64;
  threads?: number;
  group?: string;
  runtime?: string;
  runningCpu?: number;
  runningIo?: number;
  runningBlocking?: number;
  current?: RunningAttempt;
  /** Only of a moment in the past: tasks per second, instead of completedTasks. */
  perSecond?: number;
}

export interface HandlerStats {
  handler: string;
  counts?: TaskCounts;
  runP50?: DurationText;
  runP99?: DurationText;
}

export interface HandlerWindow {
  handler: string;
  perSecond?: number;
  failedPerSecond?: number;
  runP50?: DurationText;
  runP90?: DurationText;
  runP99?: DurationText;
  latencyP50?: DurationText;
  latencyP90?: DurationText;
  latencyP99?: DurationText;
}

export interface Window {
  length?: DurationText;
  handlers?: HandlerWindow[];
  latencyP50?: DurationText;
  latencyP90?: DurationText;
  latencyP99?: DurationText;
  perSecond?: number;
  failedPerSecond?: number;
}

export interface ProcessInfo {
  pid?: number;
  cpuPercent?: number;
  rssBytes?: Int64;
  threads?: number;
  startedAt?: Instant;
}

export interface ServiceStatus {
  version?: string;
  instance?: string;
  draining?: boolean;
  coordinator?: ProcessInfo;
  workers?: WorkerInfo[];
  tasks?: TaskCounts;
  handlers?: HandlerStats[];
  sessions?: number;
  streams?: number;
  queues?: Int64;
  queuedItems?: Int64;
  window?: Window;
  keptBytes?: Int64;
  keptBytesLimit?: Int64;
  oldestQueued?: DurationText;
  allowsChaos?: boolean;
}

export interface Attention {
  kind?: string;
  subject?: string;
  message?: string;
  since?: Instant;
  urgent?: boolean;
}
export interface SeriesPoint {
  series: string;
  value?: number | string;
}
export interface OperatorEvent {
  sequence?: Int64;
  at?: Instant;
  kind?: string;
  subject?: string;
  message?: string;
}

export interface TelemetryMessage {
  at?: Instant;
  status?: ServiceStatus;
  attention?: Attention[];
  missedMessages?: Int64;
  points?: SeriesPoint[];
  event?: OperatorEvent;
}

export interface SpanLane {
  number?: number;
  worker?: string;
  kind?: string;
}
export interface SpanHandler {
  number?: number;
  name?: string;
}
export interface Series {
  name: string;
  unit?: string;
  values?: (number | string)[];
}
export interface LaneHistory {
  origin?: Instant;
  tenths?: number[];
  lane?: number[];
  handler?: number[];
  hundredths?: number[];
  lanes?: SpanLane[];
  handlers?: SpanHandler[];
}
export interface SpanBlockJson {
  origin?: Instant;
  startUs?: number[];
  lengthUs?: number[];
  busyUs?: number[];
  taskId?: Int64[];
  count?: number[];
  lane?: number[];
  handler?: number[];
  outcome?: (string | number)[];
  retried?: boolean[];
  lanes?: SpanLane[];
  handlers?: SpanHandler[];
}
export interface History {
  from?: Instant;
  step?: DurationText;
  series?: Series[];
  lanes?: LaneHistory;
  spans?: SpanBlockJson;
}

export interface Payload {
  data?: string;
  json?: unknown;
}
export interface PostMortem {
  worker?: string;
  pid?: number;
  exitCode?: number;
  signal?: string;
  outOfMemory?: boolean;
  peakRssBytes?: Int64;
  cpuTime?: DurationText;
  lastStderrLines?: string[];
}
export interface TaskError {
  reason?: string;
  type?: string;
  message?: string;
  stackTrace?: string;
  postMortem?: PostMortem;
  rung?: string;
}
export interface TaskTiming {
  acceptedAt?: Instant;
  queued?: DurationText;
  dispatch?: DurationText;
  run?: DurationText;
  reply?: DurationText;
  cpuTime?: DurationText;
  allocatedBytes?: Int64;
}
export interface TaskResult {
  taskId?: Int64;
  state?: string;
  output?: Payload;
  error?: TaskError;
  worker?: string;
  attempt?: number;
  timing?: TaskTiming;
}
export interface RetryPolicy {
  maxAttempts?: number;
}
export interface TaskOptions {
  priority?: number;
  retry?: RetryPolicy;
  placement?: string;
  labels?: Record<string, string>;
  dependsOn?: Int64[];
  durability?: string;
  runTimeout?: DurationText;
  queueTimeout?: DurationText;
  totalTimeout?: DurationText;
  concurrencyKey?: string;
  rateLimiter?: string;
}
export interface Attempt {
  number?: number;
  worker?: string;
  startedAt?: Instant;
  run?: DurationText;
  error?: TaskError;
}
export interface Progress {
  completed?: number;
  total?: number;
  message?: string;
}
export interface TaskInfo {
  taskId: Int64;
  handler?: string;
  state?: string;
  options?: TaskOptions;
  attempts?: Attempt[];
  result?: TaskResult;
  progress?: Progress;
  client?: string;
  waitingFor?: string;
  acceptedAt?: Instant;
}
export interface HandlerInfo {
  name: string;
  kind?: string;
  description?: string;
  exampleInput?: Payload;
  groups?: string[];
}
export interface TaskEvent {
  taskId?: Int64;
  sequence?: Int64;
  at?: Instant;
  state?: string;
  progress?: Progress;
  partialOutput?: Payload;
  log?: { level?: string; message?: string };
  result?: TaskResult;
  droppedBefore?: Int64;
}

export interface QueueSpec {
  name: string;
  kind?: string;
  maxItems?: Int64;
  maxBytes?: Int64;
  durability?: string;
  maxDeliveries?: number;
  deadLetterQueue?: string;
}
export interface QueueInfo {
  spec: QueueSpec;
  readyItems?: Int64;
  leasedItems?: Int64;
  unfinishedItems?: Int64;
  readyBytes?: Int64;
  waitingGetters?: number;
  waitingPutters?: number;
  shutDown?: boolean;
  oldestAge?: DurationText;
  delayedItems?: Int64;
  deadLetteredItems?: Int64;
  droppedItems?: Int64;
  owner?: string;
}
export interface QueueItem {
  body?: Payload;
  priority?: Int64;
  sequence?: Int64;
  delivery?: number;
  deadLetter?: { queue?: string; reason?: string };
}
export interface PipeInfo {
  spec: { name: string; duplex?: boolean; direct?: boolean; maxMessages?: number };
  bufferedToA?: number;
  bufferedToB?: number;
  aAttached?: boolean;
  bAttached?: boolean;
  aClosed?: boolean;
  bClosed?: boolean;
  owner?: string;
}

export interface WaitEdge {
  waiterSession?: string;
  waiterName?: string;
  object?: string;
  holderSession?: string;
  holderName?: string;
  waiting?: DurationText;
}
export interface Deadlock {
  at?: Instant;
  cycle?: { edges?: WaitEdge[] };
  message?: string;
}
export interface Holder {
  sessionId?: string;
  displayName?: string;
  age?: DurationText;
  fencingToken?: Int64;
  taskId?: Int64;
}
export interface SyncInfo {
  object: string;
  description?: string;
  holders?: Holder[];
  waiters?: Holder[];
}
export interface StateInfo {
  kind?: string;
  name: string;
  version?: Int64;
  count?: Int64;
  bytes?: Int64;
  durability?: string;
  owner?: string;
}
export interface SessionSummary {
  alias: string;
  displayName?: string;
  client?: string;
  taskId?: Int64;
  attempt?: number;
  worker?: string;
  holds?: number;
  waits?: number;
  ttl?: DurationText;
  implicit?: boolean;
}
export interface StreamFlow {
  number?: Int64;
  client?: string;
  openedAt?: Instant;
  creditsUsed?: number;
  creditsLimit?: number;
  bytesUsed?: Int64;
  bytesLimit?: Int64;
  unreadResults?: number;
  unreadBytes?: Int64;
  stalledSince?: Instant;
}
export interface Limit {
  name: string;
  description?: string;
  maximum?: Int64;
  used?: Int64;
  unit?: string;
}
export interface ComparisonRun {
  input?: number;
  round?: number;
  placement?: string;
  tasks?: number;
  perSecond?: number;
  latencyP50?: DurationText;
  runP50?: DurationText;
  rssBytes?: Int64;
  runs?: number;
}
