"""A history as it is read: which ones are read together, and what is known of their steps."""

from __future__ import annotations

from dataclasses import dataclass

import tensorflow as tf

from models.schema import Feature, FeatureSchema, Kind, Side


@dataclass(frozen=True)
class HistoryGroup:
    """Histories that are declared to be the parts of the same steps (``Feature.group``), or one by itself.

    Attributes:
        name: of the group's layers, that of its first feature.
        title: by which an experiment names it: what is declared as the ``group``, or the feature's name without.
        features: the histories; their vectors stand side by side in a step, those with a target first.
        targets: the item features that the first of them are histories of, in the same order; empty for a group
            without a target (behaviours of a user that are not items).
        stand_ins: what replaces each history where no step of any is known; empty for none.
    """

    name: str
    title: str
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
                title=members[0].group or members[0].name,
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
