"""What the commands of this package share: how they report errors."""

from __future__ import annotations

import sys
from collections.abc import Callable

from pipeline.errors import DayspringError


def guarded(run: Callable[[], None]) -> int:
    """Exit status of a command: 0, or that of the error, whose message goes to standard error."""
    try:
        run()
    except DayspringError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0
