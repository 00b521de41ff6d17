"""What models have in common that are an encoder for every history and a network on top."""

from __future__ import annotations

from typing import Any

from models.encoders.base import Encoder
from models.encoders.history import HistoryGroup
from models.schema import FeatureSchema
from models.zoo.base import TARGETED
from models.zoo.ranking import RankingModel, TowerOptions


class EncodedModel(RankingModel):
    """A history is read by ``encoder`` with the model's option of that name; one without the target that it needs is
    pooled by its mean."""

    encoder: type[Encoder[Any]]
    options: Any

    def __init__(self, schema: FeatureSchema, options: TowerOptions, tasks: tuple[str, ...], *, name: str) -> None:
        super().__init__(schema, options, tasks, name=name)
        if self.encoder.needs_target and not self.has_targets:
            raise ValueError(f"model '{name}' needs a {TARGETED}; without one, use 'gru'")

    def own_encoder(self, group: HistoryGroup, name: str) -> Encoder[Any]:
        if self.encoder.needs_target and not group.targets:
            return super().own_encoder(group, name)
        return self.encoder(self.options.encoder, group, name=name)

    def idle_options(self) -> dict[str, str]:
        idle = self.idle_of(self.encoder)
        return super().idle_options() | ({"encoder": next(iter(idle.values()))} if idle else {})
