"""Pickled dictionaries of texts and numbers, read without executing what a pickle may ask for."""

from __future__ import annotations

import io
import pickle
from pathlib import Path
from typing import Any, NoReturn

from pipeline.errors import SourceError


class Asks(Exception):
    """What a pickle would have imported."""


class Plain(pickle.Unpickler):
    """Reads what pickles say in their own words; all else they would import, which is refused."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise Asks(f"{module}.{name}")


def read_numbers(path: Path) -> dict[str, int]:
    """The pickled dictionary of a file, from texts to whole numbers from 0; written by Python 2 or 3.

    Raises:
        SourceError: it is no such file, or would execute something; nothing of it has been executed.
    """
    try:
        found = _read(path.read_bytes())
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror}") from None
    except Asks as asked:
        raise SourceError(
            f"{path}: asks for {asked}, which a dictionary of texts and numbers does not need; nothing was executed"
        ) from None
    except Exception as error:  # of damaged bytes an unpickler raises whatever comes up
        raise SourceError(f"{path}: is no pickle of a dictionary, or damaged: {error}; fetch it again") from None
    if not isinstance(found, dict):
        raise SourceError(f"{path}: holds a {type(found).__name__}, where a dictionary is expected")
    for key, value in found.items():
        if not isinstance(key, str) or type(value) is not int or value < 0:
            raise SourceError(f"{path}: {key!r} is {value!r}; expected texts, each with a whole number from 0")
    return found


def _read(stored: bytes) -> Any:
    return Plain(io.BytesIO(stored), encoding="utf-8", errors="replace").load()
