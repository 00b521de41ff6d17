"""DeepFEFM: pairs of fields by a matrix each, and a network that reads them too."""

from __future__ import annotations

from itertools import combinations

import tensorflow as tf

from models.interactions.field_pairs import FieldPairs
from models.interactions.task_weights import TaskWeights
from models.registry import register
from models.schema import FeatureSchema
from models.zoo.base import RankingOptions
from models.zoo.fields import DeepFieldModel, Fields


class DeepFefmOptions(RankingOptions):
    """Options of :class:`DeepFefm`."""


@register("deepfefm")
class DeepFefm(DeepFieldModel):
    """A linear part, the products of all pairs of fields by a symmetric matrix a pair, and a network over the fields
    and these products, added up."""

    Options = DeepFefmOptions
    needs = "at least two features, one of them with ids, and one width of all tables"
    paper = "Pande, Field-Embedded Factorization Machines for Click-through rate prediction, 2020"

    def __init__(self, schema: FeatureSchema, options: DeepFefmOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(schema, options, tasks, name="deepfefm")
        self.pairs = FieldPairs(name="pairs")
        self.second_order = TaskWeights(len(tasks), name="second_order")

    def logits(self, fields: Fields, training: bool) -> tf.Tensor:
        if len(fields.names) < 2:
            raise ValueError(f"model 'deepfefm' needs two fields at least, got '{fields.names[0]}' alone")
        # A matrix is symmetric, so that a pair is the same whichever field comes first.
        names = tuple((" * ".join(sorted(pair)), 1) for pair in combinations(fields.names, 2))
        self.pairs.reads = self.second_order.reads = names
        products = tf.ensure_shape(self.pairs(fields.every()), (None, None, len(names)))
        request, item, reads = fields.flat()
        self.tower.reads = (*reads, *((f"pair {name}", size) for name, size in names))
        deep = self.tower(request, tf.concat([item, products], axis=-1), training=training)
        return self.second_order(products) + deep
