"""``recommend``: what the online service would answer, from Redis and the exported model alone."""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pipeline.cli.arguments import Commands, add_job, add_json
from pipeline.cli.asked import Asked
from pipeline.cli.recommend_homework import HomeworkAsked
from pipeline.cli.recommend_impressions import ImpressionsAsked
from pipeline.cli.recommend_labelled import LabelledAsked
from pipeline.config.requests import Kind
from pipeline.errors import UsageError
from pipeline.job import JobContext

if TYPE_CHECKING:
    from pipeline.features.plan.request import RequestPlan

ASKED: Mapping[Kind, Asked] = {
    "ranking": HomeworkAsked(), "impressions": ImpressionsAsked(), "rows": LabelledAsked(),
}  # fmt: skip


def register(commands: Commands) -> None:
    parser = commands.add(
        "recommend", _recommend, "Rank candidates for one teacher and class, or one user, with the released model.",
        "recommend --job ads --user 712",
    )  # fmt: skip
    add_job(parser)
    for asked in ASKED.values():
        asked.add_to(parser)
    parser.add_argument("--context", metavar="COLUMN=VALUE|JSON", action="append", default=[],
                        help="what a live request knows of its moment, repeatable: log_hourtime=9")  # fmt: skip
    how_many = parser.add_mutually_exclusive_group()
    how_many.add_argument("--top", type=int, default=5, metavar="N")
    how_many.add_argument(
        "--recall", type=int, metavar="N", help="not a ranking: the N nearest of all items, by the model's two towers"
    )
    add_json(parser)


def _recommend(options: argparse.Namespace) -> int:
    from pipeline.features.plan.plan import Plan
    from pipeline.serving.online_reader import OnlineReader

    context = JobContext.open(options.job)
    if options.top < 1:
        raise UsageError(f"--top {options.top}: at least 1")
    if options.recall is not None and options.recall < 1:
        raise UsageError(f"--recall {options.recall}: at least 1")
    asked = ASKED[context.config.kind]
    request = asked.request(options)
    foreign = [name for each in ASKED.values() if each is not asked for name in each.names]
    if request is None or any(getattr(options, name) is not None for name in foreign):
        raise UsageError(f"job '{context.config.job}' {asked.needs}")
    given = columns_in(options.context, Plan.of(context).request)
    with OnlineReader.open(context) as reader:
        answer = reader.recommend(**request, context=given, top=options.top, recalled=options.recall)
    if options.json:
        print(json.dumps(answer.as_dict()))
        return 0
    print(f"release {answer.release_id}, {answer.candidates} candidates" + (f" ({answer.note})" if answer.note else ""))
    for place, ((key, logit), probability) in enumerate(zip(answer.top, answer.probabilities, strict=True), 1):
        print(f"{place:3}  {key}  logit {logit:.6f}  {answer.told} {probability:.6f}")
    if answer.top:
        print(answer.numbers)
    return 0


def columns_in(given: Sequence[str], plan: RequestPlan) -> dict[str, Any]:
    """The request's own columns that ``--context`` gives, each ``COLUMN=VALUE`` or a JSON object of several.

    Raises:
        UsageError: what is given is neither, or is no column that a request's features are made of.
    """
    found: dict[str, Any] = {}
    for text in given:
        if text.lstrip().startswith("{"):
            try:
                found |= json.loads(text)
            except ValueError as error:
                raise UsageError(f"--context {text}: not JSON ({error})") from None
        else:
            name, equals, value = text.partition("=")
            if not equals:
                raise UsageError(f'--context {text}: write COLUMN=VALUE, or a JSON object such as {{"{text}": 9}}')
            found[name.strip()] = value
    known = plan.context_columns
    # The table's own names are understood too.
    declared = plan.config.tables[plan.settings.rows].columns
    named = {declared[name].source: name for name in known if name in declared}
    found = {name if name in known else named.get(name, name): value for name, value in found.items()}
    strange = [name for name in found if name not in known]
    if strange:
        raise UsageError(
            f"--context: no feature of a request is made of '{strange[0]}'; it may give {', '.join(known)}"
        )
    return found
