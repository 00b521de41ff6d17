"""Which parts of a manifest the page shows, and what they must look like to be shown."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from pipeline.days import Day
from pipeline.errors import UsageError
from pipeline.storage.artifacts.artifact import Artifact
from pipeline.storage.artifacts.kinds import CHECK, CHECKPOINT, DAY, GATE, MAPS, PUBLISH, RELEASE, TEST, VALIDATED
from pipeline.storage.artifacts.manifest import Manifest

Rule = Callable[[Any], str | None]
"""``None`` for a value that can be shown, else where in it the damage is, such as ``.teacher``; empty = all of it."""

_LARGEST = 1 << 53
"""Beyond it a browser no longer tells whole numbers apart; no count of a pipeline comes near."""
_LONGEST_ID = 1000
_LONGEST_PROBLEM = 1000

parse_day = lru_cache(maxsize=1 << 15)(Day.parse)


def _text(value: Any) -> str | None:
    # Half of a surrogate pair is valid in JSON, but nothing can be written that holds one.
    return None if type(value) is str and (value.isascii() or plain(value) == value) else ""


def _day(value: Any) -> str | None:
    try:
        parse_day(value if type(value) is str else "")
    except UsageError:
        return ""
    return None


def _count(value: Any) -> str | None:
    return None if type(value) is int and 0 <= value <= _LARGEST else ""


def _finite(value: Any) -> str | None:
    return None if type(value) in (int, float) and abs(value) <= _LARGEST else ""


def _measure(value: Any) -> str | None:
    # A measure may be undefined, such as an AUC of a single class: that is shown as no point of a curve.
    return None if value is None or (type(value) is float and not math.isfinite(value)) else _finite(value)


def _optional(rule: Rule) -> Rule:
    return lambda value: None if value is None else rule(value)


def _each(rule: Rule) -> Rule:
    def of_all(value: Any) -> str | None:
        if not isinstance(value, dict):
            return ""
        for name, each in value.items():
            where = "" if _text(name) is not None else rule(each)
            if where is not None:
                return f".{name}{where}"
        return None

    return of_all


def _texts(value: Any) -> str | None:
    return None if isinstance(value, list) and all(_text(each) is None for each in value) else ""


def _table(value: Any) -> str | None:
    if not isinstance(value, dict):
        return ""
    wrong = [name for name in _OF_A_TABLE if _count(value.get(name)) is not None]
    # Days of an earlier version do not have these.
    wrong += [name for name, rule in _ALSO_OF_A_TABLE.items() if name in value and rule(value[name]) is not None]
    return f".{wrong[0]}" if wrong else None


def _wild(value: Any) -> str | None:
    if not isinstance(value, dict):
        return ""
    rules = {"wild": _count, "known": _count, "furthest": _number, "anew": _flag}
    return next((f".{name}" for name, rule in rules.items() if rule(value.get(name)) is not None), None)


def _number(value: Any) -> str | None:
    return None if type(value) in (int, float) and math.isfinite(value) else ""


def _flag(value: Any) -> str | None:
    return None if isinstance(value, bool) else ""


_OF_A_TABLE = ("read", "quarantined")
_counts, _measures = _each(_count), _each(_measure)
_ALSO_OF_A_TABLE: dict[str, Rule] = {
    "kept": _count, "missing_columns": _texts, "missing": _optional(_counts), "repeated": _optional(_count),
    "repeated_of": _counts, "constant": _optional(_texts), "rarely": _texts,
}  # fmt: skip
_RULES: dict[str, dict[str, Rule]] = {
    CHECKPOINT: {
        "parent_day": _optional(_day), "loss": _optional(_finite), "wild_values": _optional(_each(_wild)),
    },
    TEST: {"values": _measures, "groups": _each(_measures)},
    GATE: {"verdict": _text, "reasons": _texts, "checkpoint": _optional(_text)},
    CHECK: {"verdict": _text, "reasons": _texts},
    VALIDATED: {
        "counts": _each(_table), "sources": _optional(_each(_text)), "unread_columns": _optional(_each(_texts)),
    },
    MAPS: {"sizes": _counts, "sizes_before": _counts},
    RELEASE: {
        "release_id": _text, "experiment": _text, "checkpoint_day": _day, "by": _optional(_text),
        "reasons": _optional(_texts),
    },
    PUBLISH: {"status": _text, "reason": _optional(_text)},
}  # fmt: skip
"""By kind, the names in ``extra`` that are remembered and shown; of other kinds none."""

_MAY_BE_SKIPPED = (DAY, CHECKPOINT, RELEASE)


def damage(artifact: Artifact) -> str | None:
    """What in a manifest that can be parsed cannot be shown; ``None`` if nothing is wrong with it."""
    ref, manifest = artifact.ref, artifact.manifest
    said = (manifest.kind, manifest.job, manifest.day, manifest.experiment, manifest.generation)
    if said != (ref.kind, ref.job, ref.day, ref.experiment, artifact.generation):
        return f"the manifest's kind, job, day, experiment or generation is not that of {artifact.id}"
    if manifest.state not in ("done", "skipped") or (manifest.state == "skipped" and ref.kind not in _MAY_BE_SKIPPED):
        return "the manifest's state is damaged"
    pruned: Any = manifest.pruned
    if not isinstance(pruned, bool):
        return "the manifest's pruned is damaged"
    for name in ("digest", "settings", "reason", "created_at"):
        if _text(getattr(manifest, name)) is not None:
            return f"the manifest's {name} is damaged"
    for each in manifest.inputs:
        if _text(each.id) is not None or _text(each.digest) is not None or len(each.id) > _LONGEST_ID:
            return "the manifest's inputs are damaged"
    for name, counts in (("rows", manifest.rows), ("files", manifest.files)):
        where = _counts(counts)
        if where is not None:
            return f"the manifest's {name}{where} is damaged"
    for name, rule in _RULES.get(ref.kind, {}).items():
        # What a skipped day has no value for is left out; what it does say must be right.
        where = None if manifest.state == "skipped" and name not in manifest.extra else rule(manifest.extra.get(name))
        if where is not None:
            return f"the manifest's extra.{name}{where} is {'damaged' if name in manifest.extra else 'missing'}"
    return None


def slim(artifact: Artifact) -> Artifact:
    """The artefact with as much of its manifest as is shown."""
    full = artifact.manifest
    extra = {name: full.extra[name] for name in _RULES.get(full.kind, {}) if name in full.extra}
    if "counts" in extra:
        shown = (*_OF_A_TABLE, *_ALSO_OF_A_TABLE)
        extra["counts"] = {
            table: {part: of[part] for part in shown if part in of} for table, of in extra["counts"].items()
        }
    manifest = Manifest(
        id=full.id, kind=full.kind, job=full.job, day=full.day, experiment=full.experiment,
        generation=full.generation, key="", digest=full.digest, inputs=full.inputs, settings=full.settings,
        rows=full.rows, state=full.state, reason=full.reason, pruned=full.pruned, created_at=full.created_at,
        extra=extra,
    )  # fmt: skip
    return Artifact(artifact.ref, artifact.generation, artifact.path, manifest)


def plain(text: str) -> str:
    """The text, with a mark for each character that cannot be written."""
    return text.encode("utf-8", "replace").decode("utf-8")


def problem(error: Exception | str) -> str:
    """What is wrong with something, short enough to be shown: it may quote what is damaged."""
    text = plain(str(error))
    return text if len(text) <= _LONGEST_PROBLEM else f"{text[:_LONGEST_PROBLEM]} …"
