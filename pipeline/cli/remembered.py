"""The settings that the demo left: used where the environment says nothing of its own."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from pipeline.commands import REMEMBERED, remembered


def remember(file: Path = REMEMBERED) -> None:
    """Take the settings of ``file`` unless ``DAYSPRING_ROOT`` or ``DAYSPRING_CONF`` is set.

    All or nothing: settings of two places would mix two data sets in one root. The keys of an object store go with its
    address, so those of the file take the place of the shell's.
    """
    if "DAYSPRING_ROOT" in os.environ or "DAYSPRING_CONF" in os.environ or not file.is_file():
        return
    for name, value in remembered(file).items():
        if name.startswith("AWS_"):
            os.environ[name] = value
        else:
            os.environ.setdefault(name, value)
    if sys.stderr.isatty():
        print(f"settings of the demo, from {file} (set DAYSPRING_ROOT to work elsewhere)", file=sys.stderr)
