"""A network on top of all that is read of a request and of each candidate."""

from __future__ import annotations

import keras
import tensorflow as tf

from models.architecture import joined
from models.inputs import ModelInputs
from models.layers.tower import Tower
from models.schema import FeatureSchema
from models.zoo.base import FeatureModel, Part, RankingOptions


class RankingModel(FeatureModel):
    """A network on top: ``logit = tower([request features, histories], [item and pair features, interest, interest *
    target])``; a head a task."""

    Options: type[RankingOptions] = RankingOptions

    def __init__(self, schema: FeatureSchema, options: RankingOptions, tasks: tuple[str, ...], *, name: str) -> None:
        super().__init__(schema, options, tasks, name=name)
        self.tower = Tower(options.units, options.activation, options.dropout, scores=len(tasks), name="tower_main")

    def scores(self, request: list[Part], item: list[Part], inputs: ModelInputs, training: bool) -> tf.Tensor:
        if not item:  # a row by itself: one candidate, of which nothing is known but the request
            of_request = request[0].values
            item = [Part("dense", (), tf.zeros((tf.shape(of_request)[0], 1, 0), of_request.dtype))]
        if not request:
            of_item = item[0].values
            request = [Part("dense", (("nothing", 1),), tf.zeros((tf.shape(of_item)[0], 1), of_item.dtype))]
        self.tower.reads = joined(part.reads for part in (*request, *item))
        sides = (tf.concat([part.values for part in side], axis=-1) for side in (request, item))
        return self.tower(*sides, training=training)

    @property
    def output_bias(self) -> keras.Variable:
        return self.tower.output_bias

    def idle_options(self) -> dict[str, str]:
        return super().idle_options() | idle_without_layers(self.options)


def idle_without_layers(options: RankingOptions) -> dict[str, str]:
    """The options of a network, where it has no hidden layer."""
    why = "there is no hidden layer (`units` is empty)"
    return {} if options.units else dict.fromkeys(("activation", "dropout"), why)
