// The worker of both pools.
"use strict";

const path = require("node:path");
const { isMainThread } = require("node:worker_threads");

const echo = (value) => value;
module.exports = { echo };

// workerpool starts this file as a process, and wants its methods registered.
if (isMainThread && process.send) {
  const { createRequire } = require("node:module");
  createRequire(path.join(process.env.PEERS_MODULES, "index.js"))("workerpool").worker({ echo });
}
