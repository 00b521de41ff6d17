"""Further settings of a job differ from its own in what they are there for alone, so that figures can be compared."""

from __future__ import annotations

import pytest

from models.engine.engine import configure
from models.schema import Kind
from pipeline.cli.checks import check_models
from pipeline.config.experiment import Experiment
from pipeline.config.load import load_job
from tests.tiny import PROJECT

configure(2)

CONF = PROJECT / "examples" / "conf"


def test_the_job_without_counters_is_the_job_less_its_counters() -> None:
    whole, without = load_job("homework", CONF), load_job("homework", CONF / "no-counters")
    counters = [name for name, feature in whole.features.items() if feature.counter is not None]
    assert counters
    rest = {name: feature for name, feature in whole.features.items() if name not in counters}
    assert without.model_dump() == whole.model_copy(update={"features": rest}).model_dump()


def test_the_job_of_quality_is_the_job_and_more_that_is_made_of_the_feature_state() -> None:
    whole, more = load_job("homework", CONF), load_job("homework", CONF / "quality")
    added = {name: feature for name, feature in more.features.items() if name not in whole.features}
    assert all(feature.source is None for feature in added.values())
    rest = {name: feature for name, feature in more.features.items() if name not in added}
    assert rest == whole.features
    ids = {name for name in whole.inputs("din") if whole.features[name].kind.has_ids}
    assert more.inputs("counters") == whole.inputs("din")
    assert more.inputs("wide") == more.inputs("counters") | set(added)
    assert more.inputs("wide_numbers") == more.inputs("wide") - ids
    assert more.inputs("numbers") == more.inputs("simple") - ids
    assert (more.tables, more.ranking, more.history, more.spaces) == (
        whole.tables, whole.ranking, whole.history, whole.spaces,
    )  # fmt: skip


HISTORIES = [
    ("conf", "ads", {"visits"}),
    ("conf", "homework", {"lesson_chapters", "lesson_sections"}),
    ("examples/conf", "ads", {"clicked_ages", "visited_ads", "visited_authors"}),
    ("examples/conf", "homework", {"chapters", "chapter_history", "lesson_chapters", "lesson_sections"}),
]


def encoders(experiment: Experiment) -> list[str]:
    return [f"{history} {each['type']}" for history, each in experiment.options.get("encoders", {}).items()]


@pytest.mark.parametrize(("folder", "job", "added"), HISTORIES)
def test_the_jobs_of_histories_are_the_jobs_and_other_ways_of_reading_the_same(
    folder: str, job: str, added: set[str]
) -> None:
    whole, more = load_job(job, PROJECT / folder), load_job(job, PROJECT / folder / "histories")
    assert set(more.features) == set(whole.features) | added
    assert {name for name in whole.features if whole.features[name] != more.features[name]} <= {
        "clicked_ads", "clicked_authors", "chapter_history", "section_history",
    }  # fmt: skip
    assert (more.tables, more.spaces, more.ranking, more.impressions, more.history, more.replay) == (
        whole.tables, whole.spaces, whole.ranking, whole.impressions, whole.history, whole.replay,
    )  # fmt: skip
    # Of those that differ in numbers alone, one: building a model takes a second.
    kinds = {f"{each.model} {sorted(encoders(each))}": name for name, each in more.experiments.items()}
    some = {name: more.experiments[name] for name in kinds.values()}
    check_models(more.model_copy(update={"experiments": some}))


def test_the_models_of_the_examples_of_histories_can_be_compared() -> None:
    """But for how a history is cut into steps all read the same; beside them stand what has no history, and counts."""
    plain = {"pooled", "gru", "bgru", "din", "dien", "dsin", "bst", "transformer"}
    for job, sessions in (("ads", "visited_"), ("homework", "lesson_")):
        config = load_job(job, CONF / "histories")
        assert {name for name, each in config.experiments.items() if each.model == name} >= plain | {"popularity"}
        inputs = {name: frozenset(config.inputs(name)) for name in plain | {"no_histories"}}
        assert len({inputs[name] for name in plain - {"dsin"}}) == 1
        histories = inputs["pooled"] - inputs["no_histories"]
        assert inputs["pooled"] - histories == inputs["dsin"] - {name for name in inputs["dsin"] if sessions in name}
        assert len(histories) == 2


def test_the_production_jobs_of_quality_are_the_jobs_and_more() -> None:
    production = PROJECT / "conf"
    for name in ("homework", "ads"):
        whole, more = load_job(name, production), load_job(name, production / "quality")
        assert {each: more.features[each] for each in whole.features if each != "clicked_ads"} == {
            each: found for each, found in whole.features.items() if each != "clicked_ads"
        }
        assert more.tables == whole.tables
        assert (more.ranking, more.replay, more.release.gate) == (whole.ranking, whole.replay, whole.release.gate)
        assert more.release.champion == "both"


@pytest.mark.parametrize("job", ["ads", "homework"])
def test_the_jobs_of_trees_are_those_of_quality_and_more_numbers(job: str) -> None:
    """Their net sees what it sees there; trees see the numbers too."""
    whole, more = load_job(job, CONF / "quality"), load_job(job, CONF / "trees")
    added = {name: feature for name, feature in more.features.items() if name not in whole.features}
    assert all(feature.kind is Kind.DENSE or not feature.input for feature in added.values())
    assert {name: more.features[name] for name in whole.features} == whole.features
    net, same = {"ads": ("din", "counters_1"), "homework": ("wide", "wide")}[job]
    assert more.experiments[net] == whole.experiments[same].model_copy(
        update={"without": more.experiments[net].without}
    )
    assert more.inputs(net) == whole.inputs(same)
    assert more.inputs("gbdt") >= {name for name, feature in added.items() if feature.input}
    trees = {name: each for name, each in more.experiments.items() if each.model != "din"}
    blends = {name: each for name, each in trees.items() if each.members}
    assert blends
    check_models(more.model_copy(update={"experiments": {n: e for n, e in trees.items() if n not in blends}}))
