"""What `bench.toml` in the working folder and the command line say about plugins."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Sequence
from pathlib import Path

from bench.errors import BenchError, nearest
from bench.plugins.described import Describer
from bench.plugins.feature_sets import FeatureSet
from bench.plugins.registry import Registry

SETTINGS = "bench.toml"


def registry_of(
    files: Sequence[str | os.PathLike[str]],
    folder: Path | None = None,
    describer: Describer | None = None,
    features: Sequence[FeatureSet] = (),
) -> Registry:
    """The registry of this call: entry points, dropped files, ``[plugins] files`` of ``bench.toml``, then ``files``.
    With a ``describer``, no third-party code is imported in this process."""
    folder = folder or Path.cwd()
    named = [*plugin_files(folder / SETTINGS), *files]
    return Registry(named, folder=folder, describer=describer, features=features)


def plugin_files(settings: Path) -> list[Path]:
    """Plugin files named in a settings file, relative to it; none where the file is missing.

    Raises
    ------
    BenchError : for a file that is not TOML or has unknown keys.
    """
    if not settings.is_file():
        return []
    try:
        content = tomllib.loads(settings.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BenchError(f"{settings}: not a readable TOML file: {error}.") from None
    for key in content:
        if key != "plugins":
            raise BenchError(f"{settings}: unknown key {key!r}.{nearest(key, ['plugins'])}")
    plugins = content.get("plugins", {})
    if not isinstance(plugins, dict) or set(plugins) - {"files"}:
        raise BenchError(f"{settings}: [plugins] takes one key: files = ['path/to/mine.py'].")
    files = plugins.get("files", [])
    if not isinstance(files, list) or not all(isinstance(file, str) for file in files):
        raise BenchError(f"{settings}: files of [plugins] must be a list of paths.")
    return [settings.parent / file for file in files]
