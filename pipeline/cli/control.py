"""A hand on chain and releases: ``promote``, ``rollback``, ``releases``, ``move-releases``, ``taint``, ``prune``."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict

from pipeline.cli.arguments import Commands, add_day, add_job, add_json, experiments
from pipeline.cli.output import print_json
from pipeline.errors import UsageError
from pipeline.job import JobContext
from pipeline.storage.artifacts.artifact import Ref
from pipeline.storage.artifacts.kinds import CHECKPOINT
from pipeline.training.chain import Chain


def register(commands: Commands) -> None:
    promote = commands.add(
        "promote", _promote, "Make an experiment the champion and lift a hold; its next release is served.",
        "promote --job ads --experiment din",
    )  # fmt: skip
    add_job(promote)
    promote.add_argument("--experiment", required=True, metavar="E")
    promote.add_argument("--reason", default="", help="told in the ledger")

    rollback = commands.add(
        "rollback", _rollback, "Serve an earlier release again, and hold it until `promote` or --release-hold.",
        "rollback --job ads --reason 'clicks fell'",
    )  # fmt: skip
    add_job(rollback)
    rollback.add_argument("--to", metavar="RELEASE", help="one that was served (default: the one before)")
    rollback.add_argument("--reason", default="by hand", help="told in the ledger and in `status`")
    rollback.add_argument("--dry-run", action="store_true", help="only say what would be served")
    rollback.add_argument("--release-hold", action="store_true", help="only lift the hold: the next run releases again")

    ledger = commands.add(
        "releases", _releases, "Every release that was served: since when, by whose hand and why.",
        "releases --job ads",
    )  # fmt: skip
    add_job(ledger)
    add_json(ledger)

    move = commands.add(
        "move-releases", _move, "Publish to the place that the settings name now, from what is served on.",
        "move-releases --job ads",
    )  # fmt: skip
    add_job(move)

    taint = commands.add(
        "taint", _taint, "Mark a trained day as not to be trusted; it and its descendants show in `status`.",
        "taint --job ads --experiment din --day 2022-04-28 --reason 'half of the log was missing'",
    )  # fmt: skip
    add_job(taint)
    add_day(taint)
    taint.add_argument("--experiment", action="append", metavar="E", help="default: all")
    taint.add_argument("--reason", required=True)

    prune = commands.add(
        "prune", _prune, "Remove payloads that retention no longer keeps; manifests stay.", "prune --job ads"
    )
    add_job(prune)
    add_json(prune)


def _promote(options: argparse.Namespace) -> int:
    from pipeline.release.control import promote

    context = JobContext.open(options.job)
    names = experiments([options.experiment], list(context.config.experiments), context.job)
    if len(names) > 1:
        raise UsageError(f"--experiment {options.experiment}: fits {', '.join(names)}; one becomes the champion")
    print(promote(context, names[0], reason=options.reason))
    return 0


def _rollback(options: argparse.Namespace) -> int:
    from pipeline.release.control import release_hold, rollback

    context = JobContext.open(options.job)
    if options.release_hold:
        if options.to or options.dry_run:
            raise UsageError("--release-hold only lifts the hold: leave --to and --dry-run out")
        print(release_hold(context))
    else:
        print(rollback(context, options.reason, to=options.to, dry=options.dry_run))
    return 0


def _releases(options: argparse.Namespace) -> int:
    from pipeline.release.control import releases, served

    context = JobContext.open(options.job)
    entries, now = releases(context), served(context)
    if options.json:
        print_json({"served": now["release_id"] if now else None, "releases": [
            {**asdict(each), "day": str(each.day)} for each in entries
        ]})  # fmt: skip
        return 0
    if not entries:
        print("nothing was published yet")
    width = max((len(each.release_id) for each in entries), default=0)
    for number, each in enumerate(entries, 1):
        mark = "*" if now and number == len(entries) and each.release_id == now["release_id"] else " "
        told = "".join(f"  {word}" for word in (each.by, each.why) if word)
        print(f"{mark} {each.at:<25}  {each.what:<8}  {each.release_id:<{width}}  version {each.version}{told}")
    return 0


def _move(options: argparse.Namespace) -> int:
    from pipeline.release.control import move_releases

    print(move_releases(JobContext.open(options.job)))
    return 0


def _taint(options: argparse.Namespace) -> int:
    context = JobContext.open(options.job)
    names = experiments(options.experiment, list(context.config.experiments), context.job)
    marked = 0
    for name in names:
        ref = Ref(CHECKPOINT, context.config.job, options.day, name)
        if context.store.current(ref) is None:
            continue
        context.store.taint(ref, options.reason)
        marked += 1
        chain = Chain.of(context, name)
        tainted = [day for day, _ in chain.tainted()]
        print(f"{name}: {len(tainted)} tainted days from {tainted[0]} to {tainted[-1]}; "
              f"re-chain: {chain.rechain(tainted)}")  # fmt: skip
    if not marked:
        raise UsageError(f"{options.day}: not trained by {', '.join(names)}, so there is nothing to taint")
    return 0


def _prune(options: argparse.Namespace) -> int:
    from pipeline.release.prune import prune

    context = JobContext.open(options.job)
    context.guard_begun("prune")
    pruned = prune(context)
    kept = sum(context.store.sizes(context.config.job).values())
    if options.json:
        print(json.dumps({"pruned": pruned.ids, "bytes_freed": pruned.bytes, "bytes_kept": kept}))
    else:
        print(
            f"{len(pruned.ids)} payloads pruned, {pruned.bytes / 1e6:.1f} MB freed, {kept / 1e6:.1f} MB kept; "
            "their manifests and digests stay"
        )
    return 0
