"""``audit``, ``restore-ids`` and ``freshness``: is everything whole, and is it of today?"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from pipeline.cli.arguments import Commands, add_job, add_json
from pipeline.cli.output import print_json
from pipeline.errors import UsageError
from pipeline.features.ids.store import IdMapStore
from pipeline.job import JobContext
from pipeline.storage.artifacts.kinds import MAPS


def register(commands: Commands) -> None:
    parser = commands.add(
        "audit", _audit, "Check every artefact, id map and release; lists what is damaged and what to do.",
        "audit --job ads",
    )  # fmt: skip
    add_job(parser)
    parser.add_argument("--quick", action="store_true", help="compare sizes of files, do not read their content")
    add_json(parser)

    parser = commands.add(
        "restore-ids", _restore, "Put the id map before the last day back in place of a damaged one.",
        "restore-ids --job ads --space user",
    )  # fmt: skip
    add_job(parser)
    parser.add_argument("--space", required=True, metavar="S", help="name of the id space")

    parser = commands.add(
        "freshness", _freshness, "The newest extracted day and the age of what is served; exits with 1 if too old.",
        "freshness --job ads",
    )  # fmt: skip
    add_job(parser)
    add_json(parser)


def _audit(options: argparse.Namespace) -> int:
    from pipeline.monitoring.audit.job import audit

    context = JobContext.open(options.job)
    found = audit(context, payloads=not options.quick)
    if options.json:
        print_json({**asdict(found), "damaged": len(found.damaged)})
        return 1 if found.damaged else 0
    for each in found.findings:
        print(f"{'DAMAGED' if each.severity == 'damaged' else 'note   '} {each.what}: {each.problem}")
        print(f"        what to do: {each.remedy}")
    looked = "payloads of" if not options.quick else "sizes of"
    print(
        f"{looked} {found.artifacts} artefacts ({found.bytes / 1e6:.1f} MB read), {found.id_maps} id maps, "
        f"{found.releases} releases: {len(found.damaged) or 'nothing'} damaged"
    )
    return 1 if found.damaged else 0


def _restore(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job)
    maps = IdMapStore.of(context)
    if options.space not in context.config.spaces and not (maps.folder / f"{options.space}.json").exists():
        raise UsageError(f"--space {options.space}: job '{options.job}' has {', '.join(context.config.spaces)}")
    restored = maps.restore(options.space)
    marked = [day for day, _ in restored.marks]
    left = f"as {marked[-1]} left it" if marked else "as before the first day"
    print(f"id space '{options.space}': restored with {restored.size - 2} ids, {left}")
    lost = [day for day in context.store.days(MAPS, context.job) if day not in marked]
    for day in lost:
        print(
            f"map the lost day again, before any other: python -m pipeline stage update_id_maps --job {options.job} "
            f"--day {day} --reprocess"
        )
    return 0


def _freshness(options: argparse.Namespace) -> int:
    from pipeline.monitoring.freshness import freshness

    found = freshness(JobContext.open(options.job))
    if options.json:
        print(json.dumps({name: str(value) if hasattr(value, "ordinal") else value
                          for name, value in vars(found).items()}))  # fmt: skip
    else:
        print(f"newest extracted day: {found.extracted or 'none'}; served checkpoint: {found.checkpoint or 'none'}")
        for each in found.stale:
            print(f"TOO OLD {each}")
    return 1 if found.stale else 0
