"""What a plugin declares of itself, checked: a slip of the pen there is an error, and nothing is guessed."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.errors import BenchError, nearest
from bench.plugins.kinds import PluginKind
from bench.plugins.libraries import missing_libraries

#: Attributes that are tuples of names, by kind of plugin.
_NAMES: Mapping[PluginKind, tuple[str, ...]] = {
    "featurizer": ("libraries", "covariates", "shown"),
    "model": ("libraries", "takes", "devices", "shown"),
    "dataset": (),
}
#: Attributes of which there are only these values.
_CHOICES: Mapping[PluginKind, dict[str, tuple[str, ...]]] = {
    "featurizer": {
        "kind": ("table", "signal", "codes"),
        "role": ("sequence", "confounder", "outside"),
        "strand": ("same", "any"),
        "residualise": ("", "gc"),
    },
    "model": {"takes": ("table", "signal", "codes"), "devices": ("cpu", "cuda")},
    "dataset": {},
}
#: Bytes read at a time.
_PIECE = 1 << 22


def check_declared(kind: PluginKind, plugin: Any) -> None:
    """Check what a plugin object declares.

    Raises
    ------
    BenchError : for a text where a tuple of names must be, and a value that there is not.
    """
    of = getattr(plugin, "name", type(plugin).__name__)
    for attribute in _NAMES[kind]:
        names_of(plugin, attribute)
    if kind != "dataset":  # whose files are downloads
        files_of(plugin)
    for attribute, choices in _CHOICES[kind].items():
        given = getattr(plugin, attribute)
        for each in given if isinstance(given, tuple | list) else (given,):
            if each not in choices:
                raise BenchError(f"{of}: unknown {attribute!r} {each!r}.{nearest(str(each), choices)}")
    if kind == "featurizer" and plugin.residualise and plugin.kind != "table":
        raise BenchError(f"{of}: 'residualise' is for a table of columns. Got the kind {plugin.kind!r}.")


def names_of(plugin: Any, attribute: str) -> tuple[str, ...]:
    """A tuple of names that a plugin declares.

    Raises
    ------
    BenchError : for a text, which would be read letter by letter, and whatever else is no tuple of names.
    """
    given = getattr(plugin, attribute, ())
    if isinstance(given, tuple | list) and all(isinstance(each, str) for each in given):
        return tuple(given)
    of = getattr(plugin, "name", type(plugin).__name__)
    example = f"({given!r},)" if isinstance(given, str) else "('name',)"
    raise BenchError(f"{of}: {attribute!r} must be a tuple of names, such as {attribute} = {example}. Got {given!r}.")


def files_of(plugin: Any) -> tuple[Path, ...]:
    """The files that a plugin declares that it reads (``files``), as `open` would find them.

    Raises
    ------
    BenchError : where they are no tuple of paths.
    """
    given = getattr(plugin, "files", ())
    if isinstance(given, tuple | list) and all(isinstance(each, str | Path) for each in given):
        return tuple(Path(each) for each in given)
    of = getattr(plugin, "name", type(plugin).__name__)
    example = f"({given!r},)" if isinstance(given, str) else "('motifs.txt',)"
    raise BenchError(f"{of}: 'files' must be a tuple of paths, such as files = {example}. Got {given!r}.")


def file_digests(plugin: Any) -> tuple[str, ...]:
    """Hashes of the content of the files that a plugin declares, in its order.

    Raises
    ------
    BenchError : for a file that is not there or cannot be read.
    """
    of = getattr(plugin, "name", type(plugin).__name__)
    found = []
    for path in files_of(plugin):
        try:
            found.append(_digest(path.resolve(), _state(path)))
        except OSError as error:
            raise BenchError(
                f"{of}: its file {path} cannot be read ({error.strerror}). Put it there, or correct 'files' of {of}."
            ) from None
    return tuple(found)


def _state(path: Path) -> tuple[int, ...]:
    """What changes when a file does; of a folder, of all its files."""
    about = path.stat()
    own = about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino
    if not path.is_dir():
        return own
    return own + tuple(n for each in sorted(path.rglob("*")) if each.is_file() for n in _state(each))


@functools.lru_cache(maxsize=256)
def _digest(path: Path, state: tuple[int, ...]) -> str:
    """Hash of a file's content. Its size and times are there to read it again when they are others."""
    sha = hashlib.sha256()
    if path.is_dir():  # a zarr array
        for each in sorted(path.rglob("*")):
            if each.is_file():
                sha.update(f"{each.relative_to(path).as_posix()}\n{_digest(each, _state(each))}\n".encode())
        return sha.hexdigest()[:16]
    with path.open("rb") as stream:
        while piece := stream.read(_PIECE):
            sha.update(piece)
    return sha.hexdigest()[:16]


def not_installed(plugin: Any) -> str | None:
    """What keeps a plugin from running: libraries that are not installed, with the fix; None when all are there."""
    missing = missing_libraries(names_of(plugin, "libraries"))
    if not missing:
        return None
    known = {"xgboost", "lightgbm", "tensorflow", "keras", "scikit-learn"}
    fix = "pip install 'bench-gc[cpu]'" if set(missing) <= known else f"pip install {' '.join(missing)}"
    return f"{', '.join(missing)} not installed ({fix})"
