"""Dependencies that the import contracts in pyproject.toml cannot express."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
ABOVE = ("pipeline.stages", "pipeline.cli", "airflow", "dayspring", "ops", "examples")
CORE = [
    path
    for path in sorted((PROJECT / "pipeline").rglob("*.py"))
    if path.relative_to(PROJECT / "pipeline").parts[0] not in ("stages", "cli", "__main__.py")
]


@pytest.mark.parametrize("path", CORE, ids=lambda path: str(path.relative_to(PROJECT)))
def test_the_core_imports_neither_stages_nor_commands_nor_airflow(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            assert not name.startswith(ABOVE), name
