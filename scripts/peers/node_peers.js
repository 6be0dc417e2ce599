// Node's pools on the work that Orchestrator is measured with: echoes of 64 bytes on two workers.
//
//     node node_peers.js ROW SECONDS MODULES
//
// prints one JSON object, as python_peers.py does. MODULES is the folder with the installed packages.
"use strict";

const path = require("node:path");
const { createRequire } = require("node:module");

const [row, secondsText, modules] = process.argv.slice(2);
const seconds = Number(secondsText);
const load = createRequire(path.join(path.resolve(modules ?? "."), "index.js"));
const WORKERS = 2;
const WARM_UP = 0.3;
const PAYLOAD = "x".repeat(64);
const echo = path.join(__dirname, "node_echo.js");
const now = () => Number(process.hrtime.bigint()) / 1e9;

function report(count, elapsed, latencies) {
  const sorted = latencies?.sort((a, b) => a - b);
  console.log(JSON.stringify({
    per_second: count / elapsed,
    p50_us: sorted ? sorted[sorted.length >> 1] * 1e6 : null,
    mb_per_second: null,
  }));
}

async function oneAtATime(once) {
  for (const end = now() + WARM_UP; now() < end;) await once();
  const latencies = [];
  const begin = now();
  for (let started = begin; started < begin + seconds; started = now()) {
    await once();
    latencies.push(now() - started);
  }
  report(latencies.length, now() - begin, latencies);
}

async function allInFlight(once) {
  const round = () => Promise.all(Array.from({ length: 1000 }, once));
  for (const end = now() + WARM_UP; now() < end;) await round();
  let count = 0;
  const begin = now();
  for (; now() < begin + seconds; count += 1000) await round();
  report(count, now() - begin);
}

async function withWorkerpool(measure) {
  const pool = load("workerpool").pool(echo, { minWorkers: WORKERS, maxWorkers: WORKERS, workerType: "process" });
  await measure(() => pool.exec("echo", [PAYLOAD]));
  await pool.terminate();
}

async function withPiscina(measure) {
  const { Piscina } = load("piscina");
  const pool = new Piscina({ filename: echo, minThreads: WORKERS, maxThreads: WORKERS, name: "echo" });
  await measure(() => pool.run(PAYLOAD));
  await pool.destroy();
}

const rows = {
  "workerpool-one": () => withWorkerpool(oneAtATime),
  "workerpool-all": () => withWorkerpool(allInFlight),
  "piscina-one": () => withPiscina(oneAtATime),
  "piscina-all": () => withPiscina(allInFlight),
};

if (!rows[row] || !(seconds > 0) || !modules) {
  console.error(`usage: node node_peers.js ROW SECONDS MODULES; the rows are ${Object.keys(rows).join(", ")}`);
  process.exit(2);
}
rows[row]();
