"""A network on top of all that is read of a request and of each candidate."""

from __future__ import annotations

from typing import NamedTuple

import keras
import tensorflow as tf
from pydantic import Field

from models.architecture import Segments, joined
from models.inputs import ModelInputs
from models.layers.joined_tower import JoinedTower
from models.layers.tower import Tower
from models.options import Bending, ModelOptions, Names, Widths
from models.schema import FeatureSchema
from models.zoo.base import FeatureModel, Part, RankingOptions


class LateOptions(ModelOptions):
    """What joins late."""

    features: Names = Field(
        default=(),
        description="features and histories that a branch reads, which joins where scores are read, and nothing else",
    )
    units: Widths = Field(default=(128,), min_length=1, description="widths of the branch's layers")


class TowerOptions(RankingOptions):
    """Options of models that are a network over all that is read."""

    # Wider than what all networks know.
    activation: Bending = Field(  # type: ignore[assignment]
        "relu", description="activation of the hidden layers on top"
    )
    skip: bool = Field(False, description="read scores of all hidden layers side by side, not of the last alone")
    late: LateOptions = Field(LateOptions(), description="what joins late")


class RankingModel(FeatureModel):
    """A network on top: ``logit = tower([request features, histories], [item and pair features, interest, interest *
    target])``; a head a task."""

    Options: type[TowerOptions] = TowerOptions
    options: TowerOptions

    def __init__(self, schema: FeatureSchema, options: TowerOptions, tasks: tuple[str, ...], *, name: str) -> None:
        super().__init__(schema, options, tasks, name=name)
        self._check_late(options.late)
        joins = options.late.units if options.late.features else ()
        layers = (options.units, options.activation, options.dropout)
        self.tower: Tower | JoinedTower
        if joins or options.skip:
            self.tower = JoinedTower(*layers, skip=options.skip, late=joins, scores=len(tasks), name="tower_main")
        else:
            self.tower = Tower(*layers, scores=len(tasks), name="tower_main")

    def _check_late(self, late: LateOptions) -> None:
        known = self.named
        strange = sorted(set(late.features) - set(known))
        if strange:
            raise ValueError(
                f"model '{self.name}', option 'late.features': there is no feature or history '{strange[0]}' in use; "
                f"there are {', '.join(known)}"
            )
        if (late.features or self.options.skip) and not self.options.units:
            raise ValueError(
                f"model '{self.name}': without hidden layers (`units`) nothing can `skip` them or join late"
            )
        if set(known) <= set(late.features):
            raise ValueError(f"model '{self.name}', option 'late.features': the hidden layers would read nothing")
        if late.units != LateOptions().units and not late.features:
            raise ValueError("option 'late.units' would have no effect: no `features` join late; leave it out")

    def scores(self, request: list[Part], item: list[Part], inputs: ModelInputs, training: bool) -> tf.Tensor:
        if not isinstance(self.tower, JoinedTower):
            sides = Sides.of(request, item)
            self.tower.reads = sides.reads
            return self.tower(sides.request, sides.item, inputs.real, training=training)
        names = self.parts_of(self.options.late.features)
        first = [[part for part in side if part.reads[0][0] not in names] for side in (request, item)]
        # Where all that is known of candidates joins late, there are as many of them all the same.
        early = Sides.of(first[0], first[1], Sides.of(request, item) if item and not first[1] else None)
        late = None
        if names:
            joining = [[part for part in side if part.reads[0][0] in names] for side in (request, item)]
            late = Sides.of(joining[0], joining[1], early)
        tower = self.tower.reading(early.reads, () if late is None else late.reads)
        beside = None if late is None else (late.request, late.item)
        return tower((early.request, early.item), beside, inputs.real, training=training)

    @property
    def output_bias(self) -> keras.Variable:
        return self.tower.output_bias

    def idle_options(self) -> dict[str, str]:
        return super().idle_options() | idle_without_layers(self.options)


class Sides(NamedTuple):
    """Parts side by side, of a request and of its candidates, and of what they are."""

    request: tf.Tensor
    item: tf.Tensor
    reads: Segments

    @classmethod
    def of(cls, request: list[Part], item: list[Part], other: Sides | None = None) -> Sides:
        """Of parts; there is one candidate where nothing is known of any, or as many as of another's."""
        if not item:
            of_request = request[0].values
            nothing = (
                tf.zeros((tf.shape(of_request)[0], 1, 0), of_request.dtype) if other is None else other.item[..., :0]
            )
            item = [Part("dense", (), nothing)]
        if not request:
            of_item = item[0].values
            request = [Part("dense", (("nothing", 1),), tf.zeros((tf.shape(of_item)[0], 1), of_item.dtype))]
        reads = joined(part.reads for part in (*request, *item))
        sides = [tf.concat([part.values for part in side], axis=-1) for side in (request, item)]
        return cls(sides[0], sides[1], reads)


def idle_without_layers(options: RankingOptions) -> dict[str, str]:
    """The options of a network, where it has no hidden layer."""
    why = "there is no hidden layer (`units` is empty)"
    return {} if options.units else dict.fromkeys(("activation", "dropout"), why)
