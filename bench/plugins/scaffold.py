"""New plugins from templates: the file and its test, which pass as written."""

from __future__ import annotations

import importlib.util
import re
from importlib import resources
from pathlib import Path

import numpy as np

from bench.errors import BenchError, nearest
from bench.plugins.kinds import NAME_PATTERN, PluginKind
from bench.plugins.registry import Registry

#: Folder of a kind and the ending of its file.
HOMES = {"featurizer": ("featurizers", ".py"), "model": ("models", ".py"), "task": ("tasks", ".toml")}


def write_new(kind: str, name: str, folder: Path, registry: Registry) -> tuple[list[Path], list[str]]:
    """Write a plugin and its test below ``folder``; nothing is ever overwritten.

    Returns
    -------
    The files that were written and the commands to continue with.

    Raises
    ------
    BenchError : for an unknown kind, a name of other letters or one that is taken, and files that are there already.
    """
    if kind not in HOMES:
        raise BenchError(f"bench new makes a featurizer, a model or a task. Got {kind!r}.{nearest(kind, HOMES)}")
    if not NAME_PATTERN.match(name):
        raise BenchError(f"the name must be lower-case letters, digits and dashes. Got {name!r}.")
    known: PluginKind = "dataset" if kind == "task" else "model" if kind == "model" else "featurizer"
    if name in registry.names(known):
        raise BenchError(f"the {kind} name {name!r} is taken by {registry.entry(known, name).origin}. Give another.")
    home, ending = HOMES[kind]
    stem = re.sub(r"^(?=\d)", "plugin_", name.replace("-", "_"))
    main = folder / home / (f"{stem}.py" if ending == ".py" else f"{name}{ending}")
    contents = {main: _filled(f"{kind}{ending}", name, stem)}
    test = folder / "tests" / f"test_{stem}.py"
    contents[test] = _filled(f"test_{kind}.py", name, stem)
    if kind == "task":
        contents[main.with_suffix(".tsv")] = _example_table()
    _write(contents)
    return list(contents), _next(kind, name, main, test, folder)


def _filled(template: str, name: str, stem: str) -> str:
    text = resources.files("bench.plugins").joinpath("templates", template).read_text(encoding="utf-8")
    class_name = re.sub(r"^(?=\d)", "N", "".join(word.capitalize() for word in name.split("-")))
    return text.replace("my-plugin", name).replace("my_plugin", stem).replace("MyPlugin", class_name)


def _example_table() -> str:
    """Sixty made-up rows on six chromosomes whose activity follows GC content."""
    rng = np.random.default_rng(0)
    lines = ["chrom\tstart\tend\tsequence\tdna_count\tactivity_1\tactivity_2"]
    for row in range(60):
        gc = rng.uniform(0.3, 0.7)
        bases = "".join(rng.choice(list("ACGT"), 100, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2]))
        first, second = 4 * gc + rng.normal(scale=0.3, size=2)
        start = 1000 * (row // 6)
        lines.append(f"chr{row % 6 + 1}\t{start}\t{start + 100}\t{bases}\t{rng.poisson(80)}\t{first:.3f}\t{second:.3f}")
    return "\n".join(lines) + "\n"


def _write(contents: dict[Path, str]) -> None:
    there = [path for path in contents if path.exists()]
    if there:
        raise BenchError(f"{there[0]}: is there already, and nothing is overwritten. Choose another name or --folder.")
    for path, text in contents.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("x", encoding="utf-8") as stream:
                stream.write(text)
        except OSError as error:
            raise BenchError(f"{path}: cannot be written ({error.strerror}). Give a writable --folder.") from error


def _next(kind: str, name: str, main: Path, test: Path, folder: Path) -> list[str]:
    tests = [f"python -m pytest {test}"]
    if importlib.util.find_spec("pytest") is None:  # a user's installation has none
        tests.insert(0, "python -m pip install pytest pytest-timeout")
    if kind == "task":
        return [*tests, f"bench run --task {main}"]
    # A file in the plugin folder below the working folder is found without being named.
    found = "" if folder.resolve() == Path.cwd() else f" --plugin {main}"
    what = f"--featurizer {name}" if kind == "featurizer" else f"--featurizer dinucleotides --model {name}"
    return [
        f"bench check {main}",
        *tests,
        f"bench run --task fly-promoters {what}{found} --quick --out quick",
    ]
