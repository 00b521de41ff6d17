"""Checks exported models where nothing of the project can be imported; started by path with ``python -I``.

One JSON line in names the files of a model, one JSON line out gives the figures. The process lives as long as its
parent, so that many days pay once for importing TensorFlow, and for each graph: models that differ only in their
variables are one graph, into which those of each are read.
"""

from __future__ import annotations

import ctypes
import gc
import hashlib
import importlib.util
import json
import os
import signal
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_PR_SET_PDEATHSIG = 1
_GRAPHS = 20
"""That many are kept, those used last."""
_VARIABLES = "variables"
_EXTRA = "assets.extra"
"""Files that lie beside a model and are not read by it: what TensorFlow Serving warms up with."""


def die_with_parent(parent: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before this line
        os._exit(1)


def start_tensorflow() -> None:
    """Import it without looking for garbage, nor ever later among what that made; each check ends with a look."""
    gc.disable()
    import tensorflow as tf

    # Each graph is called a few times only: to optimise it would take longer than the calls.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    gc.freeze()


def read_arrays(path: str) -> dict[str, Any]:
    import numpy as np

    with np.load(path, allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def tensors(arrays: dict[str, Any], signature: Any) -> dict[str, Any]:
    """The arrays that the signature takes."""
    import tensorflow as tf

    wanted = signature.structured_input_signature[1]
    missing = sorted(set(wanted) - set(arrays))
    if missing:
        raise ValueError(f"golden rows lack the input '{missing[0]}'")
    found = {}
    for name, spec in wanted.items():
        array = arrays[name]
        if spec.dtype == tf.string:
            array = array.astype(object)
        found[name] = tf.constant(array, spec.dtype)
    return found


def compared(found: Any, expected: Any) -> tuple[float, float, int]:
    """Largest difference of finite expected values, absolute and relative to max(|expected|, 1); infinite for NaN."""
    import numpy as np

    judged = ~np.isnan(expected)
    difference = np.abs(found[judged].astype(np.float64) - expected[judged].astype(np.float64))
    difference[np.isnan(difference)] = np.inf
    relative = difference / np.maximum(np.abs(expected[judged].astype(np.float64)), 1.0)
    return float(difference.max(initial=0.0)), float(relative.max(initial=0.0)), int(judged.sum())


def furthest(answer: Mapping[str, Any], expected: Mapping[str, Any]) -> tuple[float, float, int]:
    """The largest differences of a probability, and relative of a logit, of any task, and the values compared of one.

    An answer that a model does not give is infinitely far away.
    """
    probability, logit, rows = 0.0, 0.0, 0
    for name, values in expected.items():
        kind = name.rpartition("/")[2]
        if kind not in ("probability", "logit"):
            continue
        given = answer[name].numpy() if name in answer else values * float("nan")
        absolute, relative, rows = compared(given, values)
        if kind == "logit":
            logit = max(logit, relative)
        else:
            probability = max(probability, absolute)
    return probability, logit, rows


def spread(scores: Any) -> float:
    import numpy as np

    scores = scores[~np.isnan(scores)]
    return float(np.std(scores, dtype=np.float64)) if len(scores) else 0.0


def graph_digest(model: Path) -> str:
    """Of all that a SavedModel is read from but its variables: every other file, by name and content."""
    digest = hashlib.sha256()
    for path in sorted(model.rglob("*")):
        name = path.relative_to(model)
        if path.is_file() and name.parts[0] not in (_VARIABLES, _EXTRA):
            data = path.read_bytes()
            digest.update(f"{name.as_posix()} {len(data)}\n".encode() + data)
    return digest.hexdigest()


class Models:
    """SavedModels by their graphs."""

    def __init__(self) -> None:
        self._by_graph: dict[str, Any] = {}

    def load(self, folder: Path, *, whole: bool) -> tuple[Any, bool]:
        """The model of a folder, and whether it was loaded whole, as it is if its graph is not known yet."""
        import tensorflow as tf

        graph = graph_digest(folder)
        # Out of the dict until all of it is replaced: one that is half of another day is nobody's.
        model = self._by_graph.pop(graph, None)
        whole = whole or model is None or not _read_variables(model, folder)
        if whole:
            model = tf.saved_model.load(str(folder))
        self._by_graph[graph] = model
        if len(self._by_graph) > _GRAPHS:
            del self._by_graph[next(iter(self._by_graph))]
        return model, whole


def _read_variables(model: Any, folder: Path) -> bool:
    """Replace every variable and every table of a loaded model by a folder's; false if they are not its like."""
    import tensorflow as tf

    try:
        found = tf.train.Checkpoint(root=model).read(str(folder / _VARIABLES / _VARIABLES))
        found.assert_consumed()
    except (tf.errors.OpError, AssertionError, ValueError):
        return False  # loaded whole, it is said what is wrong with them
    return True


def check(job: dict[str, Any], models: Models) -> dict[str, Any]:
    """Figures of the model that a job names; see ``Checker.check``."""
    model, whole = models.load(Path(job["model"]), whole=job.get("whole", False))
    serve, unknown = model.signatures["serving_default"], model.signatures["unknown"]
    expected = read_arrays(job["outputs"])
    golden = read_arrays(job["inputs"])
    probability, logit, rows = furthest(serve(**tensors(golden, serve)), expected)
    # As a service asks: a request of whom little is known has no others beside it that more is known of.
    for place in expected["special"].nonzero()[0]:
        alone = {name: values[place : place + 1] for name, values in golden.items()}
        of_one = {name: values[place : place + 1] for name, values in expected.items() if name != "special"}
        differences = furthest(serve(**tensors(alone, serve)), of_one)
        probability, logit = max(probability, differences[0]), max(logit, differences[1])
    figures: dict[str, Any] = {
        "rows": rows, "probability_difference": probability, "logit_difference": logit,
        "trainer_spread": spread(expected["logit"]), "loaded": "whole" if whole else "variables",
        "made_of": json.loads(model.signatures["describe"]()["metadata"].numpy()).get("checkpoint"),
    }  # fmt: skip
    if job.get("candidates"):
        arrays = read_arrays(job["candidates"])
        inputs = tensors(arrays, serve)
        figures["spread"] = spread(serve(**inputs)["logit"].numpy().ravel())
        shares = unknown(**tensors(arrays, unknown))
        figures["unknown"] = {name: float(shares[name]) for name in job["fields"] if name in shares}
        figures["candidates"] = job["count"]
    return figures


def main() -> None:
    die_with_parent(int(sys.argv[1]))
    # TensorFlow may print to the standard output; the answers go where nobody else writes.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    importable = [name for name in ("pipeline", "models") if importlib.util.find_spec(name) is not None]
    start_tensorflow()
    models = Models()
    for line in sys.stdin:
        try:
            answer = {**check(json.loads(line), models), "importable": importable}
        except Exception as error:  # any failure to load or score is the answer
            answer = {"error": f"{type(error).__name__}: {error}", "traceback": traceback.format_exc()}
        gc.collect()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
