"""What may lie beside a result because somebody asked for it: its fitted models, what explains them.

Each kind is a record (JSON) that names the result's key and the files it goes with, by size and checksum. It counts for
as long as the result has that key. It can be made again from the result, so that a result is never held back by it.
"""

from __future__ import annotations

import os
import re
import shutil
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from bench.files.atomic import atomic, disk_errors, has_its_checksum, json_object, read_file
from bench.store.record import Record, RowsFile, State, mark, read_record, write_record

MODELS = "models.json"
EXPLANATION = "explain.json"
#: Records of companions, and the names of the files that may go with each.
_FILES: dict[str, re.Pattern[str]] = {
    MODELS: re.compile(r"models\.bin"),
    EXPLANATION: re.compile(r"(attributions|gradients|hits|motifs|explain)(-[a-z0-9-]+)?\.(npz|bedgraph|bed|meme|svg)"),
}


class Companion(Record):
    """A record beside a result. ``key`` : of the result. ``files`` : those that go with it, by name."""

    key: str
    files: dict[str, RowsFile] = Field(default_factory=dict)


class ModelsRecord(Companion):
    """``models.json``. ``sizes`` : bytes of each fold's model in models.bin, one after the other. ``third_party`` : the
    model's code is not this package's, so that reading it may run anything. ``versions`` : of the libraries that took
    part."""

    sizes: list[int]
    third_party: bool
    versions: dict[str, str]


C = TypeVar("C", bound=Companion)


def is_companion(name: str) -> bool:
    """Whether a file's name is that of a companion of a result."""
    return name in _FILES or any(each.fullmatch(name) for each in _FILES.values())


def write_companion(folder: Path, name: str, record: C, files: Mapping[str, Callable[[Path], None]]) -> C:
    """Write files, each by a function of the path, then the record that names them; files of an earlier record that are
    not written again go. Returns the record with its files.

    Raises
    ------
    BenchError : for a full disk, or a place that cannot be written.
    """
    wrong = [each for each in files if _FILES[name].fullmatch(each) is None]
    assert not wrong, f"{name}: {wrong} is not listed, so that no one would clean it"
    marks = {}
    with disk_errors(folder):
        for each, write in files.items():
            with atomic(folder / each) as path:
                write(path)
                found = mark(path)
            marks[each] = RowsFile(bytes=found.bytes, crc32=found.crc32)
        whole = record.model_copy(update={"files": marks})
        write_record(folder / name, whole)
        for path in _files(folder, name):
            if path.name not in marks:
                path.unlink()
    return whole


def read_companion(folder: Path, name: str, kind: type[C], key: str) -> C | None:
    """The record of a companion of the result with a key; None where there is none, it is of another key, or not
    whole. Its files were not read: ``read_beside`` does."""
    found = read_record(kind, folder / name)
    if found.record is None or found.state != State.WHOLE or found.record.key != key:
        return None
    there = (_size(folder / each) == about.bytes for each, about in found.record.files.items())
    named = all(_FILES[name].fullmatch(each) for each in found.record.files)
    return found.record if named and all(there) else None


def read_beside(folder: Path, record: Companion, name: str) -> bytes | None:
    """A file that a companion names; None where it is not what was written."""
    try:
        content = read_file(folder / name)
    except OSError:
        return None
    return content if zlib.crc32(content) == record.files[name].crc32 else None


def companions(folder: Path) -> Iterator[tuple[Path, str | None, list[Path]]]:
    """(record's path, key, files there) of each kind that lies in a result's folder; no key where the record cannot be
    read."""
    for name in _FILES:
        files = _files(folder, name)
        if (folder / name).is_file() or files:
            yield folder / name, _key(folder / name), files


def copy_companions(source: Path, target: Path, key: str) -> None:
    """Copy what lies beside the result with a key from one of its folders to another, where the other has none."""
    for path, theirs, files in companions(source):
        if theirs != key or _key(target / path.name) == key:
            continue
        for each in (*files, path):
            with atomic(target / each.name) as new:
                shutil.copyfile(each, new, follow_symlinks=False)


def remove_companions(folder: Path, key: str) -> None:
    """Remove what lies beside an earlier result of the folder: with another key than the one that is there now."""
    for path, theirs, files in companions(folder):
        if theirs != key:
            for each in (*files, path):
                each.unlink(missing_ok=True)


def _files(folder: Path, name: str) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            mine = [e.name for e in entries if e.is_file(follow_symlinks=False) and _FILES[name].fullmatch(e.name)]
    except OSError:
        return []
    return [folder / each for each in sorted(mine)]


def _key(path: Path) -> str | None:
    try:
        content = json_object(read_file(path))
    except OSError:
        return None
    if content is None or not has_its_checksum(content) or not isinstance(content.get("key"), str):
        return None
    return str(content["key"])


def _size(path: Path) -> int:
    try:
        return path.stat(follow_symlinks=False).st_size
    except OSError:
        return -1
