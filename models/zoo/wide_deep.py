"""Wide & Deep: a linear part beside a network."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import tensorflow as tf
from pydantic import Field

from models.inputs import ModelInputs
from models.registry import register
from models.schema import Feature, FeatureSchema, Side
from models.tables import TableSpec
from models.zoo.base import Part, RankingOptions
from models.zoo.fields import DeepFieldModel, alone, side_by_side, tables_of


class WideDeepOptions(RankingOptions):
    """Options of :class:`WideDeep`."""

    wide: Annotated[tuple[str, ...], Field(strict=False)] = Field(
        (), description="features with ids (crosses, say) that the linear part alone reads"
    )


@register("wide_deep")
class WideDeep(DeepFieldModel):
    """A linear part and a network over vectors of any widths and dense values, added up."""

    Options = WideDeepOptions
    needs = "at least one feature"
    paper = "Cheng et al., Wide & Deep Learning for Recommender Systems, 2016"
    interacts = False

    def __init__(self, schema: FeatureSchema, options: WideDeepOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="wide_deep")
        targets = {feature.of for feature in schema.features if feature.kind.is_history}
        may = [f.name for side in Side for f in alone(schema, side) if f.name not in targets]
        for name in options.wide:
            if name not in may:
                raise ValueError(
                    f"model 'wide_deep', option 'wide': '{name}' is no feature with ids that a network may go without; "
                    f"those are: {', '.join(may) or 'none'}"
                )

    def scores(self, request: list[Part], item: list[Part], inputs: ModelInputs, training: bool) -> tf.Tensor:
        of_request, of_item, self.tower.reads = side_by_side(request, item)
        deep = self.tower(of_request, of_item, training=training)
        return tf.add_n([*self.first_order(request, item, inputs), deep])

    def embedded(self, side: Side) -> list[Feature]:
        return [feature for feature in super().embedded(side) if feature.name not in self.options.wide]

    def vector_tables(self, dims: Mapping[str, int]) -> tuple[TableSpec, ...]:
        read = {feature.name for feature in self.schema.features} - set(self.options.wide)
        return tables_of(read, self.tables_of_spaces(dims))
