"""Home of plugin files: ``bench.plugins.modules.<stem>_<path in hex>`` is the module of one file, in every process.

The name holds the file's whole path, so two files of one name never collide, and a worker process that unpickles an
object of a plugin finds its file without being told. A plugin file stands alone: it cannot import the files next to it.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

#: Makes this module a package without a folder: its modules come from ``_Finder`` alone.
__path__: list[str] = []


def module_name(file: Path) -> str:
    """The module name of a plugin file, given by its resolved path."""
    return f"{__name__}.{re.sub(r'[^A-Za-z0-9]', '_', file.stem)}_{str(file).encode('utf-8', 'surrogateescape').hex()}"


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
        return importlib.util.spec_from_file_location(name, file) if file.is_file() else None


if not any(getattr(finder, "__module__", None) == __name__ for finder in sys.meta_path):
    sys.meta_path.append(_Finder)
