"""What a blend may be made of."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config.load import parse_job
from tests.unit.pipeline.config.edited import ROOT, edited, error


def blend(ads: str, experiments: dict[str, Any], **options: Any) -> str:
    given = yaml.safe_load(ads)["experiments"]
    both = {"model": "blend", "options": {"of": ["din", "pooled"], **options}}
    return edited(ads, experiments={**given, "both": both, **experiments})


def test_a_blend_is_asked_and_fed_what_its_members_are(ads: str) -> None:
    text = blend(ads, {"few": {"model": "pooled", "loss": "binary", "only": ["user", "ad"]}}, of=["few", "din"])
    config = parse_job(text, Path("ads.yaml"))
    assert config.experiments["both"].members == ("few", "din")
    assert config.tasks_of("both") == config.tasks_of("din")
    assert config.inputs("both") == config.inputs("din") | config.inputs("few")
    assert config.in_training_order(["both", "few", "din"]) == ["few", "din", "both"]
    assert config.stage_settings("train", "din") == parse_job(ads, Path("ads.yaml")).stage_settings("train", "din")


@pytest.mark.parametrize(
    ("options", "others", "message"),
    [
        ({"of": "din"}, {}, "experiments.both.options.of: 'din' is no list; name the experiments that it is made of"),
        ({"of": ["din"]}, {}, "experiments.both.options.of: ['din'] are not two or more that differ"),
        ({"of": ["din", "din"]}, {}, "['din', 'din'] are not two or more that differ"),
        ({"of": ["din", "dim"]}, {}, "experiments.both.options.of: 'dim' is not an experiment; one of pooled, din"),
        ({"of": ["din", "both"]}, {}, "'both' is a blend itself; name its members instead"),
        ({}, {"more": {"model": "blend", "options": {"of": ["both", "din"]}}}, "'both' is a blend itself"),
        ({}, {"both": {"model": "blend", "options": {"of": ["din", "pooled"]}, "loss": "binary"}},
         "experiments.both.loss: would have no effect: a blend is asked, fed and trained as its members are"),
        ({"of": ["din", "late"]}, {"late": {"model": "pooled", "loss": "binary", "start": "2024-03-05"}},
         "experiments.both.start: 2024-03-04 is before the start of its member 'late', 2024-03-05"),
        ({"of": ["a", "b"]}, {name: {"model": "pooled", "loss": "binary", "seed": 3} for name in "ab"},
         "'a' and 'b' have the same settings and `seed`"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_what_is_allowed(
    ads: str, options: dict[str, Any], others: dict[str, Any], message: str
) -> None:
    assert message in error(edited(blend(ads, others, **options), start="2024-03-04"))


def test_members_are_asked_the_same() -> None:
    text = (ROOT / "conf" / "homework.yaml").read_text(encoding="utf-8")
    given = yaml.safe_load(text)["experiments"]
    given["din"]["loss"], given["pooled"]["loss"] = "softmax", "binary"
    given |= {"both": {"model": "blend", "options": {"of": ["din", "pooled"]}}}
    found = error(edited(text, experiments=given))
    assert "experiments.both.options.of: 'pooled' is asked label (binary), 'din' label (softmax); logits are" in found
