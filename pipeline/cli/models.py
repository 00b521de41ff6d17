"""``models``: what an experiment can be made of, as the code has it."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.cli.arguments import Commands, add_json
from pipeline.cli.output import in_columns, print_json
from pipeline.errors import UsageError
from pipeline.process.tensorflow_start import start_tensorflow

if TYPE_CHECKING:
    from models.options import Option
    from models.registry import Card


def register(commands: Commands) -> None:
    parser = commands.add(
        "models", _models, "Every model with its options, what it needs and its paper; encoders and optimisers.",
        "models din",
    )  # fmt: skip
    parser.add_argument("name", nargs="?", help="only this model, or encoder")
    add_json(parser)


def collect() -> dict[str, Any]:
    """Models, encoders of histories, and optimisers of tables and of dense weights, each with its options."""
    start_tensorflow()
    from models import registry
    from models.encoders.registry import ENCODERS
    from models.optimizer_settings import OF_DENSE, OF_TABLES
    from models.options import told_options

    return {
        "models": {name: registry.card(name) for name in registry.names()},
        "encoders": {name: told_options(each.Options) for name, each in ENCODERS.items()},
        "optimizers": {
            place: {name: {key: field.default for key, field in each.model_fields.items()} for name, each in of.items()}
            for place, of in (("tables", OF_TABLES), ("dense", OF_DENSE))
        },
    }


def _models(options: argparse.Namespace) -> int:
    found = collect()
    if options.name is not None:
        from models.options import meant

        known = [*found["models"], *(name for name in found["encoders"] if name not in found["models"])]
        if options.name not in known:
            told = f"there is no model '{options.name}'{meant(options.name, known)}"
            raise UsageError(f"{told}; models and encoders: {', '.join(known)}")
        found = {
            kind: {options.name: each[options.name]}
            for kind, each in found.items() if kind != "optimizers" and options.name in each
        }  # fmt: skip
    if options.json:
        print_json(_plain(found), indent=1)
        return 0
    blocks = [_told_model(card) for card in found.get("models", {}).values()]
    blocks += [_told_encoder(name, each) for name, each in found.get("encoders", {}).items()]
    blocks += [_told_optimizers(place, each) for place, each in found.get("optimizers", {}).items()]
    print("\n\n".join(blocks))
    return 0


def _plain(found: Mapping[str, Any]) -> dict[str, Any]:
    plain = dict(found)
    plain["models"] = {name: asdict(card) for name, card in found.get("models", {}).items()}
    plain["encoders"] = {name: [asdict(each) for each in of] for name, of in found.get("encoders", {}).items()}
    return plain


def _told_model(card: Card) -> str:
    lines = [
        f"{card.name} ({card.family}): {card.summary}",
        f"  needs {card.needs}; tasks: any number, of loss {' or '.join(card.losses)}; trained by {card.trainer}",
        *([f"  {card.paper}"] if card.paper else []),
    ]
    return "\n".join([*lines, _table(card.options)])


def _told_encoder(name: str, options: list[Option]) -> str:
    return "\n".join([f"encoder {name}", _table(options)])


def _told_optimizers(place: str, of: Mapping[str, Mapping[str, Any]]) -> str:
    lines = [f"optimisers of {'tables' if place == 'tables' else 'dense weights'}"]
    for name, settings in of.items():
        told = (f"{key} {'-' if value is None else value}" for key, value in settings.items())
        lines.append(f"  {name}: {', '.join(told)}")
    return "\n".join(lines)


def _table(options: list[Option]) -> str:
    rows = [(f"  {each.name}", each.default, each.allowed, each.what) for each in options]
    return in_columns(("  option", "default", "allowed", "what it is"), rows)
