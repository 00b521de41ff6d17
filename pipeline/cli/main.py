"""Parsing and dispatch; every failure ends as one clear message and an exit code."""

from __future__ import annotations

import argparse
import errno
import importlib
import select
import sys
import traceback
from contextlib import suppress

from pipeline.cli.arguments import Commands
from pipeline.cli.output import completed_commands
from pipeline.cli.remembered import remember
from pipeline.errors import DayspringError

_COMMANDS = {
    "backfill": ("run", "backfill"), "stage": ("stage",), "status": ("status",), "alerts": ("alerts",),
    "measures": ("measures",), "compare": ("compare",), "evaluate": ("evaluate",),
    "measure_recall": ("measure-recall",), "embed_items": ("embed-items",), "chains": ("compare-chains",),
    "recommend": ("recommend",), "predict": ("predict",),
    "control": ("promote", "rollback", "releases", "move-releases", "taint", "prune"), "late_days": ("late-days",),
    "late_labels": ("mature", "rechain"), "audit": ("audit", "restore-ids", "freshness"),
    "checks": ("config", "doctor"), "trainer": ("trainer",), "init": ("init",), "models": ("models",),
}  # fmt: skip
"""The modules that register the commands, in the order of the help; of a command that is asked for no other is read."""


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """All commands, or those of the module of one that is known."""
    top = argparse.ArgumentParser(
        prog="python -m pipeline",
        description="Daily incremental training of recommenders. Exits with 0 done, 99 skipped, 1 failed, "
        "2 wrong use, 3 failed and will again until something is changed.",
        epilog="Example:\n  python -m pipeline backfill --job ads --from 2022-04-25 --to 2022-05-04",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = Commands(top)
    wanted = [module for module, names in _COMMANDS.items() if command in names] or _COMMANDS
    for module in wanted:
        importlib.import_module(f"pipeline.cli.{module}").register(commands)
    return top


def main(arguments: list[str] | None = None) -> int:
    remember()
    words = sys.argv[1:] if arguments is None else arguments
    try:
        options = parser(next(iter(words), None)).parse_args(words)
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else 2
    with completed_commands():
        return _run(options)


def _run(options: argparse.Namespace) -> int:
    try:
        code: int = options.call(options)
        return code
    except DayspringError as error:
        label = "skipped" if error.exit_code == 99 else "error"
        print(f"{label}: {error}", file=sys.stderr)
        return error.exit_code
    except BrokenPipeError as error:
        if _reader_has_left():
            return 0
        # Of anything else that was written to, a server or another process, it is a failure as any.
        print(f"error: {_told(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("stopped; what was committed stands, run the same command again to go on", file=sys.stderr)
        return 1
    except OSError as error:
        if error.errno not in _PLAIN:
            traceback.print_exc()
        print(f"error: {_told(error)}", file=sys.stderr)
        return 1
    except Exception as error:
        traceback.print_exc()
        print(f"error: unexpected {type(error).__name__}: {error}", file=sys.stderr)
        return 1


def _reader_has_left() -> bool:
    """Whether whoever read what this prints reads no more, as `head` does."""
    asked = select.poll()
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):  # one that is no file, or closed
            asked.register(stream.fileno(), 0)
    return any(seen & select.POLLERR for _, seen in asked.poll(0))


_PLAIN = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR}
"""Errors of the file system that say all there is to say."""


def _told(error: OSError) -> str:
    what = f"{error.filename or 'a file'}: {error.strerror or error}"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return (
            f"{what}; nothing half-written was committed. Free some space (`python -m pipeline prune --job J` removes "
            "old payloads) and run the same command again"
        )
    if error.errno in _PLAIN:
        return f"{what}; make it readable and writable for this user, or set DAYSPRING_ROOT to a folder that is"
    return f"{type(error).__name__}: {what}"
