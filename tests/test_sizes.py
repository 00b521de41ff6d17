"""No module is longer than 400 lines, no function longer than 60: what outgrows them does several things."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.tiny import PROJECT

FOLDERS = ("pipeline", "models", "plugins", "dags", "ops", "examples", "benchmarks", "tests")
MODULE, FUNCTION = 400, 60


def too_long(source: str) -> Iterator[str]:
    """What of a module is too long, in words."""
    lines = len(source.splitlines())
    if lines > MODULE:
        yield f"{lines} lines"
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
            lines = (node.end_lineno or first) - first + 1
            if lines > FUNCTION:
                yield f"{node.name}: {lines} lines"


def test_no_module_and_no_function_is_too_long() -> None:
    paths = [path for folder in FOLDERS for path in sorted((PROJECT / folder).rglob("*.py"))]
    assert len(paths) > 500
    found = [
        f"{path.relative_to(PROJECT)}: {text}"
        for path in paths
        for text in too_long(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_the_rule_finds_what_is_one_line_too_long() -> None:
    body = "    pass\n" * (FUNCTION - 1)
    fits = f"def fits():\n{body}"
    assert list(too_long(fits + "\n" * (MODULE - FUNCTION))) == []
    assert list(too_long(f"@decorated\n{fits}")) == ["fits: 61 lines"]
    assert list(too_long(f"class Holder:\n  async def inner():\n{body}    pass\n")) == ["inner: 61 lines"]
    assert list(too_long("x = 1\n" * (MODULE + 1))) == ["401 lines"]
