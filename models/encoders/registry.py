"""The encoders by name, and one made as an experiment asks for it.

A new encoder is one file: a subclass of :class:`models.encoders.base.Encoder` with an ``Options`` of
:class:`models.options.ModelOptions`, and a line of ``ENCODERS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from models.encoders.attentive import Attentive
from models.encoders.base import Encoder
from models.encoders.bgru import Bgru
from models.encoders.bst import Bst
from models.encoders.dien import Dien
from models.encoders.din import Din
from models.encoders.dsin import Dsin
from models.encoders.gru import Gru
from models.encoders.history import HistoryGroup
from models.encoders.pooled import Pooled
from models.encoders.transformer import Transformer
from models.options import read_options

ENCODERS: Mapping[str, type[Encoder[Any]]] = {
    "attentive": Attentive, "bgru": Bgru, "bst": Bst, "dien": Dien, "din": Din, "dsin": Dsin, "gru": Gru,
    "pooled": Pooled, "transformer": Transformer,
}  # fmt: skip


def check_names(asked: Mapping[str, object], groups: tuple[HistoryGroup, ...]) -> None:
    """Whether each history that is given an encoder is one, and one only.

    Raises:
        ValueError: names the one that is not, and those that are.
    """
    titles = [group.title for group in groups]
    for title in asked:
        if titles.count(title) != 1:
            wrong = "two histories are called" if title in titles else "there is no history"
            raise ValueError(
                f"options.encoders: {wrong} '{title}' (a `group`, or a feature without one); "
                f"histories: {', '.join(titles) or 'none'}"
            )


def encoder_of(group: HistoryGroup, settings: Mapping[str, object], *, name: str) -> Encoder[Any]:
    """The encoder that the ``settings`` of a history ask for: ``type`` and its options.

    Raises:
        ValueError: no such type or option, a value that is not allowed, or the history lacks what the encoder needs.
    """
    field = f"options.encoders.{group.title}"
    wanted = settings.get("type")
    if not isinstance(wanted, str) or wanted not in ENCODERS:
        given = f"{wanted!r} is not" if "type" in settings else "it has none; expected"
        raise ValueError(f"{field}.type: {given} one of {', '.join(ENCODERS)}")
    cls = ENCODERS[wanted]
    # The layout is the history's, whatever reads it.
    given_options = {option: value for option, value in settings.items() if option not in ("type", "layout")}
    options = read_options(cls.Options, f"{field}: encoder '{wanted}'", given_options)
    if cls.needs_target and not group.targets:
        raise ValueError(
            f"{field}: encoder '{wanted}' reads a history against each candidate, but '{group.title}' holds values of "
            f"no item feature (`of`)"
        )
    return cls(options, group, name=name)
