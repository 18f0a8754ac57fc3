"""What a plugin is made of: a hash of the code it runs."""

from __future__ import annotations

import ast
import functools
import hashlib
import importlib.util
import inspect
import itertools
import site
import sys
import sysconfig
from collections.abc import Iterator
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any, NamedTuple

#: Packages of ``bench`` whose code is part of the plugins that import it.
_HASHED = ("bench.kernels", "bench.motifs", "bench.featurizers", "bench.models")
#: Where the modules of plugin files are: one of theirs is nobody else's code.
_PLUGIN_FILES = "bench.plugins.modules."
#: Folders that installers put packages into, whatever lies above them.
_INSTALLED = {"site-packages", "dist-packages"}
_LOADED: dict[type, str] = {}


def loaded_digest(cls: type) -> str:
    """``source_digest`` as it was when this process first asked, which is when the class was loaded: the hash of the
    code that runs here, whatever became of its files since."""
    if cls not in _LOADED:
        _LOADED[cls] = source_digest(cls)
    return _LOADED[cls]


def source_digest(cls: type) -> str:
    """Hash of the code a plugin runs, as it lies in files now: its module, and the modules it imports from its own
    package, from the built-in plugins, ``bench.kernels`` or ``bench.motifs``; for a third-party one also whatever else
    it imports that no installer put where it is, such as files next to it on the path.

    Comments, docstrings, blank lines and formatting do not count. Nor does the place from which a name of ``bench`` or
    of the plugin's own package is imported: when a module moves, no result is fitted again. Every version of Python
    gives the same digest.
    """
    described = getattr(cls, "source", None)
    if not isinstance(cls, type) and isinstance(described, str):
        return described  # of a plugin that another process imports
    seen: dict[Path, str] = {}
    try:
        _collect(Path(inspect.getfile(cls)), cls.__module__, seen)
    except OSError as error:
        return f"gone: {error.filename}"
    # A module that holds nothing, such as the start of a package, is no code.
    return hashlib.sha256("\n".join(sorted(filter(None, seen.values()))).encode()).hexdigest()[:16]


class Imported(NamedTuple):
    """One thing that an import statement brings in: its full name, and what it is called in the importing module."""

    full: str
    bound: str


def imported(node: ast.AST, package: str = "") -> Iterator[Imported]:
    """What a node of a module in ``package`` imports: nothing where it is no import statement, nor a call of
    ``import_module`` or ``__import__`` with a name in letters."""
    if isinstance(node, ast.Import):
        for alias in node.names:
            yield Imported(alias.name, alias.asname or alias.name.partition(".")[0])
    elif isinstance(node, ast.ImportFrom):
        above = package.split(".")
        home = ".".join(above[: len(above) - node.level + 1]) if node.level else ""
        home = ".".join(piece for piece in (home, node.module) if piece)
        yield from (Imported(f"{home}.{alias.name}", alias.asname or alias.name) for alias in node.names)
    elif isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
        # importlib.import_module("helper"), __import__("helper")
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        name = node.args[0].value
        if called in ("import_module", "__import__") and isinstance(name, str) and name.strip("."):
            above = package.split(".")
            up = len(name) - len(name.lstrip("."))
            home = ".".join([*above[: len(above) - up + 1], ""]) if up else ""
            yield Imported(home + name.lstrip("."), "")


def _collect(path: Path, module: str, seen: dict[Path, str]) -> None:
    """Put into ``seen`` the text of a module and of every module whose code counts with it."""
    if path in seen:
        return
    about = path.stat()
    state = about.st_size, about.st_mtime_ns, about.st_ctime_ns, about.st_ino
    text, files = _read(path, module, state, tuple(sys.path))
    seen[path] = text
    for name, file in files:
        _collect(file, name, seen)


@functools.lru_cache(maxsize=1024)
def _read(
    path: Path, module: str, state: tuple[int, ...], places: tuple[str, ...]
) -> tuple[str, tuple[tuple[str, Path], ...]]:
    """What counts of one module, and the modules that count with it. The arguments after ``module`` are there to read
    a file again when they are others."""
    content = path.read_bytes()
    if path.suffix != ".py":
        return hashlib.sha256(content).hexdigest(), ()
    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError):  # of another version of Python; nothing that is imported here
        return hashlib.sha256(content).hexdigest(), ()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    own = module.partition(".")[0]
    counted = _HASHED if own == "bench" else (own, *_HASHED)
    third_party = own != "bench" or module.startswith(_PLUGIN_FILES)
    names: set[str] = set()
    files: dict[str, Path] = {}
    for full, bound in (found for node in ast.walk(tree) for found in imported(node, package)):
        if _within(full, (own, "bench")):
            # A module is known by what it is called here; of a thing in a module its own name counts too.
            names.add(bound if _file_of(full) is not None else f"{full.rpartition('.')[2]} as {bound}")
        elif not third_party or _is_installed(full.partition(".")[0]):
            continue
        for name in _and_above(full):
            mine = _within(name, counted) or (third_party and not _within(name, ("bench",)))
            if mine and (found := _file_of(name)) is not None:
                files[name] = found
    return "\n".join([*sorted(names), _text(_stripped(tree, package, own))]), tuple(sorted(files.items()))


def _and_above(name: str) -> Iterator[str]:
    """A module's name and those of the packages above it, whose code runs when it is imported."""
    while name:
        yield name
        name = name.rpartition(".")[0]


def _is_installed(top: str) -> bool:
    """Whether a package or module comes with Python or was put where it is by an installer, so that its version tells
    its code; also where it cannot be found."""
    if top in sys.stdlib_module_names or top in sys.builtin_module_names:
        return True
    spec = _spec(top)
    if spec is None:
        return True
    places = [spec.origin] if spec.has_location and spec.origin else list(spec.submodule_search_locations or ())
    return all(is_installed_folder(Path(place)) for place in places)


def is_installed_folder(place: Path) -> bool:
    """Whether a folder, or a file in one, is Python's own or was put there by an installer."""
    return bool(_INSTALLED & set(place.parts)) or any(place.is_relative_to(home) for home in _homes())


@functools.cache
def _homes() -> tuple[Path, ...]:
    """Folders of Python's own modules and of installed packages."""
    places = [sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")]
    return tuple(Path(place) for place in {*places, *site.getsitepackages(), site.getusersitepackages()} if place)


def _within(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _file_of(name: str) -> Path | None:
    """The file of a module; None for what is no module or has no file."""
    spec = _spec(name)
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin is not None else None


def _spec(name: str) -> ModuleSpec | None:
    """As ``importlib.util.find_spec``, which would import the packages above the module."""
    above = name.rpartition(".")[0]
    try:
        if not above:
            return importlib.util.find_spec(name)
        parent = _spec(above)
        where = None if parent is None else parent.submodule_search_locations
        return None if where is None else PathFinder.find_spec(name, where)
    except (ImportError, AttributeError, ValueError):
        return None


def _stripped(tree: ast.Module, package: str, own: str) -> ast.Module:
    """``tree`` without docstrings, ``pass``, and imports from ``bench`` and the own package."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            node.names = [alias for alias in node.names if not _within(alias.name, (own, "bench"))]
        for field in ("body", "orelse", "finalbody"):
            statements = getattr(node, field, None)
            if isinstance(statements, list):  # that of a lambda is an expression
                first = 1 if field == "body" and _has_docstring(node) else 0
                setattr(node, field, [each for each in statements[first:] if not _is_idle(each, package, own)])
    return tree


def _has_docstring(node: ast.AST) -> bool:
    if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) or not node.body:
        return False
    first = node.body[0]
    return isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str)


def _is_idle(statement: ast.stmt, package: str, own: str) -> bool:
    """Whether a statement does nothing, or only imports what is counted otherwise."""
    here = [full for full, _ in imported(statement, package)]
    return isinstance(statement, ast.Pass) or (bool(here) and all(_within(full, (own, "bench")) for full in here))


def _text(node: Any) -> str:
    """A syntax tree as text that every version of Python writes alike: ``ast.unparse`` chooses other quotes from 3.12
    on, and ``ast.dump`` shows new fields."""
    if isinstance(node, ast.JoinedStr):  # the letters between two values are one piece, or several, or an empty one
        pieces = itertools.groupby(node.values, lambda piece: isinstance(piece, ast.Constant))
        return f"JoinedStr({','.join(filter(None, (_piece(list(group)) for _, group in pieces)))})"
    if isinstance(node, ast.AST):
        fields = [(key, value) for key, value in ast.iter_fields(node) if value is not None and value != []]
        return f"{type(node).__name__}({','.join(f'{key}={_text(value)}' for key, value in fields if key != 'kind')})"
    if isinstance(node, list):
        return f"[{','.join(map(_text, node))}]"
    return ascii(node)


def _piece(group: list[ast.expr]) -> str:
    letters = "".join(str(each.value) for each in group if isinstance(each, ast.Constant))
    return ascii(letters) if letters else ",".join(_text(each) for each in group if not isinstance(each, ast.Constant))
