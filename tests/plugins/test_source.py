"""The hash of a plugin's source: what counts and what does not."""

import sys

from plugin_files import SOURCE, write

from bench.plugins.files import load_file
from bench.plugins.source import source_digest


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


def test_code_of_the_own_package_and_of_built_ins_counts_but_not_its_place(tmp_path, monkeypatch):
    digests = []
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
        digests.append(before)
    assert digests[0] == digests[3]
    assert len(set(digests)) == 4


def test_what_the_init_of_the_own_package_defines_counts(tmp_path, monkeypatch):
    write(tmp_path / "initial/__init__.py", source="x = 1")
    write(tmp_path / "initial/mine.py", source="from initial import x\n" + SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    module = __import__("initial.mine").mine
    before = source_digest(module.Mine)
    write(tmp_path / "initial/__init__.py", source="x = 2")
    assert source_digest(module.Mine) != before


def test_the_place_of_a_name_of_bench_does_not_count_but_the_name_does(tmp_path):
    """So that a module of bench may move without a fit."""
    whole = digest(tmp_path, "a", SOURCE)
    from_its_module = SOURCE.replace("from bench import Featurizer", "from bench.featurizer import Featurizer")
    assert digest(tmp_path, "b", from_its_module) == whole
    inside = SOURCE.replace("# a comment", "from bench.kernels.codes import padded_codes as f")
    other = SOURCE.replace("# a comment", "from bench.kernels.codes import _codes_row as f")
    assert digest(tmp_path, "c", inside) != digest(tmp_path, "d", other)
    two = SOURCE.replace("import Featurizer", "import Featurizer, Sequences")
    split = SOURCE.replace("import Featurizer", "import Featurizer\nfrom bench.sequences import Sequences")
    assert digest(tmp_path, "e", two) == digest(tmp_path, "f", split) != whole


def test_imports_of_other_packages_count(tmp_path):
    assert digest(tmp_path, "a", SOURCE) != digest(tmp_path, "b", SOURCE.replace("numpy as np", "numpy.ma as np"))


def test_a_moved_module_of_the_own_package_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    for package, helper in (("before", "helper"), ("after", "deep.elsewhere")):
        write(tmp_path / package / "__init__.py", source="")
        write(
            tmp_path / package / f"{helper.replace('.', '/')}.py", source="from bench.sequences import Sequences\nx = 1"
        )
        write(tmp_path / package / "mine.py", source=f"from .{helper} import x\n" + SOURCE)
    one, other = (source_digest(__import__(f"{package}.mine").mine.Mine) for package in ("before", "after"))
    assert one == other


def test_every_version_of_python_gives_the_same_digest(tmp_path):
    """``ast.unparse`` and ``ast.dump`` do not: the first writes strings in strings in other quotes from 3.12 on."""
    source = """
class Mine:
    def __init__(self, x: int = 1, *y, z=None, **rest) -> None:
        self.said = f"{x!r:>{y}} {', '.join(rest['a'])} {{}} {x=}" 'it"s' u"é" + f'{"a" + 1:.2f}'

    async def f(self):
        match self.said:
            case [1, {"a": 2, **others}, *_] if b"\\xff" < ...:
                return lambda a, /, b=-0.0: (yield)
            case _:
                return {**others, 1j: [*self.said]}
        try:
            pass
        except* ValueError as error:
            raise error from None
"""
    assert digest(tmp_path, "mine", source) == "112617940bc9b096"


def test_a_module_that_is_imported_inside_a_function_is_not_imported_to_hash_it(tmp_path, monkeypatch):
    write(tmp_path / "lazy/__init__.py", source="")
    write(tmp_path / "lazy/heavy.py", source="raise RuntimeError('heavy')")
    write(tmp_path / "lazy/mine.py", source=SOURCE + "\n\ndef f():\n    from lazy.heavy import g\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert source_digest(__import__("lazy.mine").mine.Mine)
    assert "lazy.heavy" not in sys.modules
