"""Members of different features behind one signature, in which each reads its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from models.engine.engine import configure
from models.export.blend import BlendModule
from models.export.serving_module import ServingModule
from models.outputs import Outputs
from models.schema import Feature, FeatureSchema, Kind, Side
from models.tasks import Task

configure(2)  # the threads of the jobs' settings, whichever test starts TensorFlow
AD, HEAT = Feature("ad", Kind.CATEGORICAL, Side.ITEM, "ad"), Feature("heat", Kind.DENSE, Side.ITEM)
TASKS = (Task("click"), Task("view"))


class Sum(ServingModule):
    """The sum of all values, for one task; as much and one, for the other."""

    def answer(self, index: Mapping[str, tf.Tensor], dense: Mapping[str, tf.Tensor]) -> Outputs:
        values = [tf.cast(each, tf.float32) for each in index.values()] + [each[..., 0] for each in dense.values()]
        total = tf.add_n(values)
        return Outputs({"click": total, "view": total + 1.0}, {}, {})


def test_each_member_reads_its_own_and_ids_are_looked_up_once(tmp_path: Path) -> None:
    """The ids 70 and 80 have the indices 2 and 3. click: 2/4 · index + heat + 1; view: index + 1."""
    schema, kinds = FeatureSchema((AD, HEAT), {"ad": "int"}), {"ad": "int"}
    members = [Sum(schema.subset({name}), TASKS, kinds if name == "ad" else {}, Sum) for name in ("ad", "heat")]
    module = BlendModule(schema, TASKS, kinds, members)
    module.take({"click": np.array([0.5, 1, 1], np.float32), "view": np.array([1, 0, 0], np.float32)})
    module.write(tmp_path / "first", {"ad": 4}, {"ad": ("int", np.array([70, 80]))}, {"job": "ads"})
    assert [each.ids for each in members] == [{}, {}]
    module.take({"click": np.array([0, 1, 0], np.float32), "view": np.array([1, 0, 0], np.float32)})
    module.write(tmp_path / "second", {"ad": 3}, {"ad": ("int", np.array([70, 80]))}, {"job": "ads"})
    asked = {"ad": tf.constant([[70, 80]], tf.int64), "heat": tf.constant([[[10.0], [20.0]]])}
    for name, click, view in (("first", [12, 22.5], [3, 4]), ("second", [10, 20], [3, 2])):
        answer = tf.saved_model.load(str(tmp_path / name)).signatures["serving_default"](**asked)
        assert answer["click/logit"].numpy().tolist() == [click]
        assert answer["view/logit"].numpy().tolist() == [view]
        assert answer["logit"].numpy().tolist() == [click]
