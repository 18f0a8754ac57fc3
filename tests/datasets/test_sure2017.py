"""SuRE 2017: the adapters against brute force on a small stand-in, and the stand-in against its promises."""

from __future__ import annotations

import gzip
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from standin import EMPTY, SITE, StandIn, occurrences, write_standin

from bench.dataset import Unavailable
from bench.datasets import sure2017
from bench.datasets.sure2017 import COUNTS, GENOMES, Rule, SuRE2017, SuRE2017Positives, read_counts
from bench.errors import BenchError
from bench.files import genome
from bench.sequences import encode
from bench.tasks.folds import make_folds
from bench.tasks.task import DROPPED, TEST, VALID

RULE = Rule((*sure2017.AUTOSOMES, "chrX", "chrY"), dna=10)


@pytest.fixture(scope="module")
def standin(tmp_path_factory: pytest.TempPathFactory) -> StandIn:
    return write_standin(tmp_path_factory.mktemp("sure"), rows=20_000, bases=2_000_000, seed=1)


@pytest.fixture(scope="module")
def published(standin: StandIn) -> pd.DataFrame:
    """The counts file as pandas reads it, replicates summed by the words in their names."""
    frame = pd.read_csv(standin.counts, sep="\t")
    assert frame.shape == (20_000, 13)
    rna = {f"rna{i}": frame[[c for c in frame if f"Biorep{i}" in c]].sum(axis=1) for i in (1, 2)}
    return frame[["chr", "start", "end", "strand", "iPCR"]].assign(
        **rna, dna=frame[[c for c in frame if "plasmid" in c]].sum(axis=1)
    )


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def folder_of(standin: StandIn) -> Path:
    return standin.counts.parent.parent


def fasta_of(path: Path) -> dict[str, str]:
    records = path.read_text().split(">")[1:]
    return {record.partition("\n")[0]: record.partition("\n")[2].replace("\n", "") for record in records}


COMPLEMENT = str.maketrans("ACGTN", "TGCAN")


def test_filtered_on_dna(standin: StandIn, published: pd.DataFrame, cache: Path) -> None:
    task = SuRE2017().load(folder_of(standin))
    mine = published[published["dna"] >= 10].reset_index(drop=True)
    assert len(task) == len(mine) > 2_000
    expected = [
        np.log2((mine[rna] + 1) / published[rna].sum()) - np.log2((mine["dna"] + 1) / published["dna"].sum())
        for rna in ("rna1", "rna2")
    ]
    np.testing.assert_allclose(task.targets["K562"].replicates, np.column_stack(expected), rtol=1e-12)
    np.testing.assert_array_equal(task.sequences.covariates["dna_count"], mine["dna"])
    np.testing.assert_array_equal(task.sequences.covariates["ipcr_count"], mine["iPCR"])
    assert task.counts["fragments with fewer than 10 plasmid reads"] == 20_000 - len(mine)
    assert task.card.orientation == "stranded"


def test_bases_and_loci(standin: StandIn, published: pd.DataFrame, cache: Path) -> None:
    task = SuRE2017().load(folder_of(standin))
    mine = published[published["dna"] >= 10].reset_index(drop=True)
    chromosomes = fasta_of(standin.genome)
    rows = np.random.default_rng(0).choice(len(mine), 200, replace=False)
    for row, bases in zip(rows, task.sequences.take(rows).to_strings(), strict=True):
        place = mine.iloc[row]
        cut = chromosomes[place["chr"]][place["start"] : place["end"]]
        assert bases == (cut[::-1].translate(COMPLEMENT) if place["strand"] == "-" else cut)
        assert task.row_id[row] == f"{place['chr']}:{place['start']}-{place['end']}:{place['strand']}"
    reach, chrom, locus, expected = -1, "", -1, []
    for place in mine.sort_values(["chr", "start"]).itertuples():
        if place.chr != chrom or place.start >= reach:
            locus, reach, chrom = locus + 1, -1, place.chr
        reach = max(reach, place.end)
        expected.append((place.Index, locus))
    brute = np.array([locus for _, locus in sorted(expected)])
    pairs = set(zip(brute.tolist(), task.locus.tolist(), strict=True))
    assert len(pairs) == len(set(brute)) == len(set(task.locus.tolist()))


def test_a_large_genome_is_mapped_from_the_cache(
    standin: StandIn, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_memory = SuRE2017().load(folder_of(standin))
    monkeypatch.setattr(genome, "MAPPED", 1_000_000)
    mapped = SuRE2017().load(folder_of(standin))
    assert isinstance(mapped.sequences.buffer, np.memmap)
    assert mapped.digest == in_memory.digest
    monkeypatch.setattr(genome, "encode", lambda text: pytest.fail("encoded again"))
    assert SuRE2017().load(folder_of(standin)).digest == in_memory.digest
    # Without a cache folder it is held in memory.
    monkeypatch.undo()
    monkeypatch.setattr(genome, "MAPPED", 1_000_000)
    (cache.parent / "file").write_text("in the way")
    monkeypatch.setenv("BENCH_CACHE_DIR", str(cache.parent / "file"))
    again = SuRE2017().load(folder_of(standin))
    assert not isinstance(again.sequences.buffer, np.memmap)
    assert again.digest == in_memory.digest


def test_split_of_the_2017_study(standin: StandIn, cache: Path) -> None:
    task = SuRE2017().load(folder_of(standin))
    part = make_folds(task).part[0]
    assert set(task.chrom[part == VALID]) == {"chr18"}
    assert set(task.chrom[part == TEST]) == {"chr8"}
    assert set(task.chrom[part == DROPPED]) == {"chrX", "chrY"}


def test_a_genome_without_y(standin: StandIn, cache: Path, tmp_path: Path) -> None:
    shutil.copytree(folder_of(standin), tmp_path / "data")
    with gzip.open(tmp_path / "data" / COUNTS, "rt") as lines:
        kept = [line for line in lines if not line.startswith("chrY")]
    with gzip.open(tmp_path / "data" / COUNTS, "wt") as out:
        out.writelines(kept)
    task = SuRE2017().load(tmp_path / "data")
    assert str(task.split) == "holdout[valid=chr18,test=chr8,drop=chrX]"


def test_as_published(standin: StandIn, published: pd.DataFrame, cache: Path) -> None:
    task = SuRE2017Positives().load(folder_of(standin))
    mine = published[(published["rna1"] > 0) & (published["rna2"] > 0)]
    mine = mine[(mine["end"] - mine["start"] <= 2000) & ~mine["chr"].isin(["chrX", "chrY"])]
    assert len(task) == len(mine)
    dna = (1 + mine["dna"]) * 1e9 / 8e7
    signal = np.column_stack([mine["rna1"] * 1e9 / 37770653 / dna, mine["rna2"] * 1e9 / 74081034 / dna])
    np.testing.assert_allclose(task.targets["K562"].replicates, signal, rtol=1e-12)
    assert "CHOSEN BY THE OUTCOME" in task.card.note
    assert str(task.split) == "holdout[valid=chr18,test=chr8]"


def test_small_blocks_give_the_same_rows(standin: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = read_counts(standin.counts, RULE)
    monkeypatch.setattr(sure2017, "BLOCK", 10_000)
    pieces = read_counts(standin.counts, RULE)
    pd.testing.assert_frame_equal(whole.rows, pieces.rows)
    assert (whole.reads, whole.counts) == (pieces.reads, pieces.counts)


def test_kept_rows_are_read_once(standin: StandIn, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = sure2017.cached_counts(standin.counts, RULE)
    monkeypatch.setattr(sure2017, "read_counts", lambda path, rule: pytest.fail("read again"))
    again = sure2017.cached_counts(standin.counts, RULE)
    pd.testing.assert_frame_equal(first.rows, again.rows)
    assert (first.reads, first.counts) == (again.reads, again.counts)
    with pytest.raises(pytest.fail.Exception):
        sure2017.cached_counts(standin.counts, Rule(("chr1",), dna=10))


def small_file(path: Path, rows: list[list[object]], drop: str | None = None) -> Path:
    columns = [*sure2017.PLACE, *(name for names in sure2017.SUMMED.values() for name in names)]
    frame = pd.DataFrame(rows, columns=columns)
    frame.drop(columns=[drop] if drop else []).to_csv(path, sep="\t", index=False, compression="gzip")
    return path


count = st.integers(0, 30)
row = st.tuples(
    st.sampled_from(["chr1", "chr22", "chrX", "chrM", "1"]),
    st.integers(0, 5_000),
    st.integers(1, 4_000),
    st.sampled_from("+-"),
    *[count] * 9,
)


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(row, min_size=1, max_size=30), dna=st.integers(0, 20), rna=st.integers(0, 2))
def test_any_rows_against_plain_python(
    rows: list[tuple[object, ...]], dna: int, rna: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    if not any(row[11] or row[12] for row in rows):
        rows = [(*rows[0][:12], 1), *rows[1:]]
    rows = [(row[0], row[1], row[1] + row[2], *row[3:]) for row in rows]
    path = small_file(tmp_path_factory.mktemp("any") / "counts.txt.gz", [list(row) for row in rows])
    kept = read_counts(path, Rule(("chr1", "chr22"), longest=2_000, dna=dna, rna=rna))
    expected = [
        (r[0], r[3], r[1], r[2], r[4], sum(r[5:9]), sum(r[9:11]), sum(r[11:13]))
        for r in rows
        if r[0] in ("chr1", "chr22")
        and r[2] - r[1] <= 2_000
        and sum(r[11:13]) >= dna
        and min(sum(r[5:9]), sum(r[9:11])) >= rna
    ]
    assert list(kept.rows.itertuples(index=False, name=None)) == expected
    assert kept.reads["rna1"] == sum(sum(r[5:9]) for r in rows)
    counts = list(kept.counts.values())
    assert counts[0] == len(rows) == sum(counts[1:]) + len(expected)


def test_a_fragment_listed_twice_keeps_both_rows() -> None:
    rows = pd.DataFrame({"chrom": ["chr1"] * 3, "start": [5, 5, 5], "end": [9, 9, 9], "strand": ["+", "-", "+"]})
    assert sure2017.row_names(rows).tolist() == ["chr1:5-9:+", "chr1:5-9:-", "chr1:5-9:+#2"]


@pytest.mark.parametrize("column", ["strand", "iPCR", "plasmid library, PCR rep2", "SuRE K562 cDNA, Biorep1, PCRrep3"])
def test_a_missing_column_is_named(tmp_path: Path, column: str) -> None:
    path = small_file(tmp_path / "counts.txt.gz", [["chr1", 1, 5, "+", *[3] * 9]], drop=column)
    with pytest.raises(BenchError, match=column):
        read_counts(path, RULE)


def test_a_file_cut_short_is_an_error(standin: StandIn, tmp_path: Path) -> None:
    raw = standin.counts.read_bytes()
    path = tmp_path / "counts.txt.gz"
    path.write_bytes(raw[: len(raw) // 2])
    with pytest.raises(BenchError, match="not readable to its end"):
        read_counts(path, RULE)


def test_what_is_no_count_is_an_error(tmp_path: Path) -> None:
    path = small_file(tmp_path / "counts.txt.gz", [["chr1", 1, 5, "+", *[3] * 8, "many"]])
    with pytest.raises(BenchError, match="many"):
        read_counts(path, RULE)


def test_without_files_it_says_what_to_bring(cache: Path, tmp_path: Path) -> None:
    for dataset in (SuRE2017(), SuRE2017Positives()):
        with pytest.raises(Unavailable, match=r"GSE78709.*hg19\.fa"):
            dataset.load(tmp_path)
        assert COUNTS in str(dataset.problem(tmp_path))


def test_the_stand_in_keeps_its_promises(standin: StandIn, published: pd.DataFrame) -> None:
    for name, share in EMPTY.items():
        assert (published[name] == 0).mean() == pytest.approx(share, abs=0.01)
    lengths = published["end"] - published["start"]
    assert lengths.between(150, 2_000).all()
    assert published["strand"].value_counts(normalize=True)["+"] == pytest.approx(0.5, abs=0.02)
    planted = pd.read_parquet(standin.latent)
    assert len(planted) == len(published)
    # GC and sites as counted in the FASTA with string methods.
    chromosomes = fasta_of(folder_of(standin) / GENOMES[0])
    for row in range(0, len(published), 997):
        place = published.iloc[row]
        bases = chromosomes[place["chr"]][place["start"] : place["end"]]
        assert planted["sites"][row] == sum(bases.startswith(SITE, i) for i in range(len(bases)))
        assert planted["gc"][row] == pytest.approx((bases.count("G") + bases.count("C")) / len(bases), abs=1e-6)
    # Latent activity has the planted shares of variance, and drives RNA per plasmid.
    truth = standin.truth
    assert planted["activity"].var() == pytest.approx(1, abs=0.15)
    assert planted[["gc", "activity"]].corr().iloc[0, 1] ** 2 == pytest.approx(truth.gc, abs=0.05)
    assert planted[["sites", "activity"]].corr().iloc[0, 1] ** 2 == pytest.approx(truth.motif, abs=0.05)
    active = planted["activity"] > 0
    assert published["rna2"][active].sum() / published["dna"][active].sum() > 2 * (
        published["rna2"][~active].sum() / published["dna"][~active].sum()
    )


def test_the_same_seed_writes_the_same_files(tmp_path: Path) -> None:
    first, second = (write_standin(tmp_path / name, rows=300, bases=200_000, seed=3) for name in "ab")
    assert gzip.decompress(first.counts.read_bytes()) == gzip.decompress(second.counts.read_bytes())
    assert first.genome.read_bytes() == second.genome.read_bytes()


def test_occurrences_overlap() -> None:
    assert occurrences(encode("AAAACAAA"), encode("AAA")).tolist() == [0, 1, 5]
