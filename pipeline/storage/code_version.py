"""Which version of the code made an artefact."""

from __future__ import annotations

import functools
import re
from pathlib import Path


@functools.cache
def code_version() -> str:
    """The git commit of the project's checkout, else the installed package's version, else ``unknown``."""
    commit = _git_commit(Path(__file__).resolve().parents[2] / ".git")
    if commit:
        return commit
    from importlib import metadata

    try:
        return metadata.version("dayspring")
    except metadata.PackageNotFoundError:
        return "unknown"


def _git_commit(git: Path) -> str | None:
    if git.is_file():
        # A worktree or a submodule: a file that points at the real folder.
        pointer = git.read_text().strip().removeprefix("gitdir: ")
        git = (git.parent / pointer).resolve()
    head = git / "HEAD"
    if not head.is_file():
        return None
    text = head.read_text().strip()
    if not text.startswith("ref: "):
        return _commit(text)
    name = text.removeprefix("ref: ")
    shared = git / "commondir"
    folders = [git, (git / shared.read_text().strip()).resolve()] if shared.is_file() else [git]
    for folder in folders:
        if (folder / name).is_file():
            return _commit((folder / name).read_text().strip())
        packed = folder / "packed-refs"
        if packed.is_file():
            for line in packed.read_text().splitlines():
                if line.endswith(f" {name}"):
                    return _commit(line.split(" ", 1)[0])
    return None


def _commit(text: str) -> str | None:
    return text if re.fullmatch(r"[0-9a-f]{40,64}", text) else None
