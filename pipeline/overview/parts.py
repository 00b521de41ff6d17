"""Which parts of a manifest the page needs, and what they must look like to be shown."""

from __future__ import annotations

from numbers import Real
from typing import Any

from pipeline.manifest import Manifest

KEPT: dict[str, tuple[str, ...]] = {
    "checkpoint": ("parent_day", "loss", "learning_rate"),
    "test": ("checkpoint", "checkpoint_day", "values", "groups"),
    "gate": ("verdict", "reasons", "checkpoint", "incumbent"),
    "check": ("verdict", "reasons"),
    "validated": ("counts", "beyond_limits", "accepted"),
    "maps": ("sizes", "sizes_before"),
    "release": ("release_id", "experiment", "checkpoint", "checkpoint_day", "age_days", "by", "verdict", "reasons"),
    "publish": ("status", "reason", "release_id"),
}
"""By kind, the names in ``extra`` that are remembered; of other kinds none."""

_NEEDED: dict[str, dict[str, type]] = {
    "test": {"checkpoint_day": str, "values": dict, "groups": dict},
    "gate": {"verdict": str, "reasons": list},
    "check": {"verdict": str, "reasons": list},
    "validated": {"counts": dict},
    "maps": {"sizes": dict, "sizes_before": dict},
    "publish": {"status": str},
}


def lacks(manifest: Manifest) -> str | None:
    """What is missing from a manifest that can be parsed, or is of the wrong type; ``None`` if nothing is."""
    if manifest.state == "skipped":
        return None
    needed = _NEEDED.get(manifest.kind, {})
    if manifest.kind == "release":
        needed = {"release_id": str, "experiment": str, "checkpoint": str, "checkpoint_day": str}
    for name, kind in needed.items():
        if not isinstance(manifest.extra.get(name), kind):
            return f"the manifest's extra.{name} is missing or no {kind.__name__}"
    numbers: list[tuple[str, Any]] = [("rows", manifest.rows)]
    if manifest.kind == "test":
        groups = manifest.extra["groups"]
        numbers += [("extra.values", manifest.extra["values"]), *((f"extra.groups.{n}", v) for n, v in groups.items())]
    if manifest.kind == "maps":
        numbers += [("extra.sizes", manifest.extra["sizes"]), ("extra.sizes_before", manifest.extra["sizes_before"])]
    if manifest.kind == "validated":
        counts = manifest.extra["counts"].items()
        for name, each in counts:
            if not isinstance(each, dict) or not all(
                isinstance(each.get(part), int) for part in ("read", "quarantined")
            ):
                return f"the manifest's extra.counts.{name} is damaged"
    for name, values in numbers:
        if not isinstance(values, dict) or not all(v is None or isinstance(v, Real) for v in values.values()):
            return f"the manifest's {name} holds something that is no number"
    return None
