"""The settings that the demo left: used where the environment says nothing of its own."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

FILE = Path(".dayspring") / "current.env"


def remember(file: Path = FILE) -> None:
    """Take the ``DAYSPRING_…`` settings of ``file`` unless ``DAYSPRING_ROOT`` or ``DAYSPRING_CONF`` is set.

    All or nothing: settings of two places would mix two data sets in one root.
    """
    if "DAYSPRING_ROOT" in os.environ or "DAYSPRING_CONF" in os.environ or not file.is_file():
        return
    for word in shlex.split(file.read_text(encoding="utf-8"), comments=True):
        name, separator, value = word.partition("=")
        if separator and name.startswith("DAYSPRING_"):
            os.environ.setdefault(name, value)
    if sys.stderr.isatty():
        print(f"settings of the demo, from {file} (set DAYSPRING_ROOT to work elsewhere)", file=sys.stderr)
