"""Starts a stock worker after recording what the coordinator sent it, tokens included: for tests of what a stolen token permits.

usage, as a --worker-command: reveal_worker.py FOLDER ORCHESTRATOR
"""

import os
import sys

folder, command = sys.argv[1:3]
line = b""
while not line.endswith(b"\n"):
    line += os.read(0, 1)
with open(os.path.join(folder, f"{os.getpid()}.json"), "wb") as file:
    file.write(line)
# The worker reads the line again; the other end stays open, as the coordinator's would.
reader, writer = os.pipe()
os.write(writer, line)
os.dup2(reader, 0)
os.set_inheritable(writer, True)
os.execv(command, [command, "worker", "--allow-chaos"])
