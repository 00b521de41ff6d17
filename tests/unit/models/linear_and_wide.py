"""A model with two tables a space, one of them of width 1: a linear part beside a pooled one."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.inputs import ModelInputs
from models.outputs import Outputs
from models.schema import FeatureSchema, Kind
from models.tables import TableSpec, one_per_space
from models.zoo.pooled import Pooled, PooledOptions

NAME = "linear_and_wide_for_tests"


class LinearAndWide(Pooled):
    """What ``pooled`` scores, and the sum of one number an item's id."""

    def __init__(self, schema: FeatureSchema, options: PooledOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks)
        self.linear = [f for f in schema.features if f.kind is Kind.CATEGORICAL and f.name == "style"]

    def tables(self, dims: Mapping[str, int]) -> tuple[TableSpec, ...]:
        linear = TableSpec("linear.style", "style", 1, tuple(f.name for f in self.linear), "linear", "zeros")
        return (*one_per_space(self.schema, dims), linear)

    def call(self, inputs: ModelInputs, training: bool = False) -> Outputs:
        first = [tf.squeeze(inputs.roles["linear"][f.name], axis=-1) for f in self.linear]
        wide = super().call(inputs, training)
        return Outputs({task: logit + tf.add_n(first) for task, logit in wide.logits.items()}, {}, {})
