"""What a plugin declares: libraries by any name, files by content, and slips of the pen in words."""

import sys

import pytest
from plugin_files import write

from bench import Featurizer, Model
from bench.checks.check import CheckFailed, check_parameters
from bench.errors import BenchError
from bench.plugins import libraries
from bench.plugins.declared import check_declared, file_digests, not_installed
from bench.plugins.files import load_file
from bench.plugins.registry import Registry
from bench.plugins.source import source_digest


def featurizer(**attributes):
    return type("Mine", (Featurizer,), {"name": "mine", **attributes})()


def model(**attributes):
    return type("Mine", (Model,), {"name": "mine", **attributes})()


def test_a_library_has_one_name_however_it_is_called():
    both = libraries.library_versions(["sklearn"]), libraries.library_versions(["scikit-learn"])
    assert both[0] == both[1]
    [(name, version)] = both[0].items()
    assert (name, version[0].isdigit()) == ("scikit-learn", True)
    assert libraries.missing_libraries(["sklearn", "scikit-learn", "json", "xgboost", "no_such_thing"]) == [
        "no_such_thing"
    ]


def test_keras_is_its_backend(monkeypatch):
    monkeypatch.setattr(libraries, "_KNOWN", {"keras": "3", "tensorflow": "2", "torch": "9", "jax": libraries.MISSING})
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    declared = ("keras", "tensorflow")
    assert libraries.used_libraries(declared) == {"keras", "tensorflow"}
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    assert libraries.used_libraries(declared) == {"keras", "torch"}
    assert libraries.used_libraries(("tensorflow",)) == {"keras", "tensorflow", "torch"}
    assert libraries.used_libraries(("lightgbm",)) == {"lightgbm"}
    assert libraries.keras_backend_of(declared) == "torch"
    assert libraries.keras_backend_of(("lightgbm",)) == ""
    monkeypatch.setenv("KERAS_BACKEND", "jax")
    assert not_installed(model(libraries=declared)) == "jax not installed (pip install jax)"


@pytest.mark.parametrize(
    ("kind", "plugin", "said"),
    [
        ("model", model(libraries="sklearn"), r"'libraries' must be a tuple of names, .* \('sklearn',\)"),
        ("featurizer", featurizer(libraries="numpy"), r"'libraries' must be a tuple"),
        ("featurizer", featurizer(covariates="dna_count"), r"'covariates' must be a tuple"),
        ("featurizer", featurizer(files="motifs.txt"), r"'files' must be a tuple of paths, .*\('motifs.txt',\)"),
        ("featurizer", featurizer(libraries=(1,)), r"'libraries' must be a tuple"),
        ("model", model(takes="table"), r"'takes' must be a tuple"),
        ("model", model(takes=("tables",)), r"unknown 'takes' 'tables'\. Did you mean 'table'\?"),
        ("featurizer", featurizer(kind="tabel"), r"unknown 'kind' 'tabel'"),
    ],
)  # fmt: skip
def test_slips_of_the_pen_are_told(kind, plugin, said):
    with pytest.raises(BenchError, match=said):
        check_declared(kind, plugin)
    with pytest.raises(CheckFailed, match=said):
        check_parameters(plugin)


def test_a_plain_string_is_refused_when_it_is_planned(tmp_path):
    path = write(tmp_path / "mine.py")
    path.write_text(path.read_text().replace('name = "mine"', 'name = "mine"\n    libraries = "sklearn"'))
    with pytest.raises(BenchError, match="must be a tuple of names"):
        Registry([path], folder=tmp_path / "none").make("featurizer", "mine")


def test_files_are_known_by_their_content(tmp_path):
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_text("TATA")
    other.write_text("CAAT")
    both = featurizer(files=(one, str(other)))
    before = file_digests(both)
    assert len(set(before)) == 2
    other.rename(tmp_path / "moved")
    assert file_digests(featurizer(files=[one, tmp_path / "moved"])) == before
    one.write_text("TATT")
    (tmp_path / "moved").rename(other)
    after = file_digests(both)
    assert (after[0] != before[0], after[1]) == (True, before[1])
    one.unlink()
    with pytest.raises(BenchError, match=r"mine: its file .*one cannot be read \(No such file"):
        file_digests(both)


def test_files_may_follow_from_a_parameter(tmp_path):
    class Mine(Featurizer):
        name = "mine"

        def __init__(self, motifs: str = "") -> None:
            self.motifs = motifs

        @property
        def files(self):
            return (self.motifs,)

    (tmp_path / "motifs").write_text("x")
    assert len(file_digests(Mine(str(tmp_path / "motifs")))) == 1


@pytest.mark.parametrize(
    ("hint", "default"),
    [("tuple", "(1, 2)"), ("list[int]", "()"), ("dict", "None"), ("tuple[int, ...] | None", "None"), ("", "(1, 2)"),
     ("object", "1"), ("bytes", "b''")],
)  # fmt: skip
def test_a_parameter_of_a_type_that_no_name_can_hold_is_an_error(tmp_path, hint, default):
    argument = f"sizes: {hint} = {default}" if hint else f"sizes={default}"
    path = write(tmp_path / "mine.py")
    path.write_text(path.read_text().replace("add: int = 1", f"add: int = 1, {argument}"))
    with pytest.raises(BenchError, match=r"mine: the parameter 'sizes' is of a type \(.*\) that cannot be written"):
        Registry([path], folder=tmp_path / "none").make("featurizer", "mine")


# ---- helpers of one's own --------------------------------------------------------------------------------------------
def test_what_lies_next_to_a_plugin_file_counts_and_what_is_installed_does_not(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    source = "import far_helper, json, scipy.stats\nfrom near_package.inner import x\nimport numpy as np\n"
    source += "from bench import Featurizer\nclass Mine(Featurizer):\n    name = 'mine'\n"
    for name, text in (
        ("far_helper.py", "import deep_helper"),
        ("deep_helper.py", "x = 1"),
        ("near_package/__init__.py", "y = 1"),
        ("near_package/inner.py", "x = 1"),
        ("unrelated.py", "x = 1"),
        ("mine.py", source),
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    cls = load_file(tmp_path / "mine.py").Mine
    seen = [source_digest(cls)]
    for name, text, counts in (
        ("unrelated.py", "x = 2", False),
        ("deep_helper.py", "x = 2", True),
        ("near_package/__init__.py", "y = 2", True),
        ("near_package/inner.py", "x = 2", True),
        ("far_helper.py", "import deep_helper  # the same", False),
    ):
        (tmp_path / name).write_text(text)
        assert (source_digest(cls) != seen[-1]) == counts, name
        seen.append(source_digest(cls))
    (tmp_path / "deep_helper.py").unlink()
    assert source_digest(cls) != seen[-1]


def test_a_folder_is_known_by_what_its_files_hold(tmp_path):
    """A zarr array is one."""

    class Mine:
        name = "mine"
        files = (tmp_path / "emb.zarr",)

    inner = tmp_path / "emb.zarr" / "c" / "0"
    inner.parent.mkdir(parents=True)
    inner.write_bytes(b"one")
    first = file_digests(Mine())
    assert file_digests(Mine()) == first
    inner.write_bytes(b"two")
    second = file_digests(Mine())
    inner.rename(inner.with_name("1"))
    assert len({first, second, file_digests(Mine())}) == 3
