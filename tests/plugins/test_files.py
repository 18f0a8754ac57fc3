"""Plugin files: named, dropped into a folder, and wrong in every way."""

from pathlib import Path

import pytest
from plugin_files import SOURCE, write

from bench.errors import BenchError
from bench.plugins.files import load_file
from bench.plugins.registry import Registry


def test_two_files_of_one_name_do_not_collide(tmp_path):
    first, second = write(tmp_path / "a/mine.py", "one"), write(tmp_path / "b/mine.py", "two")
    registry = Registry([first, second, first], folder=tmp_path)
    assert {"one", "two"} <= set(registry.names("featurizer"))
    assert registry.find("featurizer", "one") is load_file(first).Mine is not registry.find("featurizer", "two")


def test_dropped_files_are_found_and_other_peoples_models_left_alone(tmp_path):
    write(tmp_path / "featurizers/mine.py", "dropped")
    write(tmp_path / "models/user.py", source="class User(Base):\n    name = 'a column'\n")
    write(tmp_path / "models/old.py", source="print 'Python 2'\n")
    registry = Registry(folder=tmp_path)
    assert "dropped" in registry.names("featurizer")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (SOURCE.replace("NAME", "gc"), "the featurizer name 'gc' is taken by bench-gc. Give it another name."),
        ("x = 1\n", "defines no plugin"),
        ("import nothing_of_that_name\n", "cannot be imported: ModuleNotFoundError"),
        ("import sys\nsys.exit(0)\n", "cannot be imported: SystemExit"),
        ("def f(:\n", "cannot be imported: SyntaxError"),
        (SOURCE.replace("NAME", "Big Name"), "must be lower-case letters, digits and dashes"),
        (SOURCE.replace("NAME", "one") + SOURCE.replace("NAME", "one").replace("Mine", "Too"), "two featurizers"),
    ],
)
def test_a_file_that_cannot_be_a_plugin_is_told_why(tmp_path, source, said):
    file = write(tmp_path / "wrong.py", source=source)
    with pytest.raises(BenchError) as caught:
        Registry([file], folder=tmp_path)
    assert said in str(caught.value)
    assert str(file) in str(caught.value) or "'name'" in str(caught.value)


def test_a_built_in_named_as_a_file_is_itself():
    import bench.featurizers.gc as gc

    assert Registry([gc.__file__]).find("featurizer", "gc") is gc.GC


def test_a_file_that_is_not_there_or_not_python(tmp_path):
    with pytest.raises(BenchError, match="no such plugin file"):
        load_file(tmp_path / "mine.py")
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(BenchError, match=r"must end in .py"):
        load_file(tmp_path / "mine.txt")


def test_in_a_clone_the_built_in_plugins_are_those_of_the_installed_package(tmp_path):
    import bench.featurizers.gc as gc

    write(tmp_path / "featurizers/gc.py", source=Path(gc.__file__).read_text())
    dropped = write(tmp_path / "featurizers/mine.py", "dropped-in-the-clone")
    for project in ("", '[project]\nname = "another"\n'):
        (tmp_path / "pyproject.toml").write_text(project)
        with pytest.raises(BenchError, match="'gc' is taken by bench-gc"):
            Registry(folder=tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "bench-gc"\n')
    registry = Registry(folder=tmp_path)
    assert registry.find("featurizer", "gc") is gc.GC
    names = [("featurizer", "gc"), ("featurizer", "dropped-in-the-clone")]
    assert registry.outside(names) == (("featurizer dropped-in-the-clone",), (str(dropped),))


def test_every_file_is_known_by_its_path_and_no_entry_point_is_a_file(tmp_path):
    named, dropped = write(tmp_path / "a/mine.py", "one"), write(tmp_path / "models/mine.py", "two")
    registry = Registry([named], folder=tmp_path)
    asked = [("featurizer", "one"), ("featurizer", "two"), ("featurizer", "gc")]
    assert registry.outside(asked) == (("featurizer one", "featurizer two"), (str(named), str(dropped)))
    assert registry.entry("featurizer", "one").file == named
    assert registry.entry("featurizer", "gc").file is None
