"""Running a module without its arguments on the command line, which every user of a machine can read.

``run("examples.school", ["--target", url])`` starts ``python -m ops.quietly``, which finds them in its environment.
"""

from __future__ import annotations

import json
import os
import runpy
import subprocess
import sys
from collections.abc import Sequence

from ops.deployment import PROJECT

_COMMAND = "DAYSPRING_COMMAND"


def run(module: str, arguments: Sequence[str]) -> int:
    """Runs ``python -m MODULE ARGUMENTS`` in the project's folder; its exit code."""
    env = os.environ | {_COMMAND: json.dumps([module, *arguments])}
    return subprocess.run([sys.executable, "-m", "ops.quietly"], cwd=PROJECT, env=env, check=False).returncode


if __name__ == "__main__":
    command = json.loads(os.environ.pop(_COMMAND))
    sys.argv = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)
