"""``python -m ops.services up | down | status | env``: the servers of this machine."""

from __future__ import annotations

import argparse
import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from ops.services.base import Service
from ops.services.stack import Stack
from pipeline.errors import DayspringError
from pipeline.storage.urls import mask_url


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m ops.services", description="The real servers on this machine.")
    parser.add_argument("action", choices=("up", "down", "status", "env"))
    parser.add_argument("--folder", type=Path, help="where their data lie (default: .services/stack of the project)")
    parser.add_argument("--space", default="", help="env: of one data set, such as `school`, which the demo filled")
    chosen = parser.parse_args(arguments)
    stack = Stack(chosen.folder)
    try:
        if chosen.action == "up":
            stack.start()
            say(stack)
        elif chosen.action == "down":
            print(f"services: stopped {', '.join(stack.stop()) or 'nothing, since none ran'}")
        elif chosen.action == "status":
            say(stack)
        else:
            for name, value in stack.environment(chosen.space).items():
                print(f"export {name}={shlex.quote(value)}")
    except DayspringError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def say(stack: Stack) -> None:
    """A line for each server: where it is, without its secrets."""
    for service in stack.services:
        print(f"  {service.name:<8} {_state(service)}")


def _state(service: Service) -> str:
    if not service.is_running():
        return service.lacking() or "down"
    places = [value for name, value in service.environment().items() if name.endswith("URL") or "ENDPOINT" in name]
    return "  ".join(mask_url(place) for place in places)


if __name__ == "__main__":
    os.umask(0o077)
    sys.exit(main())
