"""A history as it is read: which ones are read together, and what is known of their steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import tensorflow as tf

from models.architecture import Segments
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
        ages: the feature that tells how old each step is, if the job has it.
        negatives: of the histories that have them, what could have stood in their steps; in the order of these.
        stand_ins: what replaces each history where no step of any is known; empty for none.
    """

    name: str
    title: str
    features: tuple[Feature, ...]
    targets: tuple[Feature, ...]
    stand_ins: tuple[Feature, ...]
    ages: Feature | None = None
    negatives: tuple[Feature, ...] = ()


def history_groups(schema: FeatureSchema) -> tuple[HistoryGroup, ...]:
    """The histories of a schema, together where their ``group`` says so.

    Raises:
        ValueError: a history on another side than the request's, or of or replaced by a feature that the
            schema lacks, or of an item feature in another id space; a group whose steps are not the same; ages of a
            group that there is not, or whose steps have none.
    """
    names = {feature.name for feature in schema.features}
    for feature in schema.features:
        if not feature.kind.is_history:
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
            alike = ("kind", "sessions", "steps", "space")
            if any(getattr(other_feature, each) != getattr(feature, each) for each in alike):
                raise ValueError(
                    f"feature '{feature.name}': its stand_in '{other_feature.name}' differs in kind, steps or id space"
                )
    ages = _ages_by_group(schema)
    negatives = {feature.of: feature for feature in schema.features if feature.kind is Kind.NEGATIVES}
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
                ages=ages.pop(members[0].group, None) if members[0].group else None,
                negatives=tuple(negatives[f.name] for f in ordered if f.name in negatives),
            )
        )
        _check_ages(groups[-1])
    for group, feature in ages.items():
        raise ValueError(f"feature '{feature.name}': no history in use is of its group '{group}'; leave it out")
    return tuple(groups)


def _ages_by_group(schema: FeatureSchema) -> dict[str, Feature]:
    found: dict[str, Feature] = {}
    for feature in schema.features:
        if feature.kind is Kind.AGES:
            other = found.setdefault(str(feature.group), feature)
            if other is not feature:
                raise ValueError(f"features '{other.name}' and '{feature.name}': a group has its ages once")
    return found


def _check_ages(group: HistoryGroup) -> None:
    ages, first = group.ages, group.features[0]
    if ages is None:
        return
    if group.stand_ins:
        raise ValueError(f"feature '{ages.name}': '{first.name}' has a stand_in, of whose steps nobody tells the ages")
    if ages.size != first.slots:
        raise ValueError(f"feature '{ages.name}': {ages.size} steps, but '{first.name}' of its group has {first.slots}")


class Negatives(NamedTuple):
    """What could have stood in the place of each step of a history: ``steps [batch, steps, negatives, dim]``, bool
    ``mask [batch, steps, negatives]``. A part of the steps that negatives have not is zero."""

    steps: tf.Tensor
    mask: tf.Tensor


@dataclass(frozen=True)
class History:
    """A group as a model reads it: ``steps [batch, steps, dim]``, bool ``mask [batch, steps]``, and the candidates'
    own vectors, ``target [batch, candidates, of]`` (``None`` without). The first ``of`` values of a step are in the
    target's space, the others are parts of which candidates have none. Where the job tells how old steps are, ``ages
    [batch, steps]`` is the time from each to the request, in days or the ages' ``unit``, and 0 where there is no step
    or nobody said. Of
    ``sessions`` the steps are those of the first, then of the next, as many of each. ``parts`` names what the values of
    a step are of. In training alone there are ``negatives``, for an encoder that reads them, and bool ``candidates
    [batch, candidates]``, which are any."""

    steps: tf.Tensor
    mask: tf.Tensor
    target: tf.Tensor | None
    ages: tf.Tensor | None = None
    sessions: int | None = None
    parts: Segments = ()
    negatives: Negatives | None = None
    candidates: tf.Tensor | None = None

    @property
    def parts_of_target(self) -> Segments:
        """Those of ``parts`` that a candidate has too."""
        end, found = int(self.target.shape[-1]) if self.target is not None else 0, []
        for name, size in self.parts:
            end -= size
            if end < 0:
                break
            found.append((name, size))
        return tuple(found)
