"""What could have stood in the steps of a history, as an encoder that is trained by it gets it."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf

from models.encoders.history import HistoryGroup, Negatives
from models.inputs import ModelInputs
from models.layers.day_layouts import DayLayout
from models.layers.history import fill_gaps
from models.schema import Kind


def check_negatives(group: HistoryGroup, layout: DayLayout) -> None:
    """Whether an encoder can compare the steps of a history with others.

    Raises:
        ValueError: there are none, or the steps are not what they were drawn for; says what to do.
    """
    compared = f"the history '{group.title}' is to tell its next steps from others (`next`)"
    if not group.negatives:
        raise ValueError(
            f"{compared}, of which there are none; draw some with `negatives: 5` of its feature "
            f"'{group.features[0].name}'"
        )
    if group.features[0].kind is Kind.BAG_SEQUENCE and layout != "paired":
        raise ValueError(
            f"{compared}, and what is drawn is of days, which are no steps with `layout: {layout}`; leave one out"
        )


def negatives_of(group: HistoryGroup, inputs: ModelInputs, fill: Mapping[str, int]) -> Negatives:
    """What could have stood in a group's steps, part by part beside these; nothing of a request that is not trained.

    Args:
        fill: how gaps of days are filled (``models.layers.history.fill_gaps``): where a day goes, so does this.
    """
    found = {f.of: inputs.vectors[f.name] for f in group.negatives}
    masks = [inputs.mask[f.name] for f in group.negatives]
    widths = {f.name: int(inputs.vectors[f.name].shape[-1]) for f in group.features}
    parts = [
        found[name] if name in found else tf.zeros(tf.concat([tf.shape(masks[0]), [width]], axis=0))
        for name, width in widths.items()
    ]
    vectors, mask = tf.concat(parts, axis=-1), tf.reduce_any(tf.stack(masks), axis=0)
    if inputs.real is not None:
        mask &= tf.reduce_any(inputs.real, axis=1)[:, None, None]
    if group.features[0].kind is not Kind.BAG_SEQUENCE:
        return Negatives(vectors, mask)
    _, days, count = masks[0].shape
    known = [tf.reduce_any(inputs.mask[f.name], axis=-1) for f in group.features]
    flat = tf.reshape(vectors, (-1, days, count * vectors.shape[-1]))
    filled, _ = fill_gaps(
        tf.concat([flat, tf.cast(mask, flat.dtype)], axis=-1), tf.reduce_any(tf.stack(known), axis=0), **fill
    )
    steps = tf.reshape(filled[..., :-count], (-1, fill["window"], count, vectors.shape[-1]))
    return Negatives(steps, filled[..., -count:] > 0)
