"""`bench new`, `bench check` and docs/plugins.md do what they say: files are written and run as a new user would."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bench.checks import featurizer_checks
from bench.cli.main import app
from bench.errors import BenchError
from bench.plugins.files import classes_in_file, load_file
from bench.plugins.registry import Registry
from bench.plugins.scaffold import write_new

REPOSITORY = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w+)(?: file=(\S+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)
BLOCKS = BLOCK.findall((REPOSITORY / "docs" / "plugins.md").read_text(encoding="utf-8"))


def shell(command, folder):
    """Run a command as a person would, with this environment's programs first."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


# ---- bench new -------------------------------------------------------------------------------------------------------
def test_what_is_written_passes_its_own_tests(here):
    for kind, name in (("featurizer", "my-word"), ("model", "my-model"), ("task", "my-assay"), ("featurizer", "3d")):
        written, commands = write_new(kind, name, here, Registry())
        assert all(path.is_file() for path in written)
        assert commands
    said = shell("python -W error -m pytest -q -p no:cacheprovider tests", here)
    assert "passed" in said
    assert not re.search(r"failed|error", said)
    assert {"my-word", "3d"} <= set(Registry(folder=here).names("featurizer"))


def test_nothing_is_overwritten(here):
    write_new("featurizer", "mine", here, Registry())
    (here / "featurizers" / "mine.py").write_text("# precious")
    with pytest.raises(BenchError, match="nothing is overwritten"):
        write_new("featurizer", "mine", here, Registry())
    (here / "tests" / "test_yours.py").write_text("# precious")
    with pytest.raises(BenchError, match="nothing is overwritten"):
        write_new("model", "yours", here, Registry())
    assert not (here / "models").exists()
    assert (here / "featurizers" / "mine.py").read_text() == "# precious"


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("featurizr", "mine", "Did you mean 'featurizer'?"),
        ("featurizer", "My Word", "must be lower-case letters"),
        ("featurizer", "../up", "must be lower-case letters"),
        ("model", "ridge", "is taken by bench-gc"),
        ("task", "fly-promoters", "is taken by bench-gc"),
    ],
)
def test_wrong_calls_write_nothing(here, kind, name, said):
    with pytest.raises(BenchError) as caught:
        write_new(kind, name, here, Registry())
    assert said in str(caught.value)
    assert not list(here.iterdir())


def lines_of_class(text):
    return next(node.end_lineno - node.lineno + 1 for node in ast.parse(text).body if isinstance(node, ast.ClassDef))


def test_a_featurizer_takes_fifteen_lines(here):
    (main, _), _ = write_new("featurizer", "mine", here, Registry())
    assert lines_of_class(main.read_text()) <= 15
    example = next(text for _, file, text in BLOCKS if file.startswith("featurizers/"))
    assert len(example.splitlines()) <= 15


def test_the_command_says_what_is_next(here):
    done = CliRunner().invoke(app, ["new", "featurizer", "mine"])
    assert done.exit_code == 0
    assert "wrote featurizers/mine.py" in done.output
    assert "bench check featurizers/mine.py" in done.output


def test_pytest_is_asked_for_where_it_is_not_there(here, monkeypatch):
    assert not any("pip install" in line for line in write_new("featurizer", "mine", here, Registry())[1])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    commands = write_new("model", "yours", here, Registry())[1]
    assert commands[1] == "python -m pip install pytest pytest-timeout"
    assert commands[2].startswith("python -m pytest")


# ---- bench check -----------------------------------------------------------------------------------------------------
def test_the_command_says_what_failed_and_exits_with_1(here):
    (main, _), _ = write_new("featurizer", "mine", here, Registry())
    assert CliRunner().invoke(app, ["check", str(main)]).exit_code == 0
    broken = here / "broken.py"
    broken.write_text(main.read_text().replace('"mine"', '"broken"').replace("], np.float32)", "], np.float64)"))
    done = CliRunner().invoke(app, ["check", str(broken), "mine[motif=A]"])
    assert done.exit_code == 1
    assert "FAIL  dtype" in done.output
    assert "The features of broken must be real numbers of at most 32 bits" in done.output
    assert re.search(r"speed +\S+ Mbase/s", done.output)
    assert "mine[motif=A]" in done.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["kmer"], "Did you mean 'kmers'?"),
        (["gc", "--kind", "model"], "unknown model 'gc'"),
        (["gc", "--kind", "modle"], "Did you mean 'model'?"),
        (["no.py"], "no such plugin file"),
    ],
)
def test_wrong_calls_of_the_command(here, arguments, said):
    done = CliRunner().invoke(app, ["check", *arguments])
    assert isinstance(done.exception, BenchError)
    assert said in str(done.exception)


# ---- docs/plugins.md -------------------------------------------------------------------------------------------------
@pytest.mark.slow
def test_every_block_of_the_page_runs(here, monkeypatch):
    for language, file, text in BLOCKS:
        assert file or language == "sh"
        if file:
            (here / file).parent.mkdir(parents=True, exist_ok=True)
            (here / file).write_text(text)
    package = here / "package"
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    info = package / "my_bench_plugins-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: 1.0\n")
    points = [
        f"[{group}]\n{k} = {v}\n" for group, entries in project["entry-points"].items() for k, v in entries.items()
    ]
    (info / "entry_points.txt").write_text("".join(points))
    monkeypatch.setenv("PYTHONPATH", str(package), prepend=os.pathsep)
    # One shell for all: what a reader types, top to bottom, and the package's plugin at the end.
    said = shell(
        "\n".join(text for language, _, text in BLOCKS if language == "sh") + "bench check skew-of-package", here
    )
    assert "FAIL" not in said
    assert "kept as float64 to compare with an older study" in said


def test_every_class_of_the_page_is_a_plugin(here):
    for language, file, text in BLOCKS:
        if language == "python" and file.startswith(("featurizers/", "models/")):
            (here / Path(file).name).write_text(text)
            assert classes_in_file(here / Path(file).name)


# ---- what is installed -----------------------------------------------------------------------------------------------
def test_templates_are_installed_with_the_package():
    settings = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    assert "templates/*" in settings["bench.plugins"]


def test_a_copied_featurizer_is_checked_like_its_original(here):
    shutil.copy(REPOSITORY / "featurizers" / "gc.py", here / "copied.py")
    for check in featurizer_checks(load_file(here / "copied.py").GC()):
        check()
