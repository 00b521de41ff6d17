"""happybase is used as its documentation says, so that any of its versions and HBase 2.x will do."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import pipeline.sources.hbase

MODULES = sorted(Path(pipeline.sources.hbase.__file__).parent.glob("*.py"))


def used(source: str) -> set[str]:
    """Modules of happybase that are imported, and what is taken of other objects though it is not public."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names if "happybase" in each.name or "Hbase_thrift" in each.name}
        elif isinstance(node, ast.ImportFrom) and node.module and "happybase" in node.module.lower():
            found |= {f"{node.module}.{each.name}" for each in node.names}
        elif isinstance(node, ast.Attribute):
            private = node.attr.startswith("_") and not node.attr.startswith("__")
            own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
            # `client` is the generated Thrift client under a connection.
            if (private and not own) or node.attr == "client":
                found.add(node.attr)
    return found - {"happybase"}


@pytest.mark.parametrize("module", MODULES, ids=[path.stem for path in MODULES])
def test_nothing_but_the_public_api(module: Path) -> None:
    assert used(module.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "source",
    ["from happybase.table import make_row", "import Hbase_thrift", "connection.client.scannerGetList(1, 2)",
     "table.connection._refresh_thrift_client()"],
)  # fmt: skip
def test_it_would_be_seen(source: str) -> None:
    assert used(source)
