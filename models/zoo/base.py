"""What the ranking models share: features gathered by side, histories filled and pooled, a tower on top."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import keras
import tensorflow as tf
from pydantic import Field

from models.inputs import ModelInputs
from models.layers.history import fill_gaps, reach, stand_in
from models.layers.normalise import Normalise
from models.layers.pooling import Pooling, pool
from models.layers.tower import Tower
from models.options import Days, ModelOptions, Widths
from models.outputs import Outputs
from models.schema import Feature, FeatureSchema, Kind, Side
from models.tables import TableSpec, one_per_space

Activation = Literal["relu", "sigmoid", "tanh", "gelu", "silu"]


TARGETED = "history of an item feature (a sequence with `of`)"
"""What a model that reads a history against each candidate needs."""


class RankingOptions(ModelOptions):
    """Options that every ranking model has."""

    units: Widths = Field((128, 64), description="widths of the hidden layers on top")
    activation: Activation = Field("relu", description="activation of the hidden layers on top")
    dropout: float = Field(
        0.0, ge=0, lt=1, description="share of a hidden layer's values that a training step leaves out"
    )
    values_pooling: Pooling = Field("mean", description="how the values of a day or of a bag are pooled")
    fill_forward: Days = Field(0, description="most days that a known day is carried forward over missing ones")
    fill_backward: Days = Field(0, description="most days that a known day is carried backward over missing ones")
    product: bool = Field(
        True, description="also give the tower the product of the target and the history as it is read"
    )


@dataclass(frozen=True)
class HistoryGroup:
    """Histories that are declared to be the parts of the same steps (``Feature.group``), or one by itself.

    Attributes:
        name: of the group, that of its first feature.
        features: the histories; their vectors stand side by side in a step, those with a target first.
        targets: the item features that the first of them are histories of, in the same order; empty for a group
            without a target (behaviours of a user that are not items).
        stand_ins: what replaces each history where no step of any is known; empty for none.
    """

    name: str
    features: tuple[Feature, ...]
    targets: tuple[Feature, ...]
    stand_ins: tuple[Feature, ...]


def history_groups(schema: FeatureSchema) -> tuple[HistoryGroup, ...]:
    """The histories of a schema, together where their ``group`` says so.

    Raises:
        ValueError: a history on another side than the request's, or of or replaced by a feature that the
            schema lacks, or of an item feature in another id space; or a group whose steps are not the same.
    """
    names = {feature.name for feature in schema.features}
    for feature in schema.features:
        if feature.kind not in (Kind.SEQUENCE, Kind.BAG_SEQUENCE):
            continue
        if feature.side is not Side.REQUEST:
            raise ValueError(
                f"feature '{feature.name}': a {feature.kind} stands on the request's side, not {feature.side}"
            )
        for role, other in (("of", feature.of), ("stand_in", feature.stand_in)):
            if other and other not in names:
                raise ValueError(f"feature '{feature.name}': its {role} '{other}' is not among the features in use")
        if feature.of and (schema[feature.of].space, schema[feature.of].side) != (feature.space, Side.ITEM):
            raise ValueError(
                f"feature '{feature.name}' (id space '{feature.space}') is no history of '{feature.of}' "
                f"({schema[feature.of].side}, id space '{schema[feature.of].space}')"
            )
        if feature.stand_in:
            other_feature = schema[feature.stand_in]
            if (other_feature.kind, other_feature.steps, other_feature.space) != (
                feature.kind,
                feature.steps,
                feature.space,
            ):
                raise ValueError(
                    f"feature '{feature.name}': its stand_in '{other_feature.name}' differs in kind, steps or id space"
                )
    groups = []
    for members in schema.together():
        ordered = sorted(members, key=lambda f: f.of is None)
        groups.append(
            HistoryGroup(
                name=members[0].name,
                features=tuple(ordered),
                targets=tuple(schema[f.of] for f in ordered if f.of),
                stand_ins=tuple(schema[f.stand_in] for f in ordered if f.stand_in),
            )
        )
    return tuple(groups)


@dataclass(frozen=True)
class History:
    """A group as a model reads it: ``steps [batch, steps, dim]``, bool ``mask [batch, steps]``, and the candidates'
    own vectors, ``target [batch, candidates, of]`` (``None`` without). The first ``of`` values of a step are in the
    target's space, the others are parts of which candidates have none."""

    steps: tf.Tensor
    mask: tf.Tensor
    target: tf.Tensor | None


class RankingModel(keras.layers.Layer):
    """Scores of candidates from features, histories and counters; without item features, of one candidate a request.

    ``logit = tower([request features, histories], [item and pair features, interest, interest * target])``

    A subclass says in :meth:`read` what it makes of a history.

    Args:
        schema: the features in use.
        options: of the model.
        tasks: names of what is asked of a candidate.
    """

    Options: type[RankingOptions] = RankingOptions

    def __init__(self, schema: FeatureSchema, options: RankingOptions, tasks: tuple[str, ...], *, name: str) -> None:
        super().__init__(name=name)
        self.schema = schema
        self.tasks = tasks
        self.options = options
        self.groups = history_groups(schema)
        if not schema.features:
            raise ValueError(f"model '{name}' needs at least one feature: there is nothing to tell rows apart by")
        if schema.on(Side.PAIR, ids=True):
            raise ValueError(
                f"model '{name}': pair features must be dense, got '{schema.on(Side.PAIR, ids=True)[0].name}'"
            )
        self.normalisers = {
            f.name: Normalise(f.size, f.normalise, log=f.log, flag=f.flag, name=f"normalise_{f.name}")
            for f in schema.features if not f.has_ids
        }
        self.tower = Tower(options.units, options.activation, options.dropout, scores=len(tasks), name="tower_main")

    def build(self, *shapes: object) -> None:
        # Every part builds itself when it is first called.
        self.built = True

    def call(self, inputs: ModelInputs, training: bool = False) -> Outputs:
        """Logits of every task: heads on one tower."""
        schema = self.schema
        request = [self.dense(f, inputs) for f in schema.on(Side.REQUEST, ids=False)]
        request += [self.value(f, inputs) for f in schema.on(Side.REQUEST, ids=True) if not _is_history(f)]
        item = [self.dense(f, inputs) for side in (Side.ITEM, Side.PAIR) for f in schema.on(side, ids=False)]
        item += [self.value(f, inputs) for f in schema.on(Side.ITEM, ids=True)]
        for group in self.groups:
            history = self.history(group, inputs)
            interest = self.read(group, history)
            of_item = interest.shape.rank == 3
            (item if of_item else request).append(interest)
            if self.options.product and history.target is not None:
                read, wanted = interest.shape[-1], history.steps.shape[-1]
                if read != wanted:
                    raise ValueError(
                        f"model '{self.name}': `read` gives {read} values for the history '{group.name}', whose steps "
                        f"have {wanted}: with `product: true` it is multiplied by its target value by value, so give "
                        f"as many, or set `product: false`"
                    )
                alike = interest[..., : history.target.shape[-1]]
                item.append(history.target * (alike if of_item else alike[:, None, :]))
        if not item:  # a row by itself: one candidate, of which nothing is known but the request
            item = [tf.zeros((tf.shape(request[0])[0], 1, 0), request[0].dtype)]
        if not request:
            request = [tf.zeros((tf.shape(item[0])[0], 1), item[0].dtype)]
        scores = self.tower(tf.concat(request, axis=-1), tf.concat(item, axis=-1), training=training)
        return Outputs(dict(zip(self.tasks, tf.unstack(scores, axis=-1), strict=True)), {}, {})

    def tables(self, dims: Mapping[str, int]) -> tuple[TableSpec, ...]:
        """The embedding tables that the model reads, given the width of every id space; one a space unless it says
        otherwise."""
        return one_per_space(self.schema, dims)

    @property
    def output_bias(self) -> keras.Variable:
        """The weight ``[tasks]`` that every logit starts from, before anything is known."""
        return self.tower.output_bias

    @property
    def has_targets(self) -> bool:
        """Whether a history holds values of an item feature, so that it can be read against each candidate."""
        return any(group.targets for group in self.groups)

    def idle_options(self) -> dict[str, str]:
        """Options that cannot act on the features in use, each with what it lacks."""
        kinds = {feature.kind for feature in self.schema.features}
        idle: dict[str, str] = {}
        if Kind.BAG_SEQUENCE not in kinds:
            idle |= dict.fromkeys(("fill_forward", "fill_backward"), "there is no history of days (a bag_sequence)")
            if Kind.BAG not in kinds:
                idle["values_pooling"] = "no feature has several values"
        if not self.has_targets:
            idle["product"] = f"there is no {TARGETED}"
        if not self.options.units:
            idle |= dict.fromkeys(("activation", "dropout"), "there is no hidden layer (`units` is empty)")
        return idle

    def read(self, group: HistoryGroup, history: History) -> tf.Tensor:
        """What a group tells: ``[batch, dim]``, or ``[batch, candidates, dim]`` if it depends on the target.

        With ``product``, ``dim`` is that of a step where there is a target: the first values are in the target's space
        and are multiplied by it. Any other width is refused when the model is first called.
        """
        raise NotImplementedError

    def dense(self, feature: Feature, inputs: ModelInputs) -> tf.Tensor:
        """A dense feature, normalised and free of NaN, with flags of what is missing where it is read with them."""
        return self.normalisers[feature.name](inputs.dense[feature.name])

    def value(self, feature: Feature, inputs: ModelInputs) -> tf.Tensor:
        """A feature without steps as one vector a row: ``[…, dim]``."""
        if feature.kind is Kind.BAG:
            return pool(inputs.vectors[feature.name], inputs.mask[feature.name], self.options.values_pooling)
        return inputs.vectors[feature.name]

    def history(self, group: HistoryGroup, inputs: ModelInputs) -> History:
        """A group with its gaps filled, its window cut, and its stand-in where it has no day at all."""
        steps, mask = self._steps(group.features, inputs)
        if group.stand_ins:
            steps, mask = stand_in(steps, mask, *self._steps(group.stand_ins, inputs))
        if not group.targets:
            return History(steps, mask, None)
        return History(steps, mask, tf.concat([self.value(f, inputs) for f in group.targets], axis=-1))

    def _steps(self, features: tuple[Feature, ...], inputs: ModelInputs) -> tuple[tf.Tensor, tf.Tensor]:
        """Histories of the same steps side by side, filled: ``[batch, steps, dim]``, bool ``[batch, steps]``."""
        first = features[0]
        vectors = [inputs.vectors[f.name] for f in features]
        masks = [inputs.mask[f.name] for f in features]
        if first.kind is Kind.SEQUENCE:
            return tf.concat(vectors, axis=-1), tf.reduce_any(tf.stack(masks), axis=0)
        days = first.lead + first.steps
        return fill_gaps(
            tf.concat([pool(v, m, self.options.values_pooling) for v, m in zip(vectors, masks, strict=True)], axis=-1),
            tf.reduce_any(tf.stack([tf.reduce_any(mask, axis=-1) for mask in masks]), axis=0),
            forward=reach(self.options.fill_forward, days),
            backward=reach(self.options.fill_backward, days),
            window=first.steps,
        )


def _is_history(feature: Feature) -> bool:
    return feature.kind in (Kind.SEQUENCE, Kind.BAG_SEQUENCE)
