"""DropoutNet: a tower of users and one of items that learn to do without who they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal, get_args

import keras
import tensorflow as tf
from pydantic import Field

from models.architecture import joined
from models.inputs import ModelInputs
from models.layers.cosine import Cosine
from models.layers.preference import Instead, Preference
from models.layers.tower import Tower
from models.options import Activation, Names, Width, Widths
from models.outputs import ITEM, USER, Auxiliary, Outputs
from models.registry import register
from models.schema import Feature, FeatureSchema, Kind, Side
from models.tables import TableSpec
from models.tasks import LossName
from models.zoo.base import FeatureModel, Part, RankingOptions


class DropoutNetOptions(RankingOptions):
    """Options of :class:`DropoutNet`."""

    units: Widths = Field((128,), description="widths of the hidden layers of each tower")
    activation: Activation = Field("tanh", description="activation of the hidden layers")
    width: Width = Field(64, description="values of a vector that users and items are compared by")
    preference: Names = Field(
        (), description="ids and ready vectors that tell who a user or which an item is; all others are content"
    )
    drop: float = Field(
        0.5, ge=0, lt=1, description="share of the rows whose preference a training step leaves out as a whole"
    )
    instead: Instead = Field("zeros", description="what stands for a preference that is not there")
    temperature: float = Field(0.1, gt=0, description="that cosines are divided by in the beginning")
    # A tower reads its own side alone.
    product: Literal[False] = Field(False, description="no product of the target and a history")


@register("dropoutnet")
class DropoutNet(FeatureModel):
    """A tower of users and one of items, of which a training step drops whole preferences; a score is their cosine."""

    Options = DropoutNetOptions
    options: DropoutNetOptions
    family = "two towers"
    two_towers = True
    needs = "features of the request and of the item; what belongs to a pair is not read"
    task_losses = get_args(LossName)
    paper = "Volkovs et al., DropoutNet: Addressing Cold Start in Recommender Systems, 2017"

    def __init__(self, schema: FeatureSchema, options: DropoutNetOptions, tasks: tuple[str, ...]) -> None:
        super().__init__(of_sides(schema), options, tasks, name="dropoutnet")
        self._check(tasks)
        self.tasks = tasks[:1]
        self.towers = {
            side: Tower(options.units, options.activation, options.dropout, scores=options.width, name=f"tower_{name}")
            for side, name in ((Side.REQUEST, USER), (Side.ITEM, ITEM))
        }
        self.preferences = {
            side: Preference(options.drop, options.instead, name=f"preference_{name}")
            for side, name in ((Side.REQUEST, USER), (Side.ITEM, ITEM)) if self.preferred(side)
        }  # fmt: skip
        self.cosine = Cosine(options.temperature, name="cosine")

    def _check(self, tasks: tuple[str, ...]) -> None:
        if len(tasks) > 1:
            raise ValueError(f"model '{self.name}' has one score for each pair, got the tasks {', '.join(tasks)}")
        for side in (Side.REQUEST, Side.ITEM):
            if not any(feature.side is side for feature in self.schema.asked.features):
                raise ValueError(f"model '{self.name}' needs a feature of the {side}: its tower would read nothing")
        if self.options.crosses:
            raise ValueError(f"model '{self.name}', option 'crosses': a tower reads its own side alone; leave it out")
        known = [f.name for f in self.schema.features if _can_be_preferred(f)]
        for name in self.options.preference:
            if name not in known:
                raise ValueError(
                    f"model '{self.name}', option 'preference': '{name}' is no single id and no vector of the request "
                    f"or the item in use; there are {', '.join(known) or 'none'}"
                )

    def preferred(self, side: Side) -> list[Feature]:
        """The features of a side that tell who or which it is."""
        return [f for f in self.schema.features if f.side is side and f.name in self.options.preference]

    def tables(self, dims: Mapping[str, int]) -> tuple[TableSpec, ...]:
        apart = [f for side in (Side.REQUEST, Side.ITEM) for f in self.preferred(side) if f.has_ids]
        names = {f.name for f in apart}
        shared = [replace(t, features=tuple(n for n in t.features if n not in names)) for t in super().tables(dims)]
        # Whose id is not known has no preference, as if it were dropped.
        own = [
            TableSpec(f"preference.{f.name}", str(f.space), dims[str(f.space)], (f.name,), unknown="nothing")
            for f in apart
        ]
        return (*(table for table in shared if table.features), *own)

    def call(self, inputs: ModelInputs, training: bool = False) -> Outputs:
        """Logits, and the vectors whose inner products they are."""
        (user, losses), (item, _) = (self.vectors(side, inputs, training) for side in (Side.REQUEST, Side.ITEM))
        logits = tf.reduce_sum(user[:, None, :] * item, axis=-1)
        return Outputs({self.tasks[0]: logits}, losses, {USER: user, ITEM: item})

    def vectors(
        self, side: Side, inputs: ModelInputs, training: bool = False
    ) -> tuple[tf.Tensor, dict[str, Auxiliary]]:
        """What a side's features alone say: ``[batch, width + 1]``, or ``[batch, candidates, width + 1]`` of items; and
        the losses of what reads its histories."""
        parts = self.single(inputs, side)
        losses: dict[str, Auxiliary] = {}
        for group in self.groups if side is Side.REQUEST else ():
            _, read, auxiliary = self.read(group, inputs, training)
            if read.values.shape.rank == 3:
                raise ValueError(
                    f"model '{self.name}', option 'encoders': '{group.title}' is read against each candidate, which "
                    "the user's tower does not know; choose a way that reads the history alone"
                )
            parts, losses = [*parts, read], losses | auxiliary
        parts = self._without(side, parts, inputs, training)
        tower, whole = self.towers[side], tf.concat([part.values for part in parts], axis=-1)
        tower.reads = joined(part.reads for part in parts)
        if side is Side.REQUEST:
            whole = whole[:, None, :]
        made = tower(whole[:, 0, :0], whole, inputs.real if side is Side.ITEM else None, training=training)
        if side is Side.REQUEST:
            return self.cosine(made[:, 0], of=USER), losses
        return self.cosine(made, of=ITEM), losses

    def _without(self, side: Side, parts: list[Part], inputs: ModelInputs, training: bool) -> list[Part]:
        """The parts of a side, its preference first, as far as it is not dropped."""
        preferred = [f.name for f in self.preferred(side)]
        if not preferred:
            return parts
        own = {part.reads[0][0]: part for part in parts}
        values, known = zip(*(self._known(own[name], inputs) for name in preferred), strict=True)
        kept = self.preferences[side](tf.concat(values, -1), tf.concat(known, -1), training=training)
        preference = Part("ids", tuple(own[name].reads[0] for name in preferred), kept)
        return [preference, *(part for part in parts if part.reads[0][0] not in preferred)]

    def _known(self, part: Part, inputs: ModelInputs) -> tuple[tf.Tensor, tf.Tensor]:
        """Values of a preference, and which there are; a ready vector is there as a whole or not."""
        (name, size), *flags = part.reads
        if flags:
            vectors, known = part.values[..., :size], part.values[..., size:] < 0.5
        else:
            vectors, known = part.values, inputs.mask[name][..., None]
        return vectors, tf.broadcast_to(known, tf.shape(vectors))

    @property
    def output_bias(self) -> keras.Variable:
        return self.cosine.bias

    def idle_options(self) -> dict[str, str]:
        idle = super().idle_options()
        idle.pop("product", None)
        if not self.options.preference:
            idle |= dict.fromkeys(("drop", "instead"), "there is no `preference`")
        if not self.options.units:
            idle |= dict.fromkeys(("activation", "dropout"), "there is no hidden layer (`units` is empty)")
        return idle


def of_sides(schema: FeatureSchema) -> FeatureSchema:
    """The schema of what towers read: nothing of a pair, and histories of no item's feature."""
    own = schema.subset({f.name for f in schema.features if f.side is not Side.PAIR})
    return replace(own, features=tuple(replace(f, of=None) if f.kind.is_history else f for f in own.features))


def _can_be_preferred(feature: Feature) -> bool:
    return feature.kind in (Kind.CATEGORICAL, Kind.VECTOR) and not feature.bins
