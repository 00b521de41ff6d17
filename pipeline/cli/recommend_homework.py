"""How `recommend` is asked for homework: by teacher, class and chapters."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.cli.asked import Asked


class HomeworkAsked(Asked):
    """``--teacher``, ``--class`` and ``--chapter``."""

    names = ("teacher", "class_", "chapter")
    needs = "ranks homework for a teacher's class: give --teacher and --class"

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--teacher", metavar="ID", help="raw id (ranking)")
        parser.add_argument("--class", dest="class_", metavar="ID", help="raw id (ranking)")
        parser.add_argument("--chapter", metavar="ID", action="append",
                            help="raw id, repeatable (default: the chapters of the last homework day)")  # fmt: skip

    def request(self, options: argparse.Namespace) -> dict[str, Any] | None:
        if options.teacher is None or options.class_ is None:
            return None
        return {"owner": [options.teacher, options.class_], "chapters": options.chapter}
