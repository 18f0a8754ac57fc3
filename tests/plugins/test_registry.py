"""Plugins: lookup, parameters, sweeps, files, settings, entry points, pickling, and the hash of their source."""

import contextlib
import multiprocessing
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench import Featurizer, Sequences
from bench.errors import BenchError
from bench.names import parse_name
from bench.plugins.registry import Registry, convert, expand_sweep, load_file, normal_name, signature_of, source_digest
from bench.plugins.settings import registry_of

REGISTRY = Registry()
SOURCE = '''
import numpy as np
from bench import Featurizer

class Mine(Featurizer):
    """Mine."""

    name = "NAME"

    def __init__(self, add: int = 1) -> None:
        self.add = add

    def transform(self, sequences):
        """Lengths."""
        # a comment
        return (sequences.lengths[:, None] + self.add).astype(np.float32)
'''


def write(path, name="mine", source=SOURCE):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source.replace("NAME", name))
    return path


# ---- lookup ----------------------------------------------------------------------------------------------------------
def test_built_ins_are_found_by_their_entry_points():
    assert {"gc", "kmers", "one-hot"} <= set(REGISTRY.names("featurizer"))
    assert {"mean", "ridge"} <= set(REGISTRY.names("model"))
    assert REGISTRY.entry("featurizer", "gc").origin == "bench-gc"


def test_an_unknown_name_is_answered_with_the_nearest():
    with pytest.raises(BenchError, match=r"unknown featurizer 'kmer'. Did you mean 'kmers'\?"):
        REGISTRY.make("featurizer", "kmer[k=3]")


# ---- parameters ------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "normal"),
    [
        ("kmers[ canonical = TRUE , k=3]", "kmers[k=3,canonical=true]"),
        ("kmers[k=05,exact=no]", "kmers[k=5]"),
        ("gc-windows[width=50,n=7]", "gc-windows[n=7,width=50]"),
        ("gc-windows[n=7,width=none]", "gc-windows[n=7]"),
    ],
)
def test_parameters_are_typed_and_named_in_normal_form(text, normal):
    made = REGISTRY.make("featurizer", text)
    assert made.name == normal
    assert REGISTRY.make("featurizer", made.name) == made
    assert normal_name(made.cls, made.parameters) == normal


def test_the_engine_adds_the_scale_of_the_target_to_every_model():
    made = REGISTRY.make("model", "ridge[target=raw,alpha=1]")
    assert (made.name, made.target, made.parameters) == ("ridge[alpha=1,target=raw]", "raw", {"alpha": 1.0})


def test_a_default_that_is_named_changes_nothing():
    assert repr(REGISTRY.make("model", "xgboost[reg_lambda=1]")) == repr(REGISTRY.make("model", "xgboost"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kmers[kk=3]", "kmers has no parameter 'kk'. Did you mean 'k'?"),
        ("kmers[k=three]", "the 'k' parameter of kmers must be a whole number. Got 'three'."),
        ("kmers[exact=maybe]", "the 'exact' parameter of kmers must be true or false. Got 'maybe'."),
        ("kmers[k=99]", "kmers: 'k' must be"),
        ("kmers[k=3", "the bracket must close"),
        ("gc[k=3]", "gc has no parameter 'k'."),
    ],
)
def test_wrong_names_and_values_are_answered_with_the_valid_ones(text, said):
    with pytest.raises(BenchError) as caught:
        REGISTRY.make("featurizer", text)
    assert said in str(caught.value)


def test_types():
    assert convert("3", int | None, "x") == 3
    assert convert("None", int | None, "x") is None
    assert convert("a", int | str, "x") == "a"
    assert convert("2", Literal[1, 2], "x") == 2
    for text, hint in (
        ("nan", float),
        ("inf", float),
        ("1.5", int),
        ("3", Literal[1, 2]),
        ("2", bool),
        ("9" * 5000, int),
    ):
        with pytest.raises(BenchError):
            convert(text, hint, "x")


class Untyped(Featurizer):
    name = "untyped"

    def __init__(self, k=3, share=0.5, deep: float = 1) -> None: ...


def test_without_an_annotation_the_default_decides_the_type():
    assert signature_of(Untyped) == {"k": (int, 3), "share": (float, 0.5), "deep": (float, 1.0)}
    assert type(signature_of(Untyped)["deep"][1]) is float


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_comes_back_from_its_name(value):
    _, given = parse_name(normal_name(Untyped, {"share": value}))
    assert convert(given.get("share", "0.5"), float, "share") == value


@given(st.text(max_size=40) | st.text("kmersx[]=,.0123456789-e truenonⅷ²\x00", max_size=40))
@example("kmers[k=3..99999999999999999999]")
@example("kmers[k=0..99,exact=0..99,canonical=0..99,x=0..99]")
@example("kmers[k=" + "9" * 5000 + "]")
def test_garbage_only_ever_raises_bench_error(text):
    for function in (
        expand_sweep,
        lambda text: REGISTRY.make("featurizer", text),
        lambda text: REGISTRY.make("featurizer", f"kmers[k={text}]"),
        lambda text: REGISTRY.make("featurizer", f"gc-windows[{text}]"),
        lambda text: REGISTRY.make("model", f"ridge[alpha={text}]"),
    ):
        with contextlib.suppress(BenchError):
            function(text)


# ---- sweeps ----------------------------------------------------------------------------------------------------------
def test_sweeps():
    assert expand_sweep("gc") == ["gc"]
    assert expand_sweep("kmers[k=3..5]") == ["kmers[k=3]", "kmers[k=4]", "kmers[k=5]"]
    assert expand_sweep("kmers[k=3..4,exact=true]") == ["kmers[k=3,exact=true]", "kmers[k=4,exact=true]"]
    assert len(expand_sweep("x[a=1..3,b=-1..1]")) == 9
    for wrong in ("kmers[k=5..3]", "kmers[k=1..1000]", "x[a=1..50,b=1..50]"):
        with pytest.raises(BenchError, match="sweep"):
            expand_sweep(wrong)


# ---- files -----------------------------------------------------------------------------------------------------------
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


def test_the_built_in_files_of_a_clone_are_not_dropped_files(tmp_path):
    """As where a wheel is installed and the working folder is a clone of this package."""
    import bench.featurizers.gc as gc

    write(tmp_path / "featurizers/mine.py", "dropped")
    write(tmp_path / "featurizers/gc.py", source=Path(gc.__file__).read_text())
    with pytest.raises(BenchError, match="'gc' is taken by bench-gc"):
        Registry(folder=tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "another"\n')
    with pytest.raises(BenchError, match="'gc' is taken by bench-gc"):
        Registry(folder=tmp_path)
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "bench-gc"\n')
    registry = Registry(folder=tmp_path)
    assert registry.find("featurizer", "gc") is gc.GC
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


def test_a_strangers_file_among_the_built_in_ones_is_not_built_in(tmp_path, monkeypatch):
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
        ("raise ValueError('no such word')", "leaves: no such word"),
    ],
)
def test_a_plugin_that_cannot_be_made_is_told(tmp_path, body, said):
    source = f"import sys\n{SOURCE.replace('self.add = add', body)}"
    registry = Registry([write(tmp_path / "leaves.py", "leaves", source)], folder=tmp_path)
    with pytest.raises(BenchError) as caught:
        registry.make("featurizer", "leaves")
    assert str(caught.value) == said


def test_a_file_that_is_not_there_or_not_python(tmp_path):
    with pytest.raises(BenchError, match="no such plugin file"):
        load_file(tmp_path / "mine.py")
    (tmp_path / "mine.txt").write_text("")
    with pytest.raises(BenchError, match=r"must end in .py"):
        load_file(tmp_path / "mine.txt")


# ---- bench.toml ------------------------------------------------------------------------------------------------------
def test_settings_name_files(tmp_path):
    write(tmp_path / "code/mine.py", "set")
    (tmp_path / "bench.toml").write_text("[plugins]\nfiles = ['code/mine.py']\n")
    assert "set" in registry_of([], tmp_path).names("featurizer")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[plugin]\n", "Did you mean 'plugins'?"),
        ("[plugins]\nfile = []\n", "takes one key"),
        ("[plugins]\nfiles = 'a.py'\n", "must be a list of paths"),
        ("[plugins\n", "not a readable TOML file"),
        ("[plugins]\nfiles = ['no.py']\n", "no such plugin file"),
    ],
)
def test_wrong_settings(tmp_path, text, said):
    (tmp_path / "bench.toml").write_text(text)
    with pytest.raises(BenchError) as caught:
        registry_of([], tmp_path)
    assert said in str(caught.value)


# ---- entry points ----------------------------------------------------------------------------------------------------
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


# ---- processes -------------------------------------------------------------------------------------------------------
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


# ---- source ----------------------------------------------------------------------------------------------------------
def digest(tmp_path, name, source):
    """The digest of the same class from a file of its own."""
    return source_digest(load_file(write(tmp_path / f"{name}.py", source=source)).Mine)


def test_comments_and_docstrings_do_not_count_but_code_does(tmp_path):
    whole = digest(tmp_path, "a", SOURCE)
    assert digest(tmp_path, "b", SOURCE.replace("# a comment", "# another")) == whole
    assert digest(tmp_path, "c", SOURCE.replace('"""Lengths."""', '"""Sizes.\n        More."""')) == whole
    assert digest(tmp_path, "d", SOURCE.replace("[:, None] + self.add", "[:,None]  +  (self.add)")) == whole
    assert digest(tmp_path, "e", SOURCE.replace("+ self.add", "- self.add")) != whole
    assert digest(tmp_path, "f", SOURCE.replace("add: int = 1", "add: int = 2")) != whole


def test_code_of_the_own_package_and_of_built_ins_counts(tmp_path, monkeypatch):
    seen = set()
    for number, (helper, start) in enumerate(
        [("x = 1", "from .helper import x"), ("x = 2", "from .helper import x"), ("x = 1", "from . import helper"),
         ("x = 1", f"from pack{3}.helper import x"), ("x = 1", "from bench.featurizers.gc import GC")]
    ):  # fmt: skip
        package = tmp_path / f"pack{number}"
        write(package / "__init__.py", source="")
        write(package / "helper.py", source=helper)
        write(package / "mine.py", source=start + SOURCE)
        monkeypatch.syspath_prepend(tmp_path)
        module = __import__(f"pack{number}.mine").mine
        before = source_digest(module.Mine)
        write(package / "helper.py", source="x = 9")
        assert (source_digest(module.Mine) != before) == ("helper" in start)
        seen.add(before)
    assert len(seen) == 5


def test_a_module_that_is_imported_inside_a_function_is_not_imported_to_hash_it(tmp_path, monkeypatch):
    write(tmp_path / "lazy/__init__.py", source="")
    write(tmp_path / "lazy/heavy.py", source="raise RuntimeError('heavy')")
    write(tmp_path / "lazy/mine.py", source=SOURCE + "\n\ndef f():\n    from lazy.heavy import g\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert source_digest(__import__("lazy.mine").mine.Mine)
    assert "lazy.heavy" not in sys.modules
