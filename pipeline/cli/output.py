"""What the command line prints: its commands as they work when pasted."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TextIO, cast

from pipeline.commands import shown


class _Completing:
    """A stream that completes the commands in what is written to it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        self._stream.write(shown(text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def completed_commands() -> Iterator[None]:
    """For the length of the block, whatever is printed names its commands so that they can be pasted."""
    out, err = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = cast(TextIO, _Completing(out)), cast(TextIO, _Completing(err))
    try:
        yield
    finally:
        sys.stdout, sys.stderr = out, err


def print_json(value: Any, *, indent: int | None = None) -> None:
    """Prints a value as JSON; the commands in it may hold what JSON escapes."""
    print(json.dumps(shown(value), indent=indent))


def in_columns(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table as text, each column as wide as it must be."""
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]
    lines = ("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows))
    return "\n".join(line.rstrip() for line in lines)
