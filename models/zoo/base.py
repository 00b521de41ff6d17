"""What all models of layers share: features gathered by side, histories laid out, filled and read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, Literal, NamedTuple

import keras
import tensorflow as tf
from pydantic import Field

from models.architecture import Segments
from models.encoders.base import Encoder
from models.encoders.day_values import ValueOptions, bag_readers, check_values, day_readers, idle_values
from models.encoders.history import History, HistoryGroup, history_groups
from models.encoders.layout import check_stacked, layout_of, spaces_of_days
from models.encoders.negatives import check_negatives, negatives_of
from models.encoders.pooled import Pooled, PooledOptions
from models.encoders.registry import check_names, encoder_of
from models.inputs import ModelInputs
from models.layers.day_layouts import DayLayout, laid_out
from models.layers.history import reach, stand_in
from models.layers.normalise import Normalise
from models.layers.pooling import pool
from models.layers.vector import with_flag
from models.options import Activation, Days, Names, Widths
from models.outputs import Auxiliary, Outputs
from models.schema import Feature, FeatureSchema, Kind, Side
from models.tables import TableSpec, one_per_space
from models.zoo.crosses import Crosses

TARGETED = "history of an item feature (a sequence with `of`)"
"""What a model that reads a history against each candidate needs."""


class FeatureOptions(ValueOptions):
    """Options of every model that reads features and histories."""

    layout: DayLayout = Field(
        "paired",
        description="steps of a history of days: a day with all its parts (`paired`; `packed`: days without any left "
        "out), each part of a day (`stacked`), or every id (`flat`)",
    )
    fill_forward: Days = Field(0, description="most days that a known day is carried forward over missing ones")
    fill_backward: Days = Field(0, description="most days that a known day is carried backward over missing ones")
    product: bool = Field(
        True, description="also give the tower the product of the target and the history as it is read"
    )
    encoders: dict[str, dict[str, Any]] = Field(
        default_factory=dict,
        description="by history, what reads it instead of the model's own way: `type`, its `layout` if it is one of "
        "days, and the options of an encoder",
    )
    crosses: dict[str, Names] = Field(
        default_factory=dict,
        description="by feature with ids, history or part of one: those that it is multiplied with, value by value",
    )


class RankingOptions(FeatureOptions):
    """Options of every model with a network on top."""

    units: Widths = Field((128, 64), description="widths of the hidden layers on top")
    activation: Activation = Field("relu", description="activation of the hidden layers on top")
    dropout: float = Field(
        0.0, ge=0, lt=1, description="share of a hidden layer's values that a training step leaves out"
    )


class Part(NamedTuple):
    """What a model reads of a request, ``[batch, values]``, or of a candidate, ``[batch, candidates, values]``.

    Attributes:
        what: floats of a feature, an embedded feature, a history as it is read, that times its target, or what layers
            have made of such.
        reads: of what the values are.
    """

    what: Literal["dense", "ids", "history", "product", "hidden"]
    reads: Segments
    values: tf.Tensor


class FeatureModel(keras.layers.Layer):
    """Scores of candidates from features, histories and counters; without item features, of one candidate a request.

    A subclass says in :meth:`scores` what is made of all that is read, and may say in :meth:`own_encoder` what reads a
    history for which ``options.encoders`` names nothing else.

    Args:
        schema: the features in use.
        options: of the model.
        tasks: names of what is asked of a candidate.
    """

    Options: type[FeatureOptions] = FeatureOptions
    options: Any

    def __init__(self, schema: FeatureSchema, options: FeatureOptions, tasks: tuple[str, ...], *, name: str) -> None:
        super().__init__(name=name)
        self.schema = schema
        self.tasks = tasks
        self.options = options
        self.groups = history_groups(schema)
        if not schema.asked.features:
            raise ValueError(f"model '{name}' needs at least one feature: there is nothing to tell rows apart by")
        if schema.on(Side.PAIR, ids=True):
            raise ValueError(
                f"model '{name}': pair features must be dense, got '{schema.on(Side.PAIR, ids=True)[0].name}'"
            )
        self.normalisers = {
            f.name: Normalise(f.size, f.normalise, log=f.log, clip=f.clip, flag=f.flag, name=f"normalise_{f.name}")
            for f in schema.features
            if f.kind is Kind.DENSE
        }
        check_names(options.encoders, self.groups)
        known = [f.name for side in (Side.REQUEST, Side.ITEM) for f in self.embedded(side)]
        parts = [f.name for group in self.groups for f in group.features]
        self.crossings = Crosses(options.crosses, [*known, *(g.title for g in self.groups), *parts], f"model '{name}'")
        self.layouts = {
            group.name: layout_of(group, options.encoders.get(group.title, {}), options.layout) for group in self.groups
        }
        self.day_readers = day_readers(options, self.groups, spaces_of_days(self.groups, self.layouts))
        self.bag_readers = bag_readers(options, schema)
        self.encoders = {group.name: self._encoder(group) for group in self.groups}
        unread = {f.name for g in self.groups for f in g.features if not self.encoders[g.name].reads_negatives}
        self.schema = schema.without_negatives_of(unread)
        # An encoder is no layer: what it holds is.
        self.encoder_layers = {name: encoder.layers for name, encoder in self.encoders.items()}

    def _encoder(self, group: HistoryGroup) -> Encoder[Any]:
        name = f"seq_{group.name}"
        asked = self.options.encoders.get(group.title)
        encoder = self.own_encoder(group, name) if asked is None else encoder_of(group, asked, name=name)
        if encoder.needs_sessions and group.features[0].kind is not Kind.SESSIONS:
            raise ValueError(
                f"the history '{group.title}' is to be read session by session (`within`), but it is a "
                f"{group.features[0].kind}; name it for histories of sessions alone, under `encoders`"
            )
        if encoder.reads_ages and group.ages is None:
            raise ValueError(
                f"the history '{group.title}' is to be read by the ages of its steps, which no feature "
                f"in use tells; declare {{kind: ages, source: history.age, group: {group.title}}}"
            )
        if encoder.reads_negatives:
            check_negatives(group, self.layouts[group.name])
        if group.ages is not None and not encoder.reads_ages:
            raise ValueError(
                f"feature '{group.ages.name}': what reads the history '{group.title}' does not ask for the ages of its "
                f"steps; leave it out of the experiment (`without`)"
            )
        return encoder

    def build(self, *shapes: object) -> None:
        # Every part builds itself when it is first called.
        self.built = True

    def call(self, inputs: ModelInputs, training: bool = False) -> Outputs:
        """Logits of every task."""
        request, item, losses = self.parts(inputs, training)
        scores = self.scores(request, item, inputs, training)
        return Outputs(dict(zip(self.tasks, tf.unstack(scores, axis=-1), strict=True)), losses, {})

    def scores(self, request: list[Part], item: list[Part], inputs: ModelInputs, training: bool) -> tf.Tensor:
        """``[batch, candidates, tasks]`` of what is known of a request and of each candidate."""
        raise NotImplementedError

    def parts(self, inputs: ModelInputs, training: bool) -> tuple[list[Part], list[Part], dict[str, Auxiliary]]:
        """All that is read of a request and of its candidates, and the losses of what reads the histories."""
        request, item = self.single(inputs, Side.REQUEST), self.single(inputs, Side.ITEM, Side.PAIR)
        read_as = {part.reads[0][0]: part.values for part in (*request, *item) if part.what == "ids"}
        losses: dict[str, Auxiliary] = {}
        for group in self.groups:
            encoder = self.encoders[group.name]
            history, read, auxiliary = self.read(group, inputs, training)
            interest, of_item = read.values, read.values.shape.rank == 3
            losses |= auxiliary
            (item if of_item else request).append(read)
            if self.options.product and history.target is not None:
                self._check_product(group, history, interest)
                alike = interest[..., : history.target.shape[-1]]
                product = history.target * (alike if of_item else alike[:, None, :])
                item.append(Part("product", self._product(group, history), product))
            if self.crossings:
                read_as |= dict(zip(dict(history.parts), self._by_part(encoder, history, interest), strict=False))
                read_as[group.title] = interest
        for name, crossed in self.crossings.of(read_as).items():
            side = item if crossed.shape.rank == 3 else request
            side.append(Part("product", ((name, int(crossed.shape[-1])),), crossed))
        return request, item, losses

    def single(self, inputs: ModelInputs, *sides: Side) -> list[Part]:
        """What the features of some sides say, histories apart: numbers, then what is embedded."""
        numbers = [f for side in sides for f in self.schema.on(side, ids=False) if f.kind is not Kind.AGES]
        ids = [f for side in sides for f in self.embedded(side)]
        return [*(_dense(f, self.dense(f, inputs)) for f in numbers), *(_ids(f, self.value(f, inputs)) for f in ids)]

    def read(
        self, group: HistoryGroup, inputs: ModelInputs, training: bool
    ) -> tuple[History, Part, dict[str, Auxiliary]]:
        """A history, what is read of it, and the losses of what reads it."""
        encoder, history = self.encoders[group.name], self.history(group, inputs)
        if training and encoder.reads_negatives:
            history = replace(history, negatives=negatives_of(group, inputs, self._fill(group.features[0])))
        interest, auxiliary = encoder.read(history, training)
        losses = {f"{group.title}/{name}": loss for name, loss in auxiliary.items()}
        return history, Part("history", _interest(encoder, group, history, interest), interest), losses

    def _by_part(self, encoder: Encoder[Any], history: History, interest: tf.Tensor) -> list[tf.Tensor]:
        """What is read of each part of a step, where an encoder keeps them apart."""
        sizes = [size for _, size in history.parts]
        return tf.split(interest, sizes, axis=-1) if encoder.keeps_places else []

    def embedded(self, side: Side) -> list[Feature]:
        """The features of one side that are read as vectors, histories apart."""
        return [f for f in self.schema.on(side, ids=True) if not _of_steps(f)]

    def tables(self, dims: Mapping[str, int]) -> tuple[TableSpec, ...]:
        """The embedding tables that the model reads, given the width of every id space; one a space unless it says
        otherwise.

        Raises:
            ValueError: parts of a history that are steps of their own differ in width, or an encoder cannot read
                steps as wide as a history's; ids of an odd width that are read both ways.
        """
        check_values(self.options, self.schema, self.day_readers, dims)
        for group in self.groups:
            widths = [dims[str(feature.space)] for feature in group.features]
            if self._is_stacked(group):
                check_stacked(group, dims)
                widths = widths[:1]
            self.encoders[group.name].check_width(sum(widths))
        return one_per_space(self.schema, dims)

    @property
    def output_bias(self) -> keras.Variable | tuple[keras.Variable, ...]:
        """The weight ``[tasks]`` that every logit starts from, before anything is known, or one ``[1]`` a task."""
        raise NotImplementedError

    @property
    def has_targets(self) -> bool:
        """Whether a history holds values of an item feature, so that it can be read against each candidate."""
        return any(group.targets for group in self.groups)

    def idle_options(self) -> dict[str, str]:
        """Options that cannot act on the features in use, each with what it lacks."""
        kinds = {feature.kind for feature in self.schema.features}
        idle: dict[str, str] = {}
        if Kind.BAG_SEQUENCE not in kinds:
            why = "there is no history of days (a bag_sequence)"
            idle |= dict.fromkeys(("layout", "fill_forward", "fill_backward"), why)
        days = [group for group in self.groups if group.features[0].kind is Kind.BAG_SEQUENCE]
        inheriting = [group for group in days if "layout" not in self.options.encoders.get(group.title, {})]
        if days and not inheriting:
            idle["layout"] = "every history of days has one of its own (`encoders`)"
        elif days and self.options.layout == "stacked" and not any(map(self._is_stacked, inheriting)):
            idle["layout"] = "no history of days that it is for has several parts in one `group`"
        idle |= idle_values(self.options, self.schema, [self.layouts[group.name] for group in days])
        if not self.has_targets:
            idle["product"] = f"there is no {TARGETED}"
        return idle

    def idle_of(self, encoder: type[Encoder[Any]]) -> dict[str, str]:
        """The options of the model's own ``encoder``, where it reads no history."""
        for group in self.groups:
            if group.title not in self.options.encoders and isinstance(self.encoders[group.name], encoder):
                return {}
        why = "every history is read by what `encoders` says" if self.groups else "there is no history"
        return dict.fromkeys(encoder.Options.model_fields, why)

    def own_encoder(self, group: HistoryGroup, name: str) -> Encoder[Any]:
        """What reads a history unless the experiment says otherwise; its layers' names begin with ``name``. By default
        the mean of its steps."""
        return Pooled(PooledOptions(), group, name=name)

    def dense(self, feature: Feature, inputs: ModelInputs) -> tf.Tensor:
        """Floats free of NaN: a dense feature normalised, with flags where it is read with them; a vector as it is, or
        zeros, and whether it is missing."""
        if feature.kind is Kind.VECTOR:
            return with_flag(inputs.dense[feature.name])
        return self.normalisers[feature.name](inputs.dense[feature.name])

    def value(self, feature: Feature, inputs: ModelInputs) -> tf.Tensor:
        """A feature without steps as one vector a row: ``[…, dim]``."""
        if feature.name in self.bag_readers:
            return self._read_bag(feature, inputs)
        if feature.kind is Kind.BAG:
            return pool(inputs.vectors[feature.name], inputs.mask[feature.name], self.options.values_pooling)
        return inputs.vectors[feature.name]

    def _read_bag(self, feature: Feature, inputs: ModelInputs) -> tf.Tensor:
        vectors, mask = inputs.vectors[feature.name], inputs.mask[feature.name]
        if feature.side is Side.REQUEST:
            return self.bag_readers[feature.name](vectors[:, None], mask[:, None])[:, 0]
        return self.bag_readers[feature.name](vectors, mask)

    def history(self, group: HistoryGroup, inputs: ModelInputs) -> History:
        """A group with its gaps filled, its window cut, and its stand-in where it has no day at all."""
        ages = None
        if group.ages is not None:
            told = inputs.dense[group.ages.name]
            ages = tf.where(tf.math.is_finite(told), told, 0.0)
        steps, mask, ages = self._steps(group, group.features, inputs, ages)
        if group.stand_ins:
            steps, mask = stand_in(steps, mask, *self._steps(group, group.stand_ins, inputs, None)[:2])
        if ages is not None:
            ages = tf.where(mask, ages, 0.0)
        parts = tuple((f.name, int(inputs.vectors[f.name].shape[-1])) for f in group.features)
        first = group.features[0]
        sessions = first.sessions if first.kind is Kind.SESSIONS else None
        targets = [self.value(f, inputs) for f in group.targets]
        if self._is_stacked(group):
            # A step is one part: what a candidate is to it is the mean of what its parts are.
            parts = ((group.title, parts[0][1]),)
            target = tf.add_n(targets) / len(targets) if targets else None
        else:
            target = tf.concat(targets, axis=-1) if targets else None
        return History(steps, mask, target, ages, sessions, parts, candidates=inputs.real)

    def _is_stacked(self, group: HistoryGroup) -> bool:
        return self.layouts[group.name] == "stacked" and len(group.features) > 1

    def _check_product(self, group: HistoryGroup, history: History, interest: tf.Tensor) -> None:
        read, wanted = interest.shape[-1], history.steps.shape[-1]
        if read != wanted:
            raise ValueError(
                f"model '{self.name}': the history '{group.title}' is read as {read} values, but its steps "
                f"have {wanted}: with `product: true` it is multiplied by its target value by value, so give "
                f"as many, or set `product: false`"
            )

    def told_of(self, group: HistoryGroup) -> str:
        """The name of the first of the values that a history is read as."""
        how, encoder = type(self.encoders[group.name]).__name__.lower(), self.encoders[group.name]
        whole = self._is_stacked(group) or not encoder.keeps_places
        return f"{how} of {group.title if whole else group.features[0].name}"

    @property
    def named(self) -> list[str]:
        """Features and histories that an option may name for what reads them apart from others."""
        alone = [f.name for f in self.schema.features if not _of_steps(f) and f.kind is not Kind.AGES]
        return alone + [group.title for group in self.groups]

    def parts_of(self, names: Collection[str]) -> set[str]:
        """What the parts are called, by the first of their values, that are of these features and histories."""
        return {*names, *(self.told_of(group) for group in self.groups if group.title in names)}

    def _product(self, group: HistoryGroup, history: History) -> Segments:
        """What the product of the candidates and a history is of."""
        if self._is_stacked(group):
            return ((f"{group.title} * {', '.join(f.name for f in group.targets)}", history.parts[0][1]),)
        sizes = dict(history.parts)
        return tuple((f"{f.name} * {f.of}", sizes[f.name]) for f in group.features if f.of)

    def _steps(
        self, group: HistoryGroup, features: tuple[Feature, ...], inputs: ModelInputs, ages: tf.Tensor | None
    ) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor | None]:
        """Histories of the same steps together, filled: ``[batch, steps, dim]``, bool ``[batch, steps]``; ages."""
        first = features[0]
        vectors = [inputs.vectors[f.name] for f in features]
        masks = [inputs.mask[f.name] for f in features]
        if first.kind is Kind.SEQUENCE:
            return tf.concat(vectors, axis=-1), tf.reduce_any(tf.stack(masks), axis=0), ages
        if first.kind is Kind.SESSIONS:
            steps, mask = tf.concat(vectors, axis=-1), tf.reduce_any(tf.stack(masks), axis=0)
            every = first.sessions * first.steps
            return tf.reshape(steps, (-1, every, steps.shape[-1])), tf.reshape(mask, (-1, every)), ages
        how, pooling = self.layouts[group.name], self.options.values_pooling
        readers = [self.day_readers.get(str(f.space)) for f in features]
        return laid_out(how, vectors, masks, ages, pooling=pooling, readers=readers, **self._fill(first))

    def _fill(self, history: Feature) -> dict[str, int]:
        """How the gaps of a history of days are filled, and how many days it then has."""
        forward, backward = (
            reach(setting, history.lead + history.steps)
            for setting in (self.options.fill_forward, self.options.fill_backward)
        )
        return {"forward": forward, "backward": backward, "window": history.steps}


def _ids(feature: Feature, vectors: tf.Tensor) -> Part:
    return Part("ids", ((feature.name, int(vectors.shape[-1])),), vectors)


def _dense(feature: Feature, values: tf.Tensor) -> Part:
    flags = int(values.shape[-1]) - feature.size
    reads = ((feature.name, feature.size), *([(f"{feature.name} missing", flags)] if flags else []))
    return Part("dense", reads, values)


def _interest(encoder: Encoder[Any], group: HistoryGroup, history: History, read: tf.Tensor) -> Segments:
    how, width = type(encoder).__name__.lower(), int(read.shape[-1])
    if encoder.keeps_places:
        return tuple((f"{how} of {name}", size) for name, size in history.parts)
    return ((f"{how} of {group.title}", width),)


def _of_steps(feature: Feature) -> bool:
    return feature.kind.is_history or feature.kind is Kind.NEGATIVES
