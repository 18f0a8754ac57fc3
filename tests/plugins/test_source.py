"""The hash of a plugin's source: what counts and what does not."""

import os
import py_compile
import subprocess
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


def test_a_module_that_is_imported_by_its_name_in_letters_counts(tmp_path, monkeypatch):
    write(tmp_path / "lettered.py", source="x = 1")
    monkeypatch.syspath_prepend(tmp_path)
    for number, start in enumerate(("import importlib\nx = importlib.import_module('lettered').x\n",
                                    "x = __import__('lettered').x\n")):  # fmt: skip
        write(tmp_path / "lettered.py", source="x = 1")
        module = load_file(write(tmp_path / f"m{number}.py", source=start + SOURCE))
        before = source_digest(module.Mine)
        write(tmp_path / "lettered.py", source="x = 2")
        assert source_digest(module.Mine) != before


def test_a_file_of_the_same_size_and_time_is_read_again(tmp_path):
    """What restores a file, or edits it in a loop, may keep both."""
    from bench.plugins.declared import file_digests

    weights = write(tmp_path / "weights.txt", source="1.5")
    path = write(tmp_path / "mine.py", source=SOURCE)
    cls = load_file(path).Mine

    class Reads:
        files = (weights,)

    before = file_digests(Reads()), source_digest(cls)
    for file, old, new in ((weights, "1.5", "2.5"), (path, "+ self.add", "- self.add")):
        about = file.stat()
        file.write_text(file.read_text().replace(old, new))
        os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))
    assert file_digests(Reads()) != before[0]
    assert source_digest(cls) != before[1]


def test_compiled_code_of_an_older_text_is_never_run(tmp_path):
    """Python takes it where the text is as long and as old: after two edits in a second, or a restored file."""
    for name in ("aided", "aide"):
        path = write(tmp_path / f"{name}.py", source="x = 1" if name == "aide" else "import aide\ny = 1, aide.x")
        about = path.stat()
        py_compile.compile(str(path))
        path.write_text(path.read_text().replace("1", "2"))
        os.utime(path, ns=(about.st_atime_ns, about.st_mtime_ns))
    code = (
        "import sys; from bench.plugins.modules import helpers_from_source; from bench.plugins.files import load_file\n"
        "helpers_from_source(); sys.path.insert(0, sys.argv[1]); print(load_file(sys.argv[1] + '/aided.py').y)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(2, 2)"
