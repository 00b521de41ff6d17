"""Id maps: whole, and every day's ids still where the day put them."""

from __future__ import annotations

from models.schema import FIRST
from pipeline.errors import ConfigError, CorruptArtifact
from pipeline.features.ids.idmap import IdMap
from pipeline.features.ids.store import IdMapStore
from pipeline.features.records import MapsRecord
from pipeline.job import JobContext
from pipeline.monitoring.audit.artifacts import current_of_days, said_of
from pipeline.monitoring.audit.findings import Audit
from pipeline.storage.artifacts.kinds import MAPS
from pipeline.storage.digests import content_digest


def audit_id_maps(context: JobContext, audit: Audit) -> None:
    """Each map against its checksum, and against the sizes and ids that each day recorded."""
    maps: dict[str, IdMap] = {}
    folder = IdMapStore.of(context).folder
    names = {path.name.partition(".")[0] for path in folder.glob("*.json*")} if folder.is_dir() else set()
    for space in sorted(names):
        path = folder / f"{space}.json"
        restore = f"python -m pipeline restore-ids --job {context.job} --space {space}"
        try:
            # Of a space that has left the YAML the file itself says the type.
            kind = context.config.spaces.get(space) or _kind_of(context, space)
            maps[space] = IdMapStore.of(context).read(space, kind)
        except ConfigError as error:
            audit.add(f"id map '{space}'", str(error), "put the type back in `spaces`, or name a new space")
        except (CorruptArtifact, ValueError) as error:
            audit.add(
                f"id map '{space}'",
                str(error).split("; ")[0] if str(path) in str(error) else f"{path}: {error}",
                restore,
            )
        audit.id_maps += 1
    damaged = names - set(maps)
    for artifact in current_of_days(context.store, MAPS, context.job):
        day = artifact.ref.day
        said = said_of(MapsRecord, artifact, audit)
        if said is None:
            continue
        sizes, before, new = said.sizes, said.sizes_before, said.new_ids
        for space in sorted(set(sizes) - set(maps) - damaged):
            audit.add(
                f"id map '{space}'", f"{folder / f'{space}.json'}: there is none, but {artifact.id} was mapped with it",
                "restore it from a backup", "damaged",
            )  # fmt: skip
            damaged.add(space)
        short = [space for space, size in sizes.items() if space in maps and maps[space].size < size]
        for space in short:
            audit.add(
                f"id map '{space}'", f"holds {maps[space].size - FIRST} ids, but {sizes[space] - FIRST} at the end of "
                f"{day}: it was put back to an older state", _RUN_AGAIN.format(job=context.job, day=day),
            )  # fmt: skip
            damaged.add(space)
        if damaged & set(sizes):
            continue
        ids = {f"ids/{s}": maps[s].ids[before[s] - FIRST : before[s] - FIRST + new[s]] for s in sizes}
        if content_digest({"sizes": sizes, "before": before, **ids}) != artifact.manifest.digest:
            audit.add(
                artifact.id, "the ids that this day gave are others now, in one of "
                f"{', '.join(space for space in sizes if new[space]) or 'its maps'}",
                "restore the id maps from a backup: models that were trained with them read other rows", "damaged",
            )  # fmt: skip
            return


_RUN_AGAIN = (
    "restore it from a backup; or, if only this day is lost, run it again before any other: python -m pipeline "
    "stage update_id_maps --job {job} --day {day} --reprocess"
)


def _kind_of(context: JobContext, space: str) -> str:
    return IdMap.from_json((IdMapStore.of(context).folder / f"{space}.json").read_bytes()).kind
