"""Some rows of a task as a task of their own, named on the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_tasks import write_small_task

from bench.errors import BenchError
from bench.plugins.registry import Registry
from bench.tasks.load import TaskSource, base_name, load_task, named_rows


def test_names_with_rows() -> None:
    assert named_rows("klein2020") == ("klein2020", {})
    assert named_rows("a/b.toml[kind=x+y, cell=K562]") == ("a/b.toml", {"kind": ["x", "y"], "cell": ["K562"]})
    assert base_name("/data[1]/t.toml[kind=x]") == "/data[1]/t.toml"
    assert base_name("/data[1]/t.toml") == "/data[1]/t.toml"
    with pytest.raises(BenchError, match="must be key=value"):
        named_rows("t.toml[x]")


def test_a_path_stays_absolute_with_its_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert TaskSource("t.toml[kind=x]").absolute().name == f"{tmp_path.resolve() / 't.toml'}[kind=x]"
    assert TaskSource("klein2020[origin=x]").absolute().name == "klein2020[origin=x]"


def test_rows_of_a_file_and_of_a_data_set(tmp_path: Path) -> None:
    path = write_small_task(tmp_path, rows=60)
    registry = Registry(dropped=False)
    some = load_task(f"{path}[chrom=chr1+chr2]", registry, None)
    assert (some.card.name, len(some)) == ("small-chr1-chr2", 20)
    assert some.digest != load_task(str(path), registry, None).digest
    with pytest.raises(BenchError, match="no row has 'chr9'"):
        load_task(f"{path}[chrom=chr9]", registry, None)
    whole, part = (load_task(name, registry, None) for name in ("fly-promoters", "fly-promoters[chrom=chr2L]"))
    assert part.card.name == "fly-promoters-chr2L"
    assert len(part) == (whole.chrom == "chr2L").sum()
