from __future__ import annotations

from pathlib import Path

import pytest

from ops.packages import unseen

HIDDEN = "lacks an __init__.py, without which its modules are hidden"
UNKNOWN = "no package of [tool.importlinter]; name it there"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    (tmp_path / "pyproject.toml").write_text('[tool.importlinter]\nroot_packages = ["pipeline", "dayspring"]\n')
    for name in (
        "pipeline/__init__.py", "pipeline/days.py", "pipeline/sql/day.sql", "plugins/dayspring_plugin.py",
        "plugins/dayspring/__init__.py", "dags/daily.py", "tests/unit/test_days.py", ".venv/lib.py",
        "build/lib/pipeline/__init__.py",
    ):  # fmt: skip
        write(tmp_path, name)
    return tmp_path


def write(root: Path, name: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).touch()


def test_packages_that_the_contracts_know_are_good(checkout: Path) -> None:
    assert unseen(checkout) == []


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("pipeline/spare/rows.py", [f"pipeline/spare: {HIDDEN}"]),
        ("pipeline/spare/inner/__init__.py", [f"pipeline/spare: {HIDDEN}"]),
        ("plugins/dayspring/page/app.py", [f"plugins/dayspring/page: {HIDDEN}"]),
        ("plugins/other/__init__.py", [f"plugins/other: {UNKNOWN}"]),
        ("plugins/other/hooks.py", [f"plugins/other: {UNKNOWN}", f"plugins/other: {HIDDEN}"]),
        ("tools/__init__.py", [f"tools: {UNKNOWN}"]),
        ("tools/inner/__init__.py", [f"tools: {UNKNOWN}", f"tools: {HIDDEN}"]),
        ("helpers.py", [f"helpers: {UNKNOWN}"]),
    ],
)
def test_what_the_contracts_do_not_see_is_named(checkout: Path, name: str, told: list[str]) -> None:
    write(checkout, name)
    assert unseen(checkout) == told
