"""A day's arrays made part by part, and put together in the order of the parts: the same file as of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from models.id_columns import IdColumns
from models.schema import PADDING, DayArrays, Layout
from pipeline.config.job import JobConfig
from pipeline.features.arrays import files
from pipeline.features.arrays.assemble import Built, build
from pipeline.features.arrays.kinds import arrays_of
from pipeline.features.arrays.look_up import Indices
from pipeline.features.arrays.request_histories import widened
from pipeline.features.arrays.stacked import Stacked
from pipeline.features.frames.frame import Array
from pipeline.features.frames.from_arrow import ranks
from pipeline.features.ids.store import IdMapStore
from pipeline.features.plan.plan import Plan
from pipeline.features.rows import joined
from pipeline.features.rows.candidate_table import Listed
from pipeline.features.rows.day import DayRows
from pipeline.features.state.factor_store import factors_for
from pipeline.features.state.in_memory import states_of
from pipeline.job import JobContext
from pipeline.storage import array_file
from pipeline.storage.array_file import StoredArray
from pipeline.storage.artifacts.artifact import Artifact

_FLAT = ("lengths", "pair_item", "label", "weight", "user", "empty_days")
_DENSE = ("request_dense", "item_dense", "pair_dense")
_IDS = ("request_ids", "item_ids")


@dataclass(frozen=True)
class Written:
    """A set of arrays that is written.

    Attributes:
        digest: of its content; ``prompt``: whatever the labels are that come late, where there are such.
        counts: what was left out, and how much.
        groups: requests by what is known of who asks; empty_days: of each group, requests by empty days.
    """

    digest: str
    prompt: str | None
    counts: dict[str, int]
    groups: dict[str, int]
    empty_days: dict[str, list[int]]

    @classmethod
    def of(cls, folder: Path, name: str, built: Built, config: JobConfig) -> Written:
        """Write it."""
        late = [name for name, task in config.tasks.items() if task.late is not None and task.late.wait_days]
        return cls(
            digest=files.write(folder, name, built),
            prompt=files.digest_but(built, late) if late else None,
            counts={what: int(number) for what, number in built.counts.items()},
            groups={group: int(chosen.sum()) for group, chosen in built.groups.items()},
            empty_days=files.empty_day_histogram(built, config.history.length),
        )


def built_of(
    context: JobContext, rows: DayRows, listed: Listed | None, purpose: str, *, new: NDArray[np.bool_] | None = None
) -> Built:
    """The arrays of some rows as of the end of the day before their own.

    Args:
        purpose: of the state that is kept for it.
        new: the items that are counted; none = all of them.
    """
    plan = Plan.of(context)
    maps = {space: IdMapStore.of(context).read(space, kind) for space, kind in plan.spaces.items()}
    states = states_of(context, purpose)
    state = states.as_of(rows.day.previous())
    arrays, look = arrays_of(plan), Indices(maps)
    pool, last_year = arrays.pool(state, listed, look), arrays.last_year(context, rows, look)
    factors = factors_for(context, states, plan.collaborative_settings, rows.day)
    return build(plan, rows, maps, state, pool=pool, last_year=last_year, factors=factors, new=new)


@dataclass(frozen=True)
class _Asked:
    context: JobContext
    rows: Artifact
    part: int
    folder: Path


def write_in_parts(context: JobContext, rows: Artifact, folder: Path) -> Written:
    """Build the arrays of a day's own rows in the parts that they were joined in, and write them as one set."""
    asked = [_Asked(context, rows, part, folder) for part in range(joined.parts_of(rows))]
    return context.engine().gathered(_build, asked, partial(_together, context, folder))


def _build(asked: _Asked) -> Path:
    whole = joined.read(asked.rows, asked.part)
    found = joined.item_places(asked.rows, asked.part)
    assert found is not None
    place, begin = found
    new = place >= begin
    built = built_of(asked.context, whole.rows, whole.listed, "days", new=new)
    arrays, layout = built.arrays, built.arrays.layout
    stored: dict[str, Array] = {
        "lengths": np.diff(arrays.offsets), "pair_item": place[arrays.pair_item].astype(np.int32),
        "label": arrays.label, "weight": arrays.weight, "user": arrays.user, "empty_days": built.empty_days,
        "request_dense": arrays.request_dense, "item_dense": arrays.item_dense[new], "pair_dense": arrays.pair_dense,
    }  # fmt: skip
    for side, chosen in (("request_ids", slice(None)), ("item_ids", new)):
        matrix: IdColumns = getattr(arrays, side)
        starts = {columns.start: name for name, columns in getattr(layout, side).items()}
        stored |= {f"{side}/{starts[start]}": np.asarray(each)[chosen] for start, each in matrix.parts.items()}
    stored |= {f"group/{group}": chosen for group, chosen in built.groups.items()}
    for name, keys in built.keys.items():
        stored[f"key/{name}"] = np.asarray(keys)[new if name == "item.key" else slice(None)]
    path = asked.folder / f"part-{asked.part:04d}"
    shapes = {side: {n: asdict(each)["shape"] for n, each in getattr(layout, side).items()} for side in _IDS}
    array_file.write(path, stored, {
        "counts": {name: int(count) for name, count in built.counts.items()}, "shapes": shapes,
        "keys": [*built.keys], "groups": [*built.groups],
    })  # fmt: skip
    return path


def _together(context: JobContext, folder: Path, parts: Iterable[Path]) -> Written:
    """Write the arrays of all parts, and remove theirs."""
    paths, plan = [*parts], Plan.of(context)
    written = Written.of(folder, files.ROWS, _joined(plan, [array_file.stored(path) for path in paths]), plan.config)
    for path in paths:
        path.unlink()
    return written


def _joined(plan: Plan, parts: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> Built:
    """All parts as one; matrices of requests and pairs stay in their files."""
    said = parts[0][1]
    flat, groups, keys = (
        {name: np.concatenate([arrays[f"{prefix}{name}"][:] for arrays, _ in parts]) for name in names}
        for prefix, names in (("", _FLAT), ("group/", said["groups"]), ("key/", said["keys"]))
    )
    ids, widths = {}, {}
    for side in _IDS:
        for name in said["shapes"][side]:
            shapes = [tuple(each["shapes"][side][name]) for _, each in parts]
            widest = max(shapes, key=lambda shape: shape[-1:])
            widths[name] = widest[-1] if widest else 1
            ids[side, name] = _padded([arrays[f"{side}/{name}"] for arrays, _ in parts], shapes, widest)
    layout = Layout.of(plan.schema, widths)
    dense = {
        name: Stacked([arrays[name] for arrays, _ in parts], parts[0][0][name].shape[1]) for name in _DENSE
    }  # fmt: skip
    rows, items = len(flat["lengths"]), len(dense["item_dense"])
    matrices = {
        side: IdColumns(
            rows if side == "request_ids" else items,
            {place.start: ids[side, name] for name, place in getattr(layout, side).items()},
        )
        for side in _IDS
    }
    arrays = DayArrays(
        layout=layout, **matrices, **dense, offsets=np.concatenate([[0], np.cumsum(flat["lengths"])]).astype(np.int64),
        pair_item=flat["pair_item"], label=flat["label"], weight=flat["weight"],
        user=arrays_of(plan).users(flat["user"], keys), tasks=plan.config.task_names,
    )  # fmt: skip
    rank = ranks(keys["item.key"]) if "item.key" in keys else np.arange(items)
    counts = {name: sum(each["counts"][name] for _, each in parts) for name in said["counts"]}
    return Built(arrays, rank.astype(np.int32), keys, groups, flat["empty_days"], counts)


def _padded(parts: Sequence[StoredArray], shapes: Sequence[tuple[int, ...]], widest: tuple[int, ...]) -> Stacked:
    """Values of several a cell are as many in every part as in the one that needs most."""
    columns = int(np.prod(widest, dtype=np.int64))

    def changed(part: int, values: Array) -> Array:
        if shapes[part] == widest:
            return values
        return widened(values.reshape(len(values), *shapes[part]), widest[-1], PADDING).reshape(len(values), columns)

    return Stacked(parts, columns, changed)
