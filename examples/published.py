"""Published files as people have them: with a byte order mark, in UTF-16, packed, or saved anew by a spreadsheet."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import lzma
import re
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from pipeline.errors import SourceError

PACKED = (".gz", ".bz2", ".xz", ".zip")
_MARKS = {codecs.BOM_UTF32_LE: "utf-32", codecs.BOM_UTF32_BE: "utf-32", codecs.BOM_UTF16_LE: "utf-16",
          codecs.BOM_UTF16_BE: "utf-16"}  # fmt: skip
_DELIMITERS = ",;\t|"
_SEPARATOR_LINE = re.compile(r"sep=(.)", re.IGNORECASE)
_SAMPLE_BYTES = 1 << 20


@dataclass(frozen=True)
class Layout:
    """How a CSV file is written.

    Attributes:
        names: its header, without quotes and blanks around the names.
        lines: how many stand before the first row.
        decimal: what stands before the decimals of a number.
    """

    names: tuple[str, ...]
    delimiter: str
    lines: int
    decimal: str

    def place(self, name: str) -> int | None:
        """Where a column is, whatever letters of its name are capital."""
        wanted = name.casefold()
        return next((place for place, each in enumerate(self.names) if each.casefold() == wanted), None)


def suffix_of(path: Path) -> str:
    """``.csv`` of ``a.csv`` and of ``a.csv.gz``, in small letters; of a zip called otherwise, that of its one file."""
    if path.suffix.casefold() not in PACKED:
        return path.suffix.casefold()
    inner = Path(path.stem).suffix
    if not inner and zipfile.is_zipfile(path):
        inner = Path(_member_of(path)[1]).suffix
    return inner.casefold()


def stem_of(path: Path) -> str:
    """The name without ``.csv`` or ``.csv.gz``."""
    inner = Path(path.stem) if path.suffix.casefold() in PACKED else path
    return inner.stem


def one_each(paths: Iterable[Path]) -> list[Path]:
    """The paths in order; ``SourceError`` where one file is there twice, such as packed and unpacked."""
    found: dict[str, Path] = {}
    for path in sorted(paths):
        other = found.setdefault(stem_of(path), path)
        if other is not path:
            raise SourceError(f"{other} and {path.name} beside it: the same file twice? Keep one of them")
    return list(found.values())


@contextmanager
def plain(path: Path) -> Iterator[Path]:
    """The file unpacked and in UTF-8: itself, or a copy that is gone after the block."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"{stem_of(path)}{suffix_of(path)}"
        yield copy if _copied(path, copy) else path


def _copied(path: Path, copy: Path) -> bool:
    """Whether a file had to be unpacked or written in UTF-8."""
    try:
        with _opened(path) as (file, packed):
            head = file.read(4)
            encoding = next((name for mark, name in _MARKS.items() if head.startswith(mark)), None)
            if encoding is None and 0 in (marks := head[:2]) and copy.suffix == ".csv":
                encoding = "utf-16-le" if marks[1] == 0 else "utf-16-be"
            if encoding is None and not packed:
                return False
            file.seek(0)
            _copy(file, copy, encoding)
            return True
    except (OSError, EOFError, UnicodeError, zipfile.BadZipFile, zlib.error, lzma.LZMAError) as error:
        raise SourceError(f"{path}: cannot be unpacked or read: {error}; fetch it again") from None


def layout_of(path: Path, shown: Path) -> Layout:
    """How a file that is ``plain`` is written; ``shown`` is its name in messages."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE_BYTES).decode("utf-8-sig", "replace")
    lines = sample.splitlines()
    before = 0
    told = _SEPARATOR_LINE.fullmatch(lines[0].strip()) if lines else None
    if told is not None:  # a line by which a spreadsheet keeps its separator
        before = 1
    if len(lines) <= before:
        raise SourceError(f"{shown}: is empty")
    header = lines[before]
    unquoted = re.sub(r'"[^"]*"', "", header)
    delimiter = told[1] if told is not None else max(_DELIMITERS, key=unquoted.count)
    names = tuple(" ".join(name.split()) for name in next(csv.reader([header], delimiter=delimiter), []))
    return Layout(names, delimiter, before + 1, _decimal(lines[before + 1 : -1], delimiter))


def _decimal(lines: Sequence[str], delimiter: str) -> str:
    """A comma where numbers with one stand between other separators, and none with a point."""
    if delimiter == ",":
        return "."
    edge = re.escape(delimiter)
    number = rf"(?:^|{edge})-?\d+%s\d+(?={edge}|$)"
    comma, point = (re.compile(number % each) for each in (",", r"\."))
    if any(point.search(line) for line in lines):
        return "."
    return "," if any(comma.search(line) for line in lines) else "."


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], bool]]:
    """The file's bytes unpacked, and whether it was packed, which its first bytes say whatever it is called."""
    with path.open("rb") as file:
        head = file.read(6)
        file.seek(0)
        if head.startswith(b"PK\x03\x04") and path.suffix.casefold() in PACKED:
            archive, name = _member_of(path)
            with archive, archive.open(name) as member:
                yield member, True
        elif head.startswith(b"\x1f\x8b"):
            with gzip.open(file) as unpacked:
                yield unpacked, True  # type: ignore[misc]
        elif head.startswith(b"BZh"):
            with bz2.open(file) as unpacked:
                yield unpacked, True
        elif head.startswith(b"\xfd7zXZ"):
            with lzma.open(file) as unpacked:
                yield unpacked, True
        else:
            yield file, False


def _member_of(path: Path) -> tuple[zipfile.ZipFile, str]:
    """A zip and the name of the one file in it."""
    archive = zipfile.ZipFile(path)
    names = [each.filename for each in archive.infolist() if not each.is_dir() and "__MACOSX" not in each.filename]
    if len(names) != 1:
        raise SourceError(f"{path}: holds {len(names)} files; unpack it and give the folder as --source")
    return archive, names[0]


def _copy(file: IO[bytes], copy: Path, encoding: str | None) -> None:
    if encoding is None:
        with copy.open("wb") as out:
            shutil.copyfileobj(file, out)
        return
    decoder = codecs.getincrementaldecoder(encoding)()
    with copy.open("w", encoding="utf-8", newline="") as text:
        while chunk := file.read(_SAMPLE_BYTES):
            text.write(decoder.decode(chunk))
        text.write(decoder.decode(b"", final=True))
