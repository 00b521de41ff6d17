"""``recommend``: what the online service would answer, from Redis and the exported model alone."""

from __future__ import annotations

import argparse
import json

from pipeline.cli.arguments import Commands, add_job, add_json
from pipeline.errors import UsageError
from pipeline.job import JobContext
from pipeline.process.tensorflow_start import start_tensorflow


def register(commands: Commands) -> None:
    parser = commands.add(
        "recommend", _recommend, "Rank candidates for one teacher and class, or one user, with the released model.",
        "recommend --job ads --user 712",
    )  # fmt: skip
    add_job(parser)
    parser.add_argument("--teacher", metavar="ID", help="raw id (ranking)")
    parser.add_argument("--class", dest="class_", metavar="ID", help="raw id (ranking)")
    parser.add_argument("--chapter", metavar="ID", action="append",
                        help="raw id, repeatable (default: the chapters of the last homework day)")  # fmt: skip
    parser.add_argument("--user", metavar="ID", help="raw id (impressions)")
    parser.add_argument("--top", type=int, default=5, metavar="N")
    add_json(parser)


def _recommend(options: argparse.Namespace) -> int:
    from pipeline.serving.online_reader import OnlineReader

    start_tensorflow()
    context = JobContext.open(options.job)
    if options.top < 1:
        raise UsageError(f"--top {options.top}: at least 1")
    if context.config.kind == "ranking":
        if options.teacher is None or options.class_ is None or options.user is not None:
            raise UsageError(
                f"job '{context.config.job}' ranks homework for a teacher's class: give --teacher and --class"
            )
        owner = [options.teacher, options.class_]
    else:
        if options.user is None or options.teacher is not None or options.class_ is not None or options.chapter:
            raise UsageError(f"job '{context.config.job}' ranks items for a user: give --user")
        owner = [options.user]
    with OnlineReader.open(context) as reader:
        answer = reader.recommend(owner, chapters=options.chapter, top=options.top)
    if options.json:
        print(json.dumps(answer.as_dict()))
        return 0
    print(f"release {answer.release_id}, {answer.candidates} candidates" + (f" ({answer.note})" if answer.note else ""))
    for place, (key, score) in enumerate(answer.top, 1):
        print(f"{place:3}  {key}  {score:.6f}")
    return 0
