"""Do the features of what came of it all find what is planted? Trained on generated schools whose law is known.

    python -m benchmarks.planted [--days 10] [--teachers 300] [--impressions 6000]

Experiments of `conf/quality/` that differ by one thing alone, on a school with the effect that it is for and on one
without, by the words of `compare`: counters over a package's sections and what an SVD makes of them (`together`), what
came of each exposure as a part of the history (`exposures`), and counters of how long a user looked (`watching`).
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.schools import FIRST, PROJECT, against, reading_only, run_school, told
from examples.school.options import Options
from pipeline.config.job import JobConfig
from pipeline.config.load import load_job
from pipeline.evaluation.compare import Standing

PLAIN = "plain"
_QUICK = {"dim": 8, "learning_rate": 0.01, "compile": "graph"}
_NET = {"model": "pooled", "options": {"units": [16]}}


@dataclass(frozen=True)
class Planted:
    """What is tried of a job: experiments by the effect that each has a feature for.

    Args:
        read: features that every experiment reads.
        more: by effect, the features that its experiment reads besides.
        settings: of every experiment.
        before: days of the school of which the feature state is made alone.
        begun: days that are trained before it is asked what has been learnt.
    """

    job: str
    measure: str
    read: tuple[str, ...]
    more: Mapping[str, tuple[str, ...]]
    settings: Mapping[str, Any]
    before: int = 0
    begun: int = 4

    def config(self) -> JobConfig:
        """The production job with an experiment without any of the features, and one for each effect."""
        settings = load_job(self.job, PROJECT / "conf" / "quality").model_dump(
            mode="json", by_alias=True, exclude_unset=True
        )
        if self.job == "homework":  # fitted on the first days already
            settings["features"]["suits"]["collaborative"] |= {"factors": 8, "every": 1}
        experiment = {**_NET, **_QUICK, **self.settings}
        settings["experiments"] = {PLAIN: {**experiment, "only": list(self.read)}} | {
            effect: {**experiment, "only": [*self.read, *more]} for effect, more in self.more.items()
        }
        settings["release"]["champion"] = PLAIN
        return reading_only(JobConfig.model_validate(settings))


HOMEWORK = Planted(
    "homework", "log_loss",
    ("weekday", "chapters", "sections", "style", "sections_number", "taken", "own_taken", "own_style", "rank"),
    {"together": ("likely", "likely_lately", "likely_all", "suits")},
    {"loss": "softmax", "batch": 4, "negatives": 31, "epochs": 4},
    before=4,
)  # fmt: skip
ADS = Planted(
    "ads", "auc", ("ad", "label", "ad_location", "seen_ads", "seen_locations"),
    {"exposures": ("seen_outcomes",), "watching": ("label_looked",)},
    {"loss": "binary", "batch": 32, "model": "din", "options": {"units": [16], "attention_units": [8]}},
)  # fmt: skip


def find(planted: Planted, school: Options, folder: Path) -> dict[str, Standing]:
    """What `compare` says of each effect's experiment against the plain one."""
    first = school.first.plus(planted.before)
    trained = run_school(school, planted.config(), folder, state_from=school.first, first=first)
    since = first.plus(planted.begun)
    return {effect: against([trained], PLAIN, effect, planted.measure, since=since) for effect in planted.more}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=12)
    parser.add_argument("--teachers", type=int, default=300)
    parser.add_argument("--impressions", type=int, default=6000)
    parser.add_argument("--jobs", nargs="+", default=["homework", "ads"], choices=["homework", "ads"])
    given = parser.parse_args()
    for planted in (HOMEWORK, ADS):
        if planted.job not in given.jobs:
            continue
        for effects in (frozenset[str](), *(frozenset({effect}) for effect in planted.more)):
            school = Options(
                FIRST, days=given.days, teachers=given.teachers, users=800, ads=120, impressions=given.impressions,
                click_rate=0.2, effects=effects,
            )  # fmt: skip
            with tempfile.TemporaryDirectory(prefix="planted-") as folder:
                for effect, standing in find(planted, school, Path(folder)).items():
                    is_there = "planted" if effect in effects else "not planted"
                    print(f"{planted.job}, {effect} {is_there}: {told(standing, planted.measure)}", flush=True)


if __name__ == "__main__":
    main()
