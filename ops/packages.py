"""Code that the import contracts do not see: a folder without `__init__.py`, a package that they are not told of.

    python -m ops.packages
"""

from __future__ import annotations

import sys
import tomllib
from pathlib import Path

from ops.deployment import PROJECT

OUTSIDE = {"benchmarks", "dags", "dayspring_plugin", "plugins", "tests"}
"""Stands beside the packages or on them; the packages import nothing of it."""


def unseen(root: Path) -> list[str]:
    """What of a checkout is hidden from the contracts, in words."""
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))
    known = set(settings["tool"]["importlinter"]["root_packages"])
    found = []
    for place in (root, root / "plugins"):
        for name in sorted(_names(place) - OUTSIDE):
            if name not in known:
                found.append(f"{(place / name).relative_to(root)}: no package of [tool.importlinter]; name it there")
            found += [
                f"{folder.relative_to(root)}: lacks an __init__.py, without which its modules are hidden"
                for folder in _folders(place / name)
                if not (folder / "__init__.py").is_file()
            ]
    return found


def _names(place: Path) -> set[str]:
    """What can be imported from a folder, packages without a module of their own too."""
    paths = [path for form in ("*.py", "*/*.py", "*/*/__init__.py") for path in place.glob(form)]
    names = {path.relative_to(place).parts[0].removesuffix(".py") for path in paths}
    return {name for name in names if not name.startswith(".")}


def _folders(package: Path) -> list[Path]:
    """Folders with Python in or below them, the package itself first."""
    below = {parent for path in package.rglob("*.py") for parent in path.parents}
    return sorted(folder for folder in below if folder.is_relative_to(package))


def main() -> int:
    wrong = unseen(PROJECT)
    print("\n".join(wrong) if wrong else "Every package is known to the import contracts.")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
