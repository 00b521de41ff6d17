"""Grids are expanded to the experiments that one would write by hand, and what is wrong in one is told clearly."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.config.experiment import Experiment
from pipeline.config.grids import MOST, expanded
from pipeline.config.load import parse_job
from pipeline.config.yaml_loader import read
from tests.unit.pipeline.config.edited import edited, error

FILL = """
fill:
  settings: {loss: binary, options: {units: [8]}}
  axes:
    model: [pooled, din]
    options.pooling: [mean, sum, null]
    dim: [4, 8]
  exclude:
    - {model: din, options.pooling: [mean, sum]}
    - {model: pooled, options.pooling: null}
"""


def grids(text: str, **experiments: Any) -> dict[str, Any]:
    """A job's settings with the grids of a YAML, expanded."""
    return expanded({"grids": read(text), "experiments": experiments}, Experiment.model_fields)


def test_a_grid_is_the_product_of_its_axes_without_what_is_excluded() -> None:
    found = grids(FILL, pooled={"model": "pooled"})
    assert found["grids"] == {
        "fill": ["fill_pooled_mean_4", "fill_pooled_mean_8", "fill_pooled_sum_4", "fill_pooled_sum_8", "fill_din_4",
                 "fill_din_8"]
    }  # fmt: skip
    assert list(found["experiments"]) == ["pooled", *found["grids"]["fill"]], "those written by hand come first"
    assert found["experiments"]["pooled"] == {"model": "pooled"}
    assert found["experiments"]["fill_pooled_sum_8"] == {
        "loss": "binary", "options": {"units": [8], "pooling": "sum"}, "model": "pooled", "dim": 8,
    }  # fmt: skip
    # null leaves a setting out.
    assert found["experiments"]["fill_din_4"] == {"loss": "binary", "options": {"units": [8]}, "model": "din", "dim": 4}


@pytest.mark.parametrize(
    ("axes", "name", "names"),
    [
        ("{learning_rate: [1e-3, 0.01]}", "null", ["g_1e_3", "g_0_01"]),
        ("{learning_rate: [1e-3, 0.01]}", "'lr_{learning_rate}'", ["lr_1e_3", "lr_0_01"]),
        ("{options.units: [[8], [16, 8]]}", "'{grid}_{units}'", ["g_8", "g_16_8"]),
        ("{options.units: [[8], [16, 8]]}", "'u{options.units}'", ["u8", "u16_8"]),
        ("{replay: [off, new], dim: [2]}", "'{replay}_{dim}'", ["off_2", "new_2"]),
        ("{options.dropout: [null, 0.5]}", "'net_{dropout}'", ["net", "net_0_5"]),
        ("{dims.user: [4], dims.ad: [2]}", "null", ["g_4_2"]),
    ],
)
def test_names_are_made_of_the_values_as_they_are_written(axes: str, name: str, names: list[str]) -> None:
    assert grids(f"g: {{axes: {axes}, name: {name}}}")["grids"] == {"g": names}


def test_the_encoder_of_one_history_and_the_optimiser_of_one_table_are_axes(ads: str) -> None:
    grid = """
read:
  settings: {loss: binary, model: pooled, optimizer: {dense: {type: adam}}}
  axes: {options.encoders.clicked_ads.type: [pooled, din], optimizer.tables: [{type: lazy_adam}, {type: adagrad}]}
  name: "{options.encoders.clicked_ads.type}_{tables}"
"""
    config = parse_job(edited(ads, grids=yaml.safe_load(grid)), Path("conf/ads.yaml"))
    assert config.grids["read"] == (
        "pooled_type_lazy_adam", "pooled_type_adagrad", "din_type_lazy_adam", "din_type_adagrad",
    )  # fmt: skip
    last = config.experiments["din_type_adagrad"]
    assert last.options == {"encoders": {"clicked_ads": {"type": "din"}}}
    assert last.optimizer == {"dense": {"type": "adam"}, "tables": {"type": "adagrad"}}


def test_several_parts_of_one_setting() -> None:
    found = grids("g: {settings: {dims: {hour: 1}}, axes: {dims.user: [4], options.tower.units: [[3]]}, name: one}")
    assert found["experiments"]["one"] == {"dims": {"hour": 1, "user": 4}, "options": {"tower": {"units": [3]}}}


WRONG: dict[str, tuple[str, str]] = {
    "no grids": ("[]", "grids: is not a mapping"),
    "no grid": ("{g: 3}", "grids.g: is not a mapping"),
    "an unknown part": ("{g: {axis: {dim: [2]}}}", "grids.g.axis: no such setting of a grid; one of name, settings"),
    "no axes": ("{g: {settings: {model: din}}}", "grids.g.axes: a grid has none"),
    "no values": ("{g: {axes: {dim: []}}}", "grids.g.axes.dim: an axis is a list of values, one at least"),
    "one value": ("{g: {axes: {dim: 3}}}", "grids.g.axes.dim: an axis is a list of values"),
    "a value twice": ("{g: {axes: {dim: [3, 4, 3]}}}", "grids.g.axes.dim: 3 stands twice"),
    "an unknown axis": (
        "{g: {axes: {learnin_rate: [3]}}}",
        "grids.g.axes.learnin_rate: no such setting of an experiment (is 'learning_rate' meant?); one of mo",
    ),
    "a part of what has none": ("{g: {axes: {model.x: [3]}}}", "grids.g.axes.model.x: 'model' has no parts; only op"),
    "two axes of one setting": (
        "{g: {axes: {options: [{a: 1}], options.a: [1]}}}", "grids.g.axes.options.a: the axis 'options' sets it too",
    ),
    "an axis that is given": (
        "{g: {settings: {options: {a: 1}}, axes: {options.a: [1]}}}", "grids.g.axes.options.a: `settings` gives it too",
    ),
    "an axis into what is no mapping": (
        "{g: {settings: {options: 5}, axes: {options.units: [[8], [4]]}}}",
        "grids.g.settings.options: 5 is not a mapping, and an axis is a part of it",
    ),
    "settings of a word": ("{g: {settings: word, axes: {dim: [1]}}}", "grids.g.settings: is not a mapping"),
    "names that collide": (
        "{g: {axes: {dim: [1], batch: [2, 3]}, name: 'dim_{dim}'}}",
        "grids.g: 'dim_1' is the name of another of it too; let `name` tell them apart",
    ),
    "the name of one by hand": (
        "{g: {axes: {dim: [1]}, name: by_hand}}", "grids.g: 'by_hand' is the name of one of experiments too",
    ),
    "the name of another grid's": (
        "{g: {axes: {dim: [1]}, name: same}, h: {axes: {dim: [2]}, name: same}}",
        "grids.h: 'same' is the name of one of grids.g too",
    ),
    "a name that is none": ("{g: {axes: {dim: [1]}, name: '{dim}'}}", "grids.g.name: makes '1', which must be lower"),
    "an unknown place": (
        "{g: {axes: {dim: [1], batch: [2]}, name: '{size}'}}", "grids.g.name: {size} names no axis; there are dim",
    ),
    "a place of two": (
        "{g: {axes: {dims.a: [1], options.a: [2]}, name: '{a}'}}", "grids.g.name: {a} may be dims.a or options.a;",
    ),
    "exclude is no list": ("{g: {axes: {dim: [1]}, exclude: {dim: 1}}}", "grids.g.exclude: is not a list"),
    "an exclusion of nothing": ("{g: {axes: {dim: [1]}, exclude: [{}]}}", "grids.g.exclude.0: is not a mapping"),
    "an exclusion of no axis": (
        "{g: {axes: {dim: [1]}, exclude: [{batch: 1}]}}", "grids.g.exclude.0: 'batch' is no axis of the grid;",
    ),
    "an exclusion of no value": (
        "{g: {axes: {dim: [1, 2]}, exclude: [{dim: 3}]}}", "grids.g.exclude.0.dim: 3 is no value of the axis; it has",
    ),
    "an exclusion that excludes nothing": (
        "{g: {axes: {dim: [1, 2]}, exclude: [{dim: 1}, {dim: []}]}}", "grids.g.exclude.1: excludes nothing",
    ),
    "an empty grid": (
        "{g: {axes: {dim: [1, 2]}, exclude: [{dim: [1, 2]}]}}", "grids.g.exclude: nothing is left of its 2 comb",
    ),
    "too many": (
        f"{{g: {{axes: {{dim: {list(range(1, 9))}, batch: {list(range(1, 9))}}}}}}}",
        f"grids: 65 experiments, and {MOST} are the most that a job may have",
    ),
    "far too many": (
        f"{{g: {{axes: {{dim: {list(range(101))}, batch: {list(range(101))}}}}}}}",
        "grids.g.axes: 10,201 combinations, far more than the 64 that a job may have",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_in_a_grid_is_told(case: str) -> None:
    text, message = WRONG[case]
    with pytest.raises(ValueError, match="^" + re.escape(message)):
        grids(text, by_hand={})


def test_a_grids_experiment_is_the_one_that_is_written_by_hand(ads: str) -> None:
    grid = {
        "lr": {
            "settings": {"loss": "binary", "options": {"units": [8]}}, "name": "rate_{learning_rate}",
            "axes": {"model": ["pooled"], "learning_rate": [0.01, 0.1]},
        }
    }  # fmt: skip
    by_grid = parse_job(edited(ads, grids=grid), Path("conf/ads.yaml"))
    settings = {"model": "pooled", "loss": "binary", "options": {"units": [8]}}
    rates = {
        f"experiments__rate_0_{digits}": {**settings, "learning_rate": float(f"0.{digits}")} for digits in ("01", "1")
    }
    by_hand = parse_job(edited(ads, **rates), Path("conf/ads.yaml"))
    assert by_grid.grids == {"lr": ("rate_0_01", "rate_0_1")}
    assert by_hand.grids == {}
    assert list(by_grid.experiments) == list(by_hand.experiments)
    for stage in ("build_features", "train", "test", "gate"):
        for name in by_hand.experiments:
            assert by_grid.stage_settings(stage, name) == by_hand.stage_settings(stage, name)
    # Whatever is stored of the settings says nothing of where an experiment came from.
    assert by_grid.model_dump_json() == by_hand.model_dump_json()


def test_a_wrong_value_names_the_experiment_and_its_grid(ads: str) -> None:
    grid = {"wide": {"settings": {"model": "pooled", "loss": "binary"}, "axes": {"dim": [4, 4000]}}}
    message = error(edited(ads, grids=grid))
    assert message.startswith("conf/ads.yaml: experiments.wide_4000.dim (of grids.wide): ")
    assert "4000" in message
    # What no single value shows is told as of an experiment written by hand.
    grid["wide"] = {"settings": {"model": "pooled", "loss": "softmax"}, "axes": {"dim": [4]}}
    assert error(edited(ads, grids=grid)).startswith("conf/ads.yaml: experiments.wide_4.loss: ")


def test_mistakes_in_a_grid_name_the_file(ads: str) -> None:
    message = error(edited(ads, grids={"g": {"axes": {"dimm": [4]}}}))
    assert message.startswith("conf/ads.yaml: grids.g.axes.dimm: no such setting of an experiment (is 'dim")
