"""What a person installs works: a wheel beside a clone, an sdist with its tests, and mypy on the plugin folders.

Run by pytest (``test_install.py``, marked slow), or by itself: ``python tests/packaging/check_install.py``.
Nothing is downloaded: each fresh environment sees the libraries of the running one through a ``.pth`` file, which does
not bring its editable installs along. Only setuptools is needed to build.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
#: Not part of a clone: what is made in it, and what stands in it for other reasons.
NOT_COPIED = (
    ".git", ".venv", "build", "dist", "demo", "results", "scratch", "shared", "*.egg-info", "__pycache__",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis",
)  # fmt: skip
BUILD = "import sys; from setuptools import build_meta; print(build_meta.{what}(sys.argv[1]))"
TYPE_ERROR = '\n\ndef planted() -> int:\n    """Not an integer."""\n    return "a string"\n'


class Failed(Exception):
    """A step did not do what it must."""


class Place:
    """A folder with everything the checks make: a clone, the wheel, the sdist, and their environments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()

    @cached_property
    def clone(self) -> Path:
        """A copy of the tree as it stands, links kept."""
        return copy_tree(REPOSITORY, self.folder / "clone")

    @cached_property
    def wheel(self) -> Path:
        """The wheel, built from the tree."""
        return self._built("build_wheel")

    @cached_property
    def sdist(self) -> Path:
        """The sdist, built from the tree."""
        return self._built("build_sdist")

    @cached_property
    def unpacked(self) -> Path:
        """The folder that the sdist unpacks to."""
        with tarfile.open(self.sdist) as archive:
            archive.extractall(self.folder / "unpacked", filter="data")
        (root,) = (self.folder / "unpacked").iterdir()
        return root

    @cached_property
    def with_wheel(self) -> Path:
        """The Python of an environment with the wheel."""
        return environment(self.folder / "with-wheel", self.wheel)

    @cached_property
    def with_sdist(self) -> Path:
        """The Python of an environment with the sdist."""
        return environment(self.folder / "with-sdist", self.sdist)

    @cached_property
    def elsewhere(self) -> Path:
        """A working folder that holds nothing."""
        (self.folder / "elsewhere").mkdir()
        return self.folder / "elsewhere"

    def _built(self, what: str) -> Path:
        source = copy_tree(REPOSITORY, self.folder / what)
        printed = call([sys.executable, "-c", BUILD.format(what=what), str(self.folder)], source)
        return self.folder / printed.splitlines()[-1]


# ---- the steps -------------------------------------------------------------------------------------------------------
def wheel_holds_the_package_alone(place: Place) -> None:
    """The wheel brings plugins, templates and embedded data, and no top-level package but ``bench``."""
    import zipfile

    names = zipfile.ZipFile(place.wheel).namelist()
    tops = {name.partition("/")[0] for name in names}
    must(tops == {"bench", next(top for top in tops if top.endswith(".dist-info"))}, f"The wheel holds {sorted(tops)}.")
    for wanted in (
        "bench/featurizers/gc.py", "bench/models/ridge.py", "bench/py.typed", "bench/plugins/templates/featurizer.py",
        "bench/datasets/fly_promoters.tsv.gz",
    ):  # fmt: skip
        must(wanted in names, f"The wheel lacks {wanted}.")


def wheel_is_what_runs(place: Place) -> None:
    """From its own environment the package comes from the wheel, also beside a clone."""
    for folder in (place.elsewhere, place.clone):
        home = call([str(place.with_wheel), "-P", "-c", "import bench; print(bench.__file__)"], folder).strip()
        must(Path(home).is_relative_to(place.folder / "with-wheel"), f"In {folder.name} bench comes from {home}.")


def commands_work(place: Place) -> None:
    """Both console scripts and ``python -m bench``, in a folder that holds nothing and in a clone."""
    scripts = place.with_wheel.parent
    for folder in (place.elsewhere, place.clone):
        for command in ([str(scripts / "bench")], [str(scripts / "bench-gc")], [str(place.with_wheel), "-m", "bench"]):
            must("bench" in call([*command, "--version"], folder), f"{command} --version says nothing.")
            printed = call([*command, "list"], folder)
            for name in ("fly-promoters", "kmers", "length", "ridge"):
                must(name in printed, f"{' '.join(command)} list does not name {name} in {folder.name}.")


def a_run_works(place: Place) -> None:
    """``bench run`` on the example of a person's own data, in a folder that holds nothing and in a clone."""
    task = place.clone / "examples" / "my_assay" / "my_assay.toml"
    for folder in (place.elsewhere, place.clone):
        for number, command in enumerate(
            ([str(place.with_wheel.parent / "bench")], [str(place.with_wheel), "-m", "bench"])
        ):
            out = place.folder / f"out-{folder.name}-{number}"
            call([*command, "run", "-t", str(task), "-f", "gc", "-m", "ridge", "--out", str(out)], folder)
            board = out / "leaderboard.md"
            must(board.is_file() and "ridge" in board.read_text("utf-8"), f"{board}: no board with ridge on it.")


def tests_of_a_clone_are_collected(place: Place) -> None:
    """pytest finds every test of a clone in the environment with the wheel."""
    collected(place.with_wheel, place.clone)


def tests_of_the_sdist_are_collected(place: Place) -> None:
    """The sdist installs, holds its tests with what they read, and the same tests are found as in a clone."""
    for wanted in ("tests", "examples", "docs", "featurizers", "models", "Makefile", "constraints.txt", "CHANGELOG.md"):
        must((place.unpacked / wanted).exists(), f"The sdist lacks {wanted}.")
    found = {file.relative_to(place.unpacked) for file in (place.unpacked / "tests").rglob("*.py")}
    wanted = {file.relative_to(place.clone) for file in (place.clone / "tests").rglob("*.py")}
    must(found == wanted, f"The sdist lacks {sorted(map(str, wanted - found))}.")
    collected(place.with_sdist, place.unpacked)


def mypy_sees_the_plugin_folders(place: Place) -> None:
    """mypy passes on the tree as it stands and fails on a type error in ``models/``."""
    tree = copy_tree(REPOSITORY, place.folder / "typed")
    command = [sys.executable, "-m", "mypy"]
    call(command, tree)
    with open(tree / "models" / "mean.py", "a", encoding="utf-8") as file:
        file.write(TYPE_ERROR)
    printed = call(command, tree, status=1)
    must("mean.py" in printed and "Incompatible return value" in printed, f"mypy does not see the error:\n{printed}")


STEPS: tuple[Callable[[Place], None], ...] = (
    wheel_holds_the_package_alone,
    wheel_is_what_runs,
    commands_work,
    a_run_works,
    tests_of_a_clone_are_collected,
    tests_of_the_sdist_are_collected,
    mypy_sees_the_plugin_folders,
)


# ---- tools -----------------------------------------------------------------------------------------------------------
def must(held: bool, message: str) -> None:
    """Raise where something did not hold."""
    if not held:
        raise Failed(message)


def copy_tree(source: Path, target: Path) -> Path:
    """A copy without what is made in a tree, links kept as links."""
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns(*NOT_COPIED))
    return target


def environment(folder: Path, package: Path) -> Path:
    """The Python of a fresh environment with a package file installed and the running one's libraries in sight."""
    call([sys.executable, "-m", "venv", str(folder)], folder.parent)
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    home = call([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).strip()
    libraries = [path for path in sys.path if Path(path).name in ("site-packages", "dist-packages")]
    (Path(home) / "libraries.pth").write_text("".join(f"{path}\n" for path in libraries), encoding="utf-8")
    # The setuptools that a venv brings may be older than the one the build asks for, and would hide it.
    for old in (*Path(home).glob("setuptools*"), *Path(home).glob("pkg_resources")):
        shutil.rmtree(old)
    quiet = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--no-build-isolation"]
    call([str(python), "-m", "pip", "install", *quiet, "--ignore-installed", str(package)], folder)
    return python


def collected(python: Path, tree: Path) -> None:
    """Have pytest collect the tests of a tree; an error of collection makes its exit status 2."""
    printed = call([str(python), "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"], tree)
    must("no tests" not in printed, f"No tests were collected in {tree.name}.")


def call(command: Sequence[str], folder: Path, status: int = 0) -> str:
    """What a command prints; its working folder is ``folder``, and no Python setting of this process reaches it."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "MYPY", "VIRTUAL_"))}
    done = subprocess.run(
        command, cwd=folder, env={**inherited, "PYTHONDONTWRITEBYTECODE": "1"},
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode != status:
        raise Failed(
            f"{' '.join(command)} (in {folder}): exit status {done.returncode}, not {status}\n{done.stdout[-4000:]}"
        )
    return done.stdout


def main() -> int:
    """Run every step in a folder of its own; the exit status is the number of steps that failed."""
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Place(Path(folder))
        for step in STEPS:
            try:
                step(place)
            except Failed as error:
                failed += 1
                print(f"FAIL  {step.__name__}: {error}", flush=True)
            else:
                print(f"pass  {step.__name__}", flush=True)
    return failed


if __name__ == "__main__":
    sys.exit(main())
