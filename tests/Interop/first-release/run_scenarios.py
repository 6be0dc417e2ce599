"""Runs the named scenarios of python/scenarios.py, which alone would run all.

    python3 run_scenarios.py tasks queue lock      # prints one line `name: outcome` for each
"""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent / "python"))
import scenarios  # It connects when it is imported.

with scenarios.channel:
    for name in sys.argv[1:]:
        print(f"{name}: {', '.join(getattr(scenarios, 'dict_' if name == 'dict' else name)())}", flush=True)
