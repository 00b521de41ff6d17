"""Does a history read in order tell more than its mean? Trained on generated ads whose law is known.

    python -m benchmarks.order [--days 12] [--impressions 5000] [--models pooled din gru bgru dien]

Clicks hang on what came of earlier exposures: of those at the ad's place (the effect `exposures`, which only the
candidate's view of a history can tell), and of the last two in their order (`turns`, which no view of a set can). The
experiments read the same history of `conf/quality/ads.yaml` (place, outcome), by a model each, and nothing else but the
ad; ten times as many clicks as production has, and bigger steps, let them learn in two weeks. Printed is each model's
AUC and what `compare` says of it against the second of the list, and of that against the first, over the second half of
the days, beside what a perfect model would have; then the same where neither is planted.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from benchmarks.schools import FIRST, PROJECT, against, run_school, told
from examples.school.audience import make_audience
from examples.school.impressions import Feed
from examples.school.options import Options
from examples.school.seen import Seen
from pipeline.config.job import JobConfig
from pipeline.config.load import load_job
from pipeline.days import Day
from pipeline.evaluation.metrics import auc

MODELS = ("pooled", "din", "gru", "bgru", "dien")
EFFECTS = frozenset({"exposures", "turns"})
MEASURE = "auc"
READ = ("ad", "ad_location", "seen_locations", "seen_outcomes")


def job(models: Sequence[str]) -> JobConfig:
    """The production job with an experiment a model, all of which read the exposures of earlier days alone."""
    settings = load_job("ads", PROJECT / "conf" / "quality").model_dump(mode="json", by_alias=True, exclude_unset=True)
    settings["features"] = {name: settings["features"][name] for name in ("user", *READ)}
    settings["features"]["user"]["input"] = False
    for name in READ[2:]:
        settings["features"][name]["steps"] = 10  # as far back as the law looks
    settings["spaces"] = {name: settings["spaces"][name] for name in ("user", "ad", "location_ad", "outcome")}
    settings["impressions"]["history_parts"] = ["row.location_ad"]
    del settings["values"]
    settings["experiments"] = {name: experiment(name) for name in models}
    settings["release"]["champion"] = models[0]
    return JobConfig.model_validate(settings)


def experiment(model: str) -> dict[str, Any]:
    options: dict[str, Any] = {"units": [32, 16]}
    if model == "din":
        options["attention_units"] = [40]
    elif model == "dien":
        options["encoder"] = {"attention_units": [40]}
    return {
        "model": model, "loss": "binary", "dim": 8, "batch": 32, "learning_rate": 0.005, "compile": "graph",
        "options": options,
    }  # fmt: skip


def perfect(school: Options, since: Day) -> float:
    """What a perfect model would have: the mean over the days from ``since`` of the AUC of the law's own log-odds."""
    audience = make_audience(school)
    feed, seen = Feed(school, audience), Seen(school, audience)
    users, ads = np.argsort(audience.users.user_id), np.argsort(audience.ads.ad_id)
    found = []
    for day in school.this_year:
        rows = pa.concat_tables([each for each, _ in feed.impressions(day)])
        columns = [rows[name].to_numpy().astype(np.int64) for name in ("user_id", "ad_id", "is_click")]
        user = users[np.searchsorted(audience.users.user_id[users], columns[0])]
        ad = ads[np.searchsorted(audience.ads.ad_id[ads], columns[1])]
        told = audience.click_chance(user, ad, np.zeros(len(user), dtype=bool), seen.log_odds(user, ad))
        if day >= since:
            found.append(auc(columns[2], told))
        seen.remember(user, ad, columns[2].astype(bool))
    return float(np.mean(found))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--days", type=int, default=12)
    parser.add_argument("--impressions", type=int, default=5000, help="a day (default %(default)s)")
    parser.add_argument("--models", nargs="+", default=MODELS, help="(default %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for title, effects in (("planted", EFFECTS), ("not planted", frozenset[str]())):
        school = Options(
            FIRST, days=given.days, users=800, ads=120, impressions=given.impressions, click_rate=0.4, effects=effects,
            dirty=0, seed=given.seed,
        )  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="order-") as folder:
            trained = run_school(school, job(given.models), Path(folder))
            since = FIRST.plus(given.days // 2)
            print(f"{title}: a perfect model has {perfect(school, since):.3f}")
            for number, model in enumerate(given.models[1:]):
                before = given.models[min(number, 1)]
                standing = against([trained], before, model, MEASURE, since=since)
                print(f"  {before} -> {model}: {told(standing, MEASURE)}", flush=True)


if __name__ == "__main__":
    main()
