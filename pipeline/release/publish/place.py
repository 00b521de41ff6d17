"""One root publishes to one place: what marks a place, and what tells two of them apart."""

from __future__ import annotations

import os
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipeline.errors import DayspringError
from pipeline.release.publish.release_files import Place, Pointer, ReleaseFiles


class AnotherPlace(DayspringError):
    """A root may not publish to what the settings name."""


class Target(Protocol):
    """A store that releases go to: the Redis, or the object store."""

    def place(self, root: Path) -> str:
        """Its address, without secrets; what lies in the root is named so that it is the same where that is moved."""
        ...

    @property
    def where(self) -> str:
        """Where its pointer is, for messages."""
        ...

    def mark(self) -> str | None:
        """The id that was written into it; ``None`` if nothing was published to it yet."""
        ...

    def set_mark(self, mark: str) -> None: ...


@dataclass(frozen=True)
class Held:
    """A target as it stands.

    Attributes:
        variable: the setting that names it.
        pointer: what it says is served; none if it says nothing.
    """

    name: str
    variable: str
    target: Target
    pointer: Pointer | None


def guard(files: ReleaseFiles, held: tuple[Held, ...], *, moving: bool = False) -> None:
    """Lets a root publish to its own place only; writes nothing.

    A service takes the contents from one store and the model from the other: of two places it would mix them.

    Args:
        moving: the place that the settings name is to become the root's.

    Raises:
        AnotherPlace: another root publishes there, or this one publishes elsewhere; names both and what to do.
    """
    other = _another_root(files, held) if moving else elsewhere(files, held)
    if other is not None:
        raise AnotherPlace(other)


def settle(files: ReleaseFiles, held: tuple[Held, ...], *, moving: bool = False) -> None:
    """Marks the place that a guard let pass, and notes it as the root's: just before something is served there."""
    places = files.places()
    kept = dict(places)
    for each in held:
        known, mark = places.get(each.name), each.target.mark()
        # One that was emptied gets back the mark that it had; one that a root left which is gone, a mark of its own.
        took_over = mark is not None and each.pointer is None and (known is None or known.id != mark)
        if known is not None and not moving:
            wanted = known.id
        else:
            wanted = uuid.uuid4().hex if mark is None or took_over else mark
        if mark != wanted:
            each.target.set_mark(wanted)
        kept[each.name] = Place(wanted, each.target.place(files.root))
    if kept != places:
        files.set_places(kept)


def elsewhere(files: ReleaseFiles, held: tuple[Held, ...]) -> str | None:
    """Why this root may not publish to what the settings name; ``None`` if it may. Nothing is written."""
    other = _another_root(files, held)
    if other is not None or not files.has_published():
        return other
    for each in held:
        known = files.places().get(each.name)
        if _is_another(files, each, known, each.target.mark()):
            return _refusal(files, each, known)
    return None


def _another_root(files: ReleaseFiles, held: tuple[Held, ...]) -> str | None:
    for each in held:
        if each.pointer is not None and files.published(each.pointer.release_id) is None:
            return (
                f"{each.target.where} names release {each.pointer.release_id}, which was never published from "
                f"{files.folder}: another root publishes there. Set {each.variable} to a place of this root's own, or "
                f"run `backfill` with `--publish none`; where the other root is gone for good, delete "
                f"{each.target.where} and run the same again"
            )
    return None


def _is_another(files: ReleaseFiles, each: Held, known: Place | None, mark: str | None) -> bool:
    if known is None:
        # Of before places were marked: what was published from here has left its pointer in its place.
        return files.served() is not None and each.pointer is None
    if mark is not None:
        return mark != known.id
    return each.target.place(files.root) != known.where


def _refusal(files: ReleaseFiles, each: Held, known: Place | None) -> str:
    here = each.target.place(files.root)
    job, served = files.folder.name, files.served()
    last = served.release_id if served is not None else "something"
    other = f"to {known.where}" if known is not None else f"elsewhere, {last} last"
    set_now = each.variable if os.environ.get(each.variable) else f"{each.variable} (not set now)"
    return (
        f"job '{job}' of {files.root} publishes {other}, and not to {here}, which the settings name now: a service "
        f"would take the contents of one release and the model of another. Set {set_now} as it was, or run "
        "`backfill` with `--publish none`. Where it is to publish here from now on, or what was there is lost: "
        f"`python -m pipeline move-releases --job {job}`, then start the services with the new settings"
    )
