"""How `recommend` is asked for items: by user."""

from __future__ import annotations

import argparse
from typing import Any

from pipeline.cli.asked import Asked


class ImpressionsAsked(Asked):
    """``--user``."""

    names = ("user",)
    needs = "ranks items for a user: give --user"

    def add_to(self, parser: argparse.ArgumentParser) -> None:
        parser.add_argument("--user", metavar="ID", help="raw id (impressions)")

    def request(self, options: argparse.Namespace) -> dict[str, Any] | None:
        return {"owner": [options.user]} if options.user is not None else None
