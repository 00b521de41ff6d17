"""Arguments that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.job import JobContext
from pipeline.training.overrides import Overrides

Command = Callable[[argparse.Namespace], int]


def day(text: str) -> Day:
    try:
        return Day.parse(text)
    except UsageError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


class Commands:
    """Registers commands on a parser, each with an example in its help."""

    def __init__(self, parser: argparse.ArgumentParser) -> None:
        self._commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(self, name: str, call: Command, summary: str, example: str) -> argparse.ArgumentParser:
        parser = self._commands.add_parser(
            name, help=summary, description=summary, epilog=f"Example:\n  python -m pipeline {example}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )  # fmt: skip
        parser.set_defaults(call=call)
        return parser


def add_job(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--job", required=True, help="name of the job: its YAML's file name in DAYSPRING_CONF")


def add_day(parser: argparse.ArgumentParser, **options: Any) -> None:
    parser.add_argument("--day", type=day, required=True, metavar="YYYY-MM-DD", **options)


def add_experiments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--experiment", action="append", metavar="E",
        help="only this experiment, or those of a pattern such as 'fill_*' (repeatable)",
    )  # fmt: skip


def add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")


def experiments(asked: list[str] | None, known: list[str], job: str, *, option: str = "--experiment") -> list[str]:
    """The experiments named on the command line, all of them if none is; ``fill_*`` names all that begin so.

    Raises:
        UsageError: a name is unknown, or a pattern fits none.
    """
    found: dict[str, None] = {}
    for name in asked or known:
        fitting = [each for each in known if fnmatchcase(each, name)]
        if not fitting:
            raise UsageError(f"{option} {name}: job '{job}' has {', '.join(known) or 'none'}")
        found |= dict.fromkeys(fitting)
    return list(found)


def add_accept(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--accept-day", type=day, action="append", default=[], metavar="YYYY-MM-DD",
        help="go on with this day although its data is beyond the limits of validation; needs --reason",
    )  # fmt: skip
    parser.add_argument("--reason", help="why the day is accepted; recorded in its manifest")


def accept_days(context: JobContext, options: argparse.Namespace) -> None:
    """Record what ``add_accept`` has read; raises ``UsageError`` for days without a reason, and for one alone."""
    if not options.accept_day:
        if options.reason:
            raise UsageError("--reason goes with --accept-day: name the day that it is the reason for")
        return
    if not options.reason:
        raise UsageError("--accept-day needs --reason: why the day is good enough is recorded with it")
    from pipeline.ingest.validate import accept_day

    for accepted in options.accept_day:
        accept_day(context, accepted, options.reason)


def add_overrides(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--epochs", type=int, metavar="N", help="train the day with N epochs instead of the YAML's")
    parser.add_argument("--learning-rate", type=float, metavar="X", help="the rate of this day, instead of the YAML's")


def overrides(options: argparse.Namespace) -> Overrides:
    """What the command line sets otherwise than the YAML; raises ``UsageError`` for a value out of range."""
    return Overrides(options.epochs, options.learning_rate)
