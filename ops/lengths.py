"""No module is longer than 400 lines, no function longer than 60: what outgrows them does several things.

    python -m ops.lengths
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

from ops.deployment import PROJECT

FOLDERS = ("pipeline", "models", "plugins", "dags", "ops", "examples", "benchmarks", "tests")
MODULE, FUNCTION = 400, 60


def too_long(source: str) -> Iterator[str]:
    """What of a module is too long, in words."""
    lines = len(source.splitlines())
    if lines > MODULE:
        yield f"{lines} lines, more than {MODULE}"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            lines = (node.end_lineno or first) - first + 1
            if lines > FUNCTION:
                yield f"{node.name} has {lines} lines, more than {FUNCTION}"


def found(root: Path) -> list[str]:
    """What is too long below a checkout: file, function, lines."""
    paths = [path for folder in FOLDERS for path in sorted((root / folder).rglob("*.py"))]
    return [
        f"{path.relative_to(root)}: {text}" for path in paths for text in too_long(path.read_text(encoding="utf-8"))
    ]


def main() -> int:
    wrong = found(PROJECT)
    print("\n".join(wrong) if wrong else "Every module and function is short enough.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
