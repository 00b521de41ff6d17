"""The tests' tree is the code's: a test file a module, at the module's path."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tests.tiny import PROJECT

ROOMS = ("pipeline", "models")
"""Every module here has a test file; of what else stands in ``tests/unit`` each file mirrors something too."""
TREES = ("unit", "integration")
"""In ``integration``, what takes a trained job or a server."""
_DECLARED, _KIND = "declarations alone", "chooses by kind; each kind is tested"
_LINE = "one call of many parts, tested in the line: tests/integration"
_RECALL = "tests/integration/test_recall.py"
_TRAINERS = "tests/integration/test_trainers.py"
_BUILT = "tested with what is built of it"
UNTESTED = {
    "models/encoders/registry.py": "tests/unit/models/zoo/test_base.py",
    "models/export/counts.py": "tests/unit/pipeline/training/test_counting_trainer.py",
    "models/export/trees.py": "tests/unit/pipeline/training/test_tree_trainer.py",
    "models/export/serving_module.py": "tests/unit/models/export/test_saved_model.py",
    "models/export/towers.py": "tests/unit/models/export/test_saved_model.py",
    "models/tasks.py": _DECLARED,
    "models/zoo/bgru.py": "tests/unit/models/zoo/test_gru.py",
    "models/zoo/gbdt.py": "tests/unit/models/zoo/test_boosted.py",
    "models/zoo/gbdt_lr.py": "tests/unit/models/zoo/test_boosted.py",
    "models/zoo/lambdarank.py": "tests/unit/models/zoo/test_boosted.py",
    "pipeline/__main__.py": "run in a process of its own, by many",
    "pipeline/cli/asked.py": _DECLARED,
    "pipeline/cli/embed_items.py": _RECALL,
    "pipeline/cli/measure_recall.py": _RECALL,
    "pipeline/stages/embed_items.py": _RECALL,
    "pipeline/training/item_vectors.py": _RECALL,
    "pipeline/cli/growth.py": "tests/integration/pipeline/training/test_growth_ahead.py",
    "pipeline/cli/recommend_homework.py": "tests/integration/pipeline/serving/test_online_reader.py",
    "pipeline/cli/recommend_impressions.py": "tests/integration/pipeline/cli/test_recommend.py",
    "pipeline/config/alerts.py": _DECLARED,
    "pipeline/config/bins.py": _DECLARED,
    "pipeline/config/retention.py": _DECLARED,
    "pipeline/training/boosting.py": "tests/unit/pipeline/training/test_tree_trainer.py",
    "pipeline/engines/engine.py": "tests/unit/pipeline/engines/test_local.py",
    "pipeline/engines/open.py": _KIND,
    "pipeline/training/keras_trainer.py": "tests/unit/pipeline/training/test_day_training.py",
    "pipeline/training/train.py": _LINE,
    "pipeline/training/trainer_process.py": _TRAINERS,
    "pipeline/training/trainer_processes.py": _TRAINERS,
    "pipeline/cli/trainer.py": _TRAINERS,
    "models/engine/exchange.py": _TRAINERS,
    "pipeline/features/built_parts.py": "tests/unit/pipeline/features/test_grown_parts.py",
    "pipeline/evaluation/kept_range.py": "tests/integration/pipeline/cli/test_evaluate.py",
    "pipeline/evaluation/next_day.py": _LINE,
    "pipeline/features/arrays/candidates.py": _BUILT,
    "pipeline/features/arrays/growth.py": _KIND,
    "pipeline/features/arrays/kinds.py": _KIND,
    "pipeline/features/arrays/request.py": _KIND,
    "pipeline/features/plan/request.py": _KIND,
    "pipeline/features/rows/kinds.py": _KIND,
    "pipeline/features/rows/whole_day.py": _DECLARED,
    "pipeline/features/state/events.py": _DECLARED,
    "pipeline/features/state/request.py": _KIND,
    "pipeline/release/contents/known_ids.py": _BUILT,
    "pipeline/release/contents/labelled.py": "tests/integration/test_labelled_rows.py",
    "pipeline/serving/batch/kept_release.py": "tests/integration/test_labelled_serving.py",
    "pipeline/serving/batch/open_release.py": "tests/integration/test_labelled_serving.py",
    "pipeline/serving/batch/predict.py": "tests/integration/test_labelled_serving.py",
    "pipeline/serving/frame_ids.py": _BUILT,
    "pipeline/serving/known_items.py": _BUILT,
    "pipeline/serving/known_release.py": _BUILT,
    "models/inputs.py": _DECLARED,
}
"""Modules without a test file of their own: why, or where they are tested."""
OF_ALL = ["tests/unit/models/test_golden.py"]
"""Tests of many modules at once: of every layer and model that there are golden numbers of."""


def modules() -> Iterator[Path]:
    for room in ROOMS:
        for path in (PROJECT / room).rglob("*.py"):
            if path.name != "__init__.py":
                yield path.relative_to(PROJECT)


def mirror(module: Path) -> Path:
    return module.parent / f"test_{module.stem.strip('_')}.py"


def test_every_module_has_a_test_file_at_its_path() -> None:
    without = {
        module.as_posix()
        for module in modules()
        if not any((PROJECT / "tests" / tree / mirror(module)).is_file() for tree in TREES)
    }
    assert sorted(without - set(UNTESTED)) == [], "no test file at the path of these modules"
    assert sorted(set(UNTESTED) - without) == [], "these have one by now, or are gone"


def test_every_unit_test_stands_at_the_path_of_what_it_tests() -> None:
    """Of a module, a package, a folder or a script."""
    strays = []
    for path in (PROJECT / "tests" / "unit").rglob("test_*.py"):
        place = PROJECT / path.relative_to(PROJECT / "tests" / "unit").parent
        name = path.stem.removeprefix("test_")
        wanted = (f"{name}.py", f"__{name}__.py", f"{name}.sh", name)
        if not any((place / each).exists() for each in wanted):
            strays.append(path.relative_to(PROJECT).as_posix())
    assert sorted(strays) == OF_ALL


def test_no_test_file_is_imported_by_another() -> None:
    importing = [
        path.relative_to(PROJECT).as_posix()
        for path in (PROJECT / "tests").rglob("*.py")
        if any(
            line.startswith(("from tests.", "import tests.")) and ".test_" in line.partition(" import ")[0]
            for line in path.read_text(encoding="utf-8").splitlines()
        )
    ]
    assert importing == []
