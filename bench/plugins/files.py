"""Plugin files: importing one, the plugin classes it defines, and those dropped into a plugin folder."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import os
import re
import tomllib
import types
from pathlib import Path

from bench.errors import BenchError
from bench.plugins.kinds import DISTRIBUTION, GROUPS, is_kind
from bench.plugins.modules import module_name
from bench.plugins.source import imported

#: Plugin folders: of this package (``bench/featurizers``), and of the same name below the working folder.
FOLDERS = ("featurizers", "models")


def load_file(path: str | os.PathLike[str]) -> types.ModuleType:
    """Import a Python file under a name that its whole path decides, so that two files of one name never collide.

    Raises
    ------
    BenchError : for a path that is no Python file, and for whatever is raised while it is imported.
    """
    file = Path(path).resolve()
    if not file.is_file():
        raise BenchError(f"{path}: no such plugin file.")
    if file.suffix != ".py":
        raise BenchError(f"{path}: is not a Python file (its name must end in .py).")
    package = next((f"bench.{name}" for name in FOLDERS if file.parent in _homes(name)), None)
    try:
        return importlib.import_module(module_name(file) if package is None else f"{package}.{file.stem}")
    except (Exception, SystemExit) as error:
        absent = error.name if isinstance(error, ModuleNotFoundError) else None
        fix = "Put it right, or leave it out" if absent is None else f"Install {absent}, or leave it out"
        said = f"{path}: cannot be imported: {type(error).__name__}: {error}. {fix}."
        raise BenchError(said, status=1) from error


def classes_in_file(path: str | os.PathLike[str]) -> list[type]:
    """Every plugin class that a Python file defines.

    Raises
    ------
    BenchError : for a file that cannot be imported or defines none.
    """
    classes = plugin_classes(load_file(path))
    if not classes:
        raise BenchError(
            f"{path}: defines no plugin. Write a class that derives from bench.Featurizer or bench.Model and sets"
            " 'name'."
        )
    return classes


def plugin_classes(module: types.ModuleType) -> list[type]:
    """Plugin classes that a module defines itself (not those it imports), in the order of their text."""
    return [
        cls
        for cls in vars(module).values()
        if isinstance(cls, type)
        and any(is_kind(cls, kind) for kind in GROUPS)
        and cls.__module__ == module.__name__
        and "name" in vars(cls)
    ]


def dropped_files(folder: Path) -> list[Path]:
    """Files with plugins in the plugin folders of this package and below ``folder`` that no entry point names."""
    named = {
        point.value.partition(":")[0]
        for group in GROUPS.values()
        for point in importlib.metadata.entry_points(group=group)
    }
    found: dict[Path, None] = {}
    for name in FOLDERS:
        own = _homes(name)
        for home in sorted({*own, (folder / name).resolve()}):
            is_own = home in own or _is_clone(home.parent)
            for path in sorted(home.glob("*.py")) if home.is_dir() else ():
                is_named = is_own and f"bench.{name}.{path.stem}" in named
                if not is_named and not path.stem.startswith(("_", "test_")) and _defines_plugin(path):
                    found[path] = None
    return list(found)


def _is_clone(folder: Path) -> bool:
    """Whether a folder is a clone of this package (or its unpacked sdist): its built-in files are not third-party
    plugins where the package that runs is installed elsewhere, as from a wheel."""
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8")).get("project")
    except (OSError, ValueError):
        return False
    return isinstance(project, dict) and project.get("name") == DISTRIBUTION


def _homes(name: str) -> set[Path]:
    """Where the package of a plugin folder lies."""
    return {Path(place).resolve() for place in importlib.import_module(f"bench.{name}").__path__}


def _defines_plugin(path: Path) -> bool:
    """Whether a file imports bench and has a derived class with a literal ``name``; read as text, nothing is run. A
    folder called ``models`` may well hold other people's files."""
    try:
        text = path.read_bytes()
        tree = ast.parse(text)
    except OSError:
        return False
    except (SyntaxError, ValueError):
        return re.search(rb"^\s*(from|import) bench\b", text, re.MULTILINE) is not None  # the import says what is wrong
    imports = {found.full.partition(".")[0] for node in ast.walk(tree) for found in imported(node)}
    return "bench" in imports and any(
        isinstance(statement, ast.Assign | ast.AnnAssign)
        and isinstance(statement.value, ast.Constant)
        and any(
            isinstance(target, ast.Name) and target.id == "name"
            for target in (statement.targets if isinstance(statement, ast.Assign) else [statement.target])
        )
        for node in tree.body
        if isinstance(node, ast.ClassDef) and node.bases
        for statement in node.body
    )
