"""What the clean process finds of a model: its figures, and which of its files it reads for them."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.release.check import checker_script
from pipeline.release.check.checker_script import Models, check, compared, furthest, graph_digest, spread, tensors
from tests.unit.pipeline.release.check.small_model import CHECKPOINTS, job, save

NAN = float("nan")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models of one graph, `first` and `second` of the day after; one of `another`, which differs in a constant."""
    folder = tmp_path_factory.mktemp("saved")
    save(folder / "first")
    save(folder / "second", weight=3.0, ads=[7, 8, 9], users=["b"], checkpoint=CHECKPOINTS[1])
    save(folder / "another", factor=2.0)
    # Two programs that trace one graph may number its parts differently; an engine writes the first one's again.
    shutil.copy(folder / "first" / "saved_model.pb", folder / "second" / "saved_model.pb")
    return folder


@pytest.fixture
def model(saved: Path, tmp_path: Path) -> Path:
    """A copy of `second` that may be spoilt."""
    return Path(shutil.copytree(saved / "second", tmp_path / "model"))


def scored(loaded: Any) -> tuple[list[float], str]:
    """Its logits of an ad and a user: known on both days, on the second only, on the first only."""
    serve = loaded.signatures["serving_default"]
    asked = {"ad": np.array([[7], [9], [5]]), "user": np.array(["c", "c", "a"])}
    answer = serve(**tensors(asked, serve))["logit"].numpy().ravel().tolist()
    return answer, loaded.signatures["describe"]()["metadata"].numpy().decode()


FIRST = ([2.0, 0.0, 2.0], f'{{"checkpoint": "{CHECKPOINTS[0]}"}}')
SECOND = ([3.0, 3.0, 0.0], f'{{"checkpoint": "{CHECKPOINTS[1]}"}}')


def scores(*rows: list[float]) -> np.ndarray:
    return np.array(rows, np.float32)


def test_the_largest_difference_absolute_and_relative_to_at_least_one() -> None:
    # |0.5 − 0.25| = 0.25, of a value below 1; |8 − 10| = 2, a fifth of 10; where nothing is expected nothing counts.
    absolute, relative, rows = compared(scores([0.5, 8.0], [7.0, -3.0]), scores([0.25, 10.0], [NAN, -3.0]))
    assert (absolute, relative, rows) == (2.0, 0.25, 3)


class Answer:
    """Stands for a tensor."""

    def __init__(self, *rows: list[float]) -> None:
        self._values = scores(*rows)

    def numpy(self) -> np.ndarray:
        return self._values


def test_the_largest_difference_is_of_every_task() -> None:
    expected = {
        "logit": scores([2.0]), "view/logit": scores([4.0]), "click/logit": scores([2.0]),
        "view/probability": scores([0.5]), "special": np.array([True]),
    }  # fmt: skip
    answer = {"logit": Answer([2.0]), "click/logit": Answer([2.0]), "view/logit": Answer([3.0])}
    assert furthest(answer | {"view/probability": Answer([0.25])}, expected) == (0.25, 0.25, 1)
    assert furthest(answer, expected) == (np.inf, 0.25, 1), "an answer that is not given"


def test_a_score_that_is_no_number_differs_infinitely() -> None:
    assert compared(scores([NAN, 1.0]), scores([1.0, 1.0])) == (np.inf, np.inf, 2)


def test_nothing_to_compare_is_told_by_its_count() -> None:
    assert compared(scores([1.0]), scores([NAN])) == (0.0, 0.0, 0)


def test_the_spread_is_the_standard_deviation_of_what_there_is() -> None:
    assert spread(scores([1.0, NAN, 3.0])) == 1.0
    assert spread(scores([NAN])) == 0.0
    # In float64: a mean of many large scores loses nothing.
    assert spread(np.full(100_000, 1e4, np.float32)) == pytest.approx(0.0, abs=1e-6)


def test_a_graph_is_all_files_but_the_variables_by_name_and_content(tmp_path: Path) -> None:
    (tmp_path / "variables").mkdir()
    (tmp_path / "assets").mkdir()
    (tmp_path / "saved_model.pb").write_bytes(b"graph")
    (tmp_path / "variables" / "variables.index").write_bytes(b"1")
    known = [graph_digest(tmp_path)]
    (tmp_path / "variables" / "variables.index").write_bytes(b"2")
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "tf_serving_warmup_requests").write_bytes(b"of one day")
    assert graph_digest(tmp_path) == known[0]
    for change in (
        lambda: (tmp_path / "saved_model.pb").write_bytes(b"grapH"),
        lambda: (tmp_path / "assets" / "words").write_bytes(b"a"),
        lambda: (tmp_path / "assets" / "words").write_bytes(b"b"),
        lambda: (tmp_path / "assets" / "words").rename(tmp_path / "assets" / "terms"),
    ):
        change()
        assert graph_digest(tmp_path) not in known
        known.append(graph_digest(tmp_path))


def test_of_a_known_graph_every_variable_and_table_is_the_next_days(saved: Path) -> None:
    models = Models()
    first, whole = models.load(saved / "first", whole=False)
    assert (scored(first), whole) == (FIRST, True)
    second, whole = models.load(saved / "second", whole=False)
    assert second is first
    assert (scored(second), whole) == (SECOND, False)
    again, whole = models.load(saved / "first", whole=False)
    assert (scored(again), whole) == (FIRST, False)


def test_what_is_asked_for_whole_is_loaded_whole_and_known_from_then_on(saved: Path) -> None:
    models = Models()
    first, _ = models.load(saved / "first", whole=False)
    second, whole = models.load(saved / "second", whole=True)
    assert whole
    assert second is not first
    assert models.load(saved / "first", whole=False)[0] is second


def test_a_graph_that_differs_in_a_constant_is_another(saved: Path) -> None:
    models = Models()
    models.load(saved / "first", whole=False)
    another, whole = models.load(saved / "another", whole=False)
    assert (scored(another), whole) == (([4.0, 0.0, 4.0], FIRST[1]), True)
    assert models.load(saved / "first", whole=False)[1] is False


def test_only_so_many_graphs_are_kept_those_used_last(
    saved: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker_script, "_GRAPHS", 2)
    third = Path(shutil.copytree(saved / "first", tmp_path / "third"))
    (third / "more").write_text("of another graph")
    models = Models()
    for folder in (saved / "first", saved / "another", saved / "first", third):
        models.load(folder, whole=False)
    assert [models.load(folder, whole=False)[1] for folder in (saved / "first", third)] == [False, False]
    assert models.load(saved / "another", whole=False)[1] is True


def test_variables_that_are_damaged_are_an_error_and_the_half_read_graph_is_forgotten(saved: Path, model: Path) -> None:
    models = Models()
    models.load(saved / "first", whole=False)
    data = model / "variables" / "variables.data-00000-of-00001"
    content = bytearray(data.read_bytes())
    content[-1] ^= 1
    data.write_bytes(content)
    with pytest.raises(Exception, match=r"(?i)checksum|data loss|parse"):
        models.load(model, whole=False)
    found, whole = models.load(saved / "second", whole=False)
    assert (scored(found), whole) == (SECOND, True)


def test_variables_that_are_not_there_are_not_those_of_the_day_before(saved: Path, model: Path) -> None:
    models = Models()
    models.load(saved / "first", whole=False)
    shutil.rmtree(model / "variables")
    with pytest.raises(Exception, match="variables"):
        models.load(model, whole=False)


def test_variables_of_another_graph_are_not_read_into_this_one(saved: Path, model: Path) -> None:
    """With one that the graph lacks: loaded whole, it is TensorFlow that says whether they fit."""
    import tensorflow as tf

    models = Models()
    first, _ = models.load(saved / "first", whole=False)
    other = tf.train.Checkpoint(weight=tf.Variable(9.0), more=tf.Variable(1.0))
    other.write(str(model / "variables" / "variables"))
    with pytest.raises(AssertionError):
        models.load(model, whole=False)
    assert models.load(saved / "first", whole=False)[0] is not first


def test_the_figures_of_a_good_model(saved: Path, tmp_path: Path) -> None:
    figures = check(job(tmp_path / "job", saved / "first"), Models())
    difference = figures.pop("probability_difference")
    assert 0 <= difference < 1e-7
    assert figures == {
        "rows": 3, "logit_difference": 0.0, "trainer_spread": pytest.approx(np.std([4, 2, 0])), "loaded": "whole",
        "made_of": CHECKPOINTS[0], "spread": pytest.approx(np.std([4, 4, 4, 2])), "unknown": {"ad": 0.25},
        "candidates": 300,
    }  # fmt: skip


def test_without_candidates_there_are_figures_of_golden_rows_alone(saved: Path, tmp_path: Path) -> None:
    figures = check(job(tmp_path / "job", saved / "first", candidates=None, whole=True), Models())
    assert {"spread", "unknown", "candidates"}.isdisjoint(figures)


def test_a_made_up_row_is_asked_by_itself_too(tmp_path: Path) -> None:
    """The second, of one candidate: among others it scores 0 as it should, alone .25."""
    figures = check(job(tmp_path / "job", save(tmp_path / "model", alone=0.25), candidates=None), Models())
    assert figures["logit_difference"] == 0.25
    assert figures["probability_difference"] == pytest.approx(1 / (1 + np.exp(-0.25)) - 0.5)


def test_variables_of_the_day_before_score_otherwise_and_say_of_when_they_are(saved: Path, tmp_path: Path) -> None:
    """Golden rows are those of `first`: what stands in its place is `second`, by its variables or whole."""
    models = Models()
    asked = job(tmp_path / "job", saved / "second")
    whole = check(asked, models)
    check({**asked, "model": str(saved / "first")}, models)
    by_variables = check(asked, models)
    assert (whole.pop("loaded"), by_variables.pop("loaded")) == ("whole", "variables")
    assert by_variables == whole
    # [7, 8] of 'a', whom the second day does not know: 3, 3 instead of 4, 2; then 3 instead of 0.
    assert (whole["logit_difference"], whole["made_of"]) == (3.0, CHECKPOINTS[1])
    # 1 / (1 + e⁻³) − 1/2
    assert whole["probability_difference"] == pytest.approx(0.45257413)


def test_golden_rows_without_an_input_name_it(saved: Path, tmp_path: Path) -> None:
    asked = job(tmp_path / "job", saved / "first")
    np.savez(asked["inputs"], user=np.array(["a"]))
    with pytest.raises(ValueError, match="golden rows lack the input 'ad'"):
        check(asked, Models())
