"""GateNet: a network over gated fields, whose hidden layers have gates too."""

from __future__ import annotations

from dataclasses import replace

import keras
import tensorflow as tf
from pydantic import Field

from models.interactions.gates import EmbeddingGate, EmbeddingGates, HiddenGate
from models.layers.hidden import Hidden
from models.layers.tower import Tower
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import RankingOptions
from models.zoo.fields import FieldModel, Fields
from models.zoo.ranking import idle_without_layers


class GateDnnOptions(RankingOptions):
    """Options of :class:`GateDnn`."""

    embedding_gate: EmbeddingGates | None = Field(
        "vector",
        description="how much of a field goes on: a number by a vector of its own, a number a value (`bit`) by a "
        "matrix of its own, or by one `shared` matrix; none: all of it",
    )
    hidden_gate: bool = Field(True, description="also a gate after each hidden layer")


@register("gate_dnn")
class GateDnn(FieldModel):
    """A network over gated fields and, ungated, over dense values; after each hidden layer another gate."""

    Options = GateDnnOptions
    paper = "Huang et al., GateNet: Gating-Enhanced Deep Network for Click-Through Rate Prediction, 2020"
    has_linear = False
    embeds_dense = False

    def __init__(self, schema: FeatureSchema, options: GateDnnOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="gate_dnn")
        if options.embedding_gate:
            self.gate = EmbeddingGate(options.embedding_gate, name="gate")
        self.hidden = [
            Hidden((n,), options.activation, options.dropout, name=f"hidden_{i + 1}")
            for i, n in enumerate(options.units)
        ]
        self.hidden_gates = [
            HiddenGate(name=f"hidden_gate_{i + 1}") for i in range(len(options.units) if options.hidden_gate else 0)
        ]
        self.head = Tower((), "linear", scores=len(tasks), name="head")

    def logits(self, fields: Fields, training: bool) -> tf.Tensor:
        if self.options.embedding_gate:
            self.gate.reads = tuple((name, 1) for name in fields.names)
            request, item = self.gate(fields.request, fields.item)
            fields = replace(fields, request=request, item=item)
        of_request, hidden, reads = fields.flat()
        for place, layer in enumerate(self.hidden):
            hidden = layer.reading(reads)(of_request, hidden, training=training)
            if self.hidden_gates:
                hidden = self.hidden_gates[place](hidden)
            of_request, reads = of_request[:, :0], ()
        self.head.reads = reads
        return self.head(of_request, hidden)

    @property
    def output_bias(self) -> keras.Variable:
        return self.head.output_bias

    def idle_options(self) -> dict[str, str]:
        idle = super().idle_options() | idle_without_layers(self.options)
        return idle if self.options.units else idle | {"hidden_gate": idle["activation"]}
