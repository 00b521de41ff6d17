"""The loss by which an encoder learns to tell the next step of a history from others: its options, and its value."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import tensorflow as tf
from pydantic import Field

from models.architecture import Segments
from models.encoders.history import History
from models.layers.next_step_loss import NextStepLoss
from models.options import ModelOptions, Widths
from models.outputs import Auxiliary


class NextOptions(ModelOptions):
    """Of the loss ``next``: what is read of the steps so far, against the next step and the negatives of that step."""

    weight: float = Field(
        default=0.0, ge=0, description="of the loss of telling each next step from its `negatives` by those before it"
    )
    units: Widths = Field(default=(), description="hidden layers of the network that does; none: the inner product")


def next_step_layer(options: NextOptions, name: str) -> NextStepLoss | None:
    """The layer of the loss, if it has a weight.

    Raises:
        ValueError: a network for a loss that has none.
    """
    if options.weight > 0:
        return NextStepLoss(options.units, name=f"{name}_next")
    if options.units:
        raise ValueError("`next.units` would have no effect: the loss has no `weight`; leave them out")
    return None


def next_step_losses(
    layer: NextStepLoss | None, weight: float, so_far: Callable[[], tf.Tensor], width: int, history: History,
    training: bool, *, state_of: Segments = (),
) -> Mapping[str, Auxiliary]:  # fmt: skip
    """The loss by its name where there is one, in training.

    Args:
        so_far: gives what is read of the steps up to each, ``[batch, steps, width]``.
        state_of: what its values are of, if that is known.
    """
    if layer is None:
        return {}
    layer.state_of, layer.step_of = state_of, history.parts
    if not layer.built:
        layer.build((None, None, width), history.steps.shape)
    if not training or history.negatives is None:
        return {}
    return {"next": Auxiliary(layer(so_far(), history.steps, history.mask, *history.negatives), weight)}
