"""`bench transfer` on simulated tasks: a motif carries over, a library's GC bias does not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from calls import call, refused

from bench.board.transfer import CarriedSummary, TransferRecord, read_transfers

WORD = "TGACTCA"


def library(
    folder: Path, name: str, *, gc_effect: float, seed: int, rows: int = 700, length: int = 60, motif: float = 1.0
) -> Path:
    """Rows of two loci each, half of them with a site; GC adds to what is measured by ``gc_effect``."""
    rng = np.random.default_rng(seed)
    lines = ["name\tlocus\tsequence\tgroup\trep1\trep2"]
    for i in range(rows):
        gc = rng.uniform(0.25, 0.75)
        bases = rng.choice(list("ACGT"), length, p=[(1 - gc) / 2, gc / 2, gc / 2, (1 - gc) / 2])
        site = bool(rng.integers(0, 2))
        if site:
            at = int(rng.integers(length // 3, 2 * length // 3 - 7))
            bases[at : at + 7] = list(WORD)
        text = "".join(bases)
        level = motif * site + gc_effect * ((text.count("G") + text.count("C")) / length - 0.5)
        values = level + rng.normal(0, 0.3, 2)
        lines.append(f"{name}{i}\tl{i // 2}\t{text}\t{'ab'[i // 2 % 2]}\t{values[0]:.4f}\t{values[1]:.4f}")
    (folder / f"{name}.tsv").write_text("\n".join(lines) + "\n")
    path = folder / f"{name}.toml"
    path.write_text(
        f"name = '{name}'\ntable = '{name}.tsv'\nsplit = 'locus-kfold[k=3]'\n[columns]\nlocus = 'locus'\n"
        "[targets.y]\nreplicates = ['rep1', 'rep2']\n"
    )
    return path


def carried(out: Path, *words: object) -> tuple[TransferRecord, dict[str, CarriedSummary], str]:
    status, printed, error = call("transfer", *words, "-o", out)
    assert status == 0, (printed, error)
    records, wrong = read_transfers(out)
    assert not wrong
    return records[-1], {row.name: row for row in records[-1].learners}, printed


KMERS = ("-f", "kmers[k=4]", "-m", "ridge")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[TransferRecord, dict[str, CarriedSummary], Path]:
    folder = tmp_path_factory.mktemp("transfer")
    biased = library(folder, "biased", gc_effect=6.0, seed=1)
    clean = library(folder, "clean", gc_effect=0.0, seed=2, length=80)
    out = folder / "out"
    for pair in (KMERS, ("-f", "gc", "-m", "gc-curve")):
        assert call("run", "--task", clean, *pair, "-o", out)[0] == 0
    record, rows, _ = carried(out, "--from", biased, "--to", clean, *KMERS)
    return record, rows, out


def test_a_motif_carries_over_and_a_librarys_gc_bias_does_not(
    made: tuple[TransferRecord, dict[str, CarriedSummary], Path],
) -> None:
    record, rows, _ = made
    kmers, gc = rows["kmers[k=4] + ridge"], rows["gc + gc-curve"]
    assert kmers.carried is not None
    assert kmers.carried.low is not None
    assert kmers.carried.low > 0.1
    assert kmers.gain is not None
    assert kmers.gain.low is not None
    assert kmers.gain.low > 0.1
    # within the interval of GC's own figure there
    assert gc.carried is not None
    assert gc.there is not None
    assert gc.there.low is not None
    assert gc.there.high is not None
    assert gc.there.low <= gc.carried.value <= gc.there.high
    assert record.rows == 700
    assert record.seen == 0


def test_longer_rows_are_cut_and_said(made: tuple[TransferRecord, dict[str, CarriedSummary], Path]) -> None:
    record, _, out = made
    assert (record.cut, record.fitted, record.lengths) == (700, [60, 60], "centre")
    page = (out / "transfer" / "transfer.md").read_text(encoding="utf-8")
    assert "biased, y → clean, y" in page
    assert "700 longer rows cut to their middle" in page
    assert page.count("*(GC-only)*") == 1


def test_a_learner_that_was_not_trained_there_says_how(tmp_path: Path) -> None:
    one = library(tmp_path, "one", gc_effect=1.0, seed=3, rows=240)
    two = library(tmp_path, "two", gc_effect=1.0, seed=4, rows=240)
    _, rows, printed = carried(tmp_path / "out", "--from", one, "--to", two, *KMERS)
    kmers = rows["kmers[k=4] + ridge"]
    assert kmers.there is None
    assert f"bench run -t {two} -f 'kmers[k=4]' -m ridge" in kmers.reason
    assert kmers.reason in printed
    # what was fitted and kept is not fitted again
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("predictions.parquet")}
    carried(tmp_path / "out", "--from", one, "--to", two, *KMERS)
    assert before == {path: path.stat().st_mtime_ns for path in (tmp_path / "out").rglob("predictions.parquet")}


def test_rows_that_models_have_seen_are_predicted_by_the_others(tmp_path: Path) -> None:
    """The same library measured again: each row by the model of the fold that tests it, as on its own board."""
    one = library(tmp_path, "one", gc_effect=1.0, seed=5, rows=300)
    again = tmp_path / "again.toml"
    again.write_text(one.read_text().replace("'one'", "'again'", 1))
    record, rows, _ = carried(tmp_path / "out", "--from", one, "--to", again, *KMERS)
    assert (record.rows, record.seen, record.partly) == (300, 0, 300)
    assert call("run", "--task", again, *KMERS, "-o", tmp_path / "out")[0] == 0
    _, rows, _ = carried(tmp_path / "out", "--from", one, "--to", again, *KMERS)
    kmers = rows["kmers[k=4] + ridge"]
    assert kmers.carried is not None
    assert kmers.there is not None
    assert abs(kmers.carried.value - kmers.there.value) < 0.01


def test_rows_of_one_file_as_two_tasks(tmp_path: Path) -> None:
    one = library(tmp_path, "one", gc_effect=1.0, seed=6, rows=400)
    record, _, _ = carried(tmp_path / "out", "--from", f"{one}[group=a]", "--to", f"{one}[group=b]", *KMERS)
    assert (record.source.task, record.onto.task, record.rows) == ("one-a", "one-b", 200)


def test_loci_of_one_task_under_two_splits(tmp_path: Path) -> None:
    """Two rows of a locus, folds of rows: a model that trained on one of them has seen the other."""
    one = library(tmp_path, "one", gc_effect=1.0, seed=12, rows=240)
    split = ("--split", "random-kfold[k=3]")
    assert call("data", "export", one, *split, "--folds", tmp_path / "folds.tsv")[0] == 0
    lines = (tmp_path / "folds.tsv").read_text().splitlines()
    parts = np.array([line.split("\t")[-3:] for line in lines[1:]])
    tested = np.argmax(parts == "test", axis=1)
    together = int((tested[0::2] == tested[1::2]).sum()) * 2
    assert 0 < together < 240
    record, _, _ = carried(tmp_path / "out", "--from", one, "--to", one, *split, *KMERS)
    assert (record.rows, record.seen) == (together, 240 - together)


def test_features_made_elsewhere_are_no_learner_to_transfer(tmp_path: Path) -> None:
    one = library(tmp_path, "one", gc_effect=1.0, seed=13, rows=240)
    two = library(tmp_path, "two", gc_effect=1.0, seed=14, rows=240)
    table = np.loadtxt(tmp_path / "one.tsv", dtype=str, skiprows=1)
    np.save(tmp_path / "best.npy", table[:, 4:5].astype(np.float32))  # what was measured: the best row of the board
    (tmp_path / "best.ids.txt").write_text("\n".join(table[:, 0]) + "\n")
    features = ("--features", tmp_path / "best.npy", "--name", "told")
    out = tmp_path / "out"
    assert call("run", "--task", one, *features, "-f", "gc", "-m", "ridge", "-o", out)[0] == 0
    _, rows, printed = carried(out, "--from", one, "--to", two)
    assert "told + ridge" not in rows
    assert "told + ridge, a best row of one, is left out: features made elsewhere cannot be asked" in printed
    assert any(row.gc_only for row in rows.values())


def test_every_rule_for_lengths_gives_a_figure(tmp_path: Path) -> None:
    one = library(tmp_path, "one", gc_effect=1.0, seed=7, rows=240)
    short = library(tmp_path, "short", gc_effect=1.0, seed=8, rows=120, length=45)
    long = library(tmp_path, "long", gc_effect=1.0, seed=9, rows=120, length=150)
    record, _, printed = carried(tmp_path / "out", "--from", one, "--to", short, *KMERS, "--lengths", "pad")
    assert (record.padded, record.cut) == (120, 0)
    assert "120 shorter rows put between N" in printed
    record, _, printed = carried(tmp_path / "out", "--from", one, "--to", long, *KMERS, "--lengths", "tile")
    assert "120 longer rows read in windows" in printed


def test_what_is_wrong_is_one_line(tmp_path: Path) -> None:
    one = library(tmp_path, "one", gc_effect=1.0, seed=10, rows=120)
    two = library(tmp_path, "two", gc_effect=1.0, seed=11, rows=120)
    base = ["transfer", "--from", one, "--to", two, "-o", tmp_path / "out"]
    assert "has no results of one" in refused(*base)
    assert "--lengths must be centre, pad or tile" in refused(*base, *KMERS, "--lengths", "crop")
    assert "--target: one has no target 'x'" in refused(*base, *KMERS, "--target", "x")
    assert "--to-target: two has no target 'x'" in refused(*base, *KMERS, "--to-target", "x")
    assert "no row has 'c'" in refused("transfer", "--from", one, "--to", f"{two}[group=c]", *KMERS)
    assert "length: sees no sequence" in refused(*base, "-f", "length", "-m", "ridge")
