"""What is found by name: built-in plugins, files, entry points; and that it reaches other processes."""

import multiprocessing
import pickle
import subprocess
import sys

import numpy as np
import pytest
from plugin_files import SOURCE, write

from bench import Sequences
from bench.errors import BenchError
from bench.plugins.registry import Registry

REGISTRY = Registry()


def test_built_ins_are_found_by_their_entry_points():
    assert {"gc", "kmers", "one-hot"} <= set(REGISTRY.names("featurizer"))
    assert {"mean", "ridge"} <= set(REGISTRY.names("model"))
    assert REGISTRY.entry("featurizer", "gc").origin == "bench-gc"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(BenchError, match=r"unknown featurizer 'kmer'. Did you mean 'kmers'\?"):
        REGISTRY.make("featurizer", "kmer[k=3]")


def test_a_third_party_file_among_the_built_in_ones_is_not_built_in(tmp_path, monkeypatch):
    import bench.featurizers

    monkeypatch.setattr(bench.featurizers, "__path__", [*bench.featurizers.__path__, str(tmp_path)])
    write(tmp_path / "dropped.py", "dropped-there")
    registry = Registry(folder=tmp_path / "elsewhere")
    assert registry.find("featurizer", "dropped-there").__module__ == "bench.featurizers.dropped"
    assert not registry.make("featurizer", "dropped-there").built_in
    assert registry.make("featurizer", "gc").built_in
    assert registry.make("model", "cnn").built_in


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("sys.exit(0)", "leaves: cannot be made: SystemExit: 0"),
        ("raise KeyError('x')", "leaves: cannot be made: KeyError: 'x'"),
        ("raise ValueError('no such motif')", "leaves: no such motif"),
    ],
)
def test_a_plugin_that_cannot_be_made_is_told(tmp_path, body, said):
    source = f"import sys\n{SOURCE.replace('self.add = add', body)}"
    registry = Registry([write(tmp_path / "leaves.py", "leaves", source)], folder=tmp_path)
    with pytest.raises(BenchError) as caught:
        registry.make("featurizer", "leaves")
    assert str(caught.value) == said


def install(folder, points, files):
    """A package as pip leaves it: modules and a dist-info folder."""
    for name, text in files.items():
        write(folder / name, source=text)
    write(folder / "theirs-1.0.dist-info/METADATA", source="Metadata-Version: 2.1\nName: theirs\nVersion: 1.0\n")
    lines = "".join(f"[{group}]\n{name} = {value}\n" for group, name, value in points)
    write(folder / "theirs-1.0.dist-info/entry_points.txt", source=lines)


def test_a_package_declares_plugins_by_entry_points(tmp_path, monkeypatch):
    files = {"theirs_ok/__init__.py": "", "theirs_ok/skew.py": SOURCE.replace("NAME", "skew")}
    install(tmp_path, [("bench.featurizers", "skew", "theirs_ok.skew:Mine")], files)
    monkeypatch.syspath_prepend(tmp_path)
    made = Registry().make("featurizer", "skew[add=2]")
    assert made.name == "skew[add=2]"
    assert Registry().entry("featurizer", "skew").origin == "theirs"


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("theirs_no.skew:Mine", "cannot be imported: ModuleNotFoundError"),
        ("theirs_leave:Mine", "cannot be imported: SystemExit"),
        ("theirs_bad:Mine", "points to a class named 'other'"),
        ("theirs_bad:x", "must be a class derived from Featurizer"),
    ],
)
def test_a_wrong_entry_point_hurts_nobody_else(tmp_path, monkeypatch, value, said):
    files = {"theirs_bad.py": SOURCE.replace("NAME", "other") + "x = 1\n", "theirs_leave.py": "import sys; sys.exit()"}
    install(tmp_path, [("bench.featurizers", "skew", value)], files)
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry()
    assert registry.make("featurizer", "gc").name == "gc"
    with pytest.raises(BenchError) as caught:
        registry.make("featurizer", "skew")
    assert said in str(caught.value)


def lengths(made):
    return made.new().transform(Sequences.from_strings(["ACG", "A"]))


def test_a_file_plugin_reaches_a_new_process(tmp_path):
    made = Registry([write(tmp_path / "mine.py")], folder=tmp_path).make("featurizer", "mine[add=2]")
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        np.testing.assert_array_equal(pool.apply(lengths, (made,)), [[5], [3]])


def test_a_file_plugin_is_unpickled_where_nothing_is_known_of_it(tmp_path):
    made = Registry([write(tmp_path / "mine.py")], folder=tmp_path).make("featurizer", "mine")
    (tmp_path / "pickle").write_bytes(pickle.dumps((made, made.new())))
    code = "import pickle, sys; made, new = pickle.load(open(sys.argv[1], 'rb')); print(made.name, new.add)"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "pickle"], capture_output=True, text=True, check=True)
    assert done.stdout == "mine 1\n"
