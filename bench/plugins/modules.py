"""Home of plugin files: ``bench.plugins.modules.<stem>_<path in hex>`` is the module of one file, in every process.

The name holds the file's whole path, so two files of one name never collide, and a worker process that unpickles an
object of a plugin finds its file without being told. A plugin file stands alone: it cannot import the files next to it.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Sequence
from importlib.machinery import (
    BYTECODE_SUFFIXES,
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
    SourcelessFileLoader,
)
from pathlib import Path
from types import CodeType, ModuleType

import bench
from bench.plugins.source import is_installed_folder

#: Makes this module a package without a folder: its modules come from ``_Finder`` alone.
__path__: list[str] = []


def module_name(file: Path) -> str:
    """The module name of a plugin file, given by its resolved path."""
    return f"{__name__}.{re.sub(r'[^A-Za-z0-9]', '_', file.stem)}_{str(file).encode('utf-8', 'surrogateescape').hex()}"


class FromSource(SourceFileLoader):
    """Runs the text of a module as it lies there. Python would take compiled code in ``__pycache__`` of a text that was
    as long and as old to the second: of an older version, then, under the key of the new one."""

    def get_code(self, fullname: str) -> CodeType:
        """The compiled text."""
        path = self.get_filename(fullname)
        code: CodeType = self.source_to_code(self.get_data(path), path)
        return code


def helpers_from_source() -> None:
    """From now on this process runs the text of every module that no installer put where it is: for a process that
    runs third-party plugins, whose helpers' text is in the keys."""
    loaders: list[tuple[type, list[str]]] = [
        (ExtensionFileLoader, EXTENSION_SUFFIXES),
        (FromSource, SOURCE_SUFFIXES),
        (SourcelessFileLoader, BYTECODE_SUFFIXES),
    ]
    own = Path(bench.__file__).resolve().parent

    def finder(path: str) -> FileFinder:
        folder = Path(path or ".").resolve()
        if not folder.is_dir() or is_installed_folder(folder) or folder == own.parent or folder.is_relative_to(own):
            raise ImportError(path)  # the next hook's
        return FileFinder(path, *loaders)

    sys.path_hooks.insert(0, finder)
    sys.path_importer_cache.clear()


class _Finder:
    """Finds the file of a module of this package."""

    @staticmethod
    def find_spec(name: str, path: Sequence[str] | None = None, target: ModuleType | None = None) -> ModuleSpec | None:
        home, _, last = name.rpartition(".")
        if home != __name__:
            return None
        try:
            file = Path(bytes.fromhex(last.rpartition("_")[2]).decode("utf-8", "surrogateescape"))
        except ValueError:
            return None
        loader = FromSource(name, str(file))
        return importlib.util.spec_from_file_location(name, file, loader=loader) if file.is_file() else None


if not any(getattr(finder, "__module__", None) == __name__ for finder in sys.meta_path):
    sys.meta_path.append(_Finder)
