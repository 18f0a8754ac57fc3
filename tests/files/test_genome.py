import gzip
import os
import shutil

import numpy as np
import pandas as pd
import pyfaidx
import pytest
from Bio import bgzf
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.files.genome import cut
from bench.tasks.task_file import load_task_file

LENGTHS = {"chr1": 901, "chr2": 350, "chrM": 61}


@pytest.fixture(scope="module")
def fasta(tmp_path_factory):
    """Three chromosomes with upper and lower case, N and an IUPAC letter, wrapped at 60."""
    path = tmp_path_factory.mktemp("genome") / "genome.fa"
    rng = np.random.default_rng(5)
    text = ""
    for name, length in LENGTHS.items():
        bases = "".join(rng.choice(list("ACGTacgtNR"), length))
        text += f">{name} a description\n" + "\n".join(bases[i : i + 60] for i in range(0, length, 60)) + "\n"
    path.write_text(text)
    return path


@pytest.fixture(scope="module")
def bgzipped(fasta):
    path = fasta.with_suffix(".fa.gz")
    with bgzf.BgzfWriter(str(path), "wb") as out:
        out.write(fasta.read_bytes())
    return path


def arrays(rows):
    chrom, start, end, strand = zip(*rows, strict=True)
    return np.array(chrom), np.array(start), np.array(end), np.array([s == "-" for s in strand])


def cut_rows(fasta, rows):
    names = np.array([f"row-{i + 1}" for i in range(len(rows))])
    return cut(fasta, *arrays(rows), names=names, source="t.bed")


ROWS = st.lists(
    st.sampled_from(sorted(LENGTHS)).flatmap(
        lambda name: st.tuples(
            st.just(name), st.integers(0, LENGTHS[name] - 1), st.integers(1, 80), st.sampled_from("+-")
        ).map(lambda r: (r[0], r[1], min(r[1] + r[2], LENGTHS[r[0]]), r[3]))
    ),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=60)
@given(rows=ROWS)
def test_equals_pyfaidx_one_by_one(fasta, bgzipped, rows):
    want = []
    with pyfaidx.Fasta(str(fasta)) as genome:
        for chrom, start, end, strand in rows:
            piece = genome[chrom][start:end]
            text = (piece.reverse.complement if strand == "-" else piece).seq.upper()
            want.append("".join(c if c in "ACGT" else "N" for c in text))
    for path in (fasta, bgzipped):
        got = cut_rows(path, rows)
        assert got.to_strings() == want
        used = {chrom for chrom, *_ in rows}
        assert len(got.buffer) == sum(LENGTHS[chrom] for chrom in used)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (("chr2", 300, 351, "+"), r"row 'row-2': chr2:300-351 does not lie on chr2, which has 350 bases"),
        (("1", 0, 10, "+"), r"row 'row-2': chromosome '1' is not in .*The FASTA calls it 'chr1'"),
        (("chr7", 0, 10, "+"), r"chromosome 'chr7' is not in"),
    ],
)
def test_names_the_row(fasta, row, said):
    with pytest.raises(BenchError, match=said):
        cut_rows(fasta, [("chr1", 0, 5, "+"), row])


def test_unreadable_genomes(fasta, tmp_path):
    rows = [("chr1", 0, 5, "+")]
    with pytest.raises(BenchError, match="no such FASTA"):
        cut_rows(tmp_path / "no.fa", rows)
    plain = tmp_path / "plain.fa.gz"
    plain.write_bytes(gzip.compress(fasta.read_bytes()))
    with pytest.raises(BenchError, match="plain or bgzipped"):
        cut_rows(plain, rows)
    text = tmp_path / "text.fa"
    text.write_text("this is no FASTA\n")
    with pytest.raises(BenchError, match=r"text.fa"):
        cut_rows(text, rows)


def test_the_index_of_another_genome_is_refused(fasta, tmp_path):
    path = tmp_path / "genome.fa"
    shutil.copy(fasta, path)
    assert len(cut_rows(path, [("chr2", 0, 9, "+")]))
    index = path.with_suffix(".fa.fai")
    fields = [line.split("\t") for line in index.read_text().splitlines()]
    for column, value in ((2, "3"), (1, "450"), (4, "70")):
        lines = ["\t".join([*line[:column], value, *line[column + 1 :]]) for line in fields]
        index.write_text("\n".join(lines) + "\n")
        os.utime(index, (2e9, 2e9))  # newer than the FASTA: it is not made again
        with pytest.raises(BenchError, match="Delete the index"):
            cut_rows(path, [("chr2", 0, 9, "+")])


def test_a_bed_file_with_a_genome(fasta, tmp_path):
    shutil.copy(fasta, tmp_path / "genome.fa")
    bed = pd.DataFrame(
        {
            "chrom": ["chr1", "chr1", "chr2"],
            "start": [10, 15, 10],
            "end": [40, 45, 40],
            "name": ["a", "b", "c"],
            "score": [1.0, 2.0, 3.5],
            "strand": ["+", "-", "."],
        }
    )
    bed.to_csv(tmp_path / "t.bed.gz", sep="\t", header=False, index=False)
    (tmp_path / "t.toml").write_text(
        'name = "t"\ntable = "t.bed.gz"\nfasta = "genome.fa"\n[columns]\nid = "name"\n'
        '[targets.y]\nreplicates = ["score"]\n'
    )
    task = load_task_file(tmp_path / "t.toml")
    with pyfaidx.Fasta(str(fasta)) as genome:
        minus = genome["chr1"][15:45].reverse.complement.seq.upper().replace("R", "N").replace("Y", "N")
    assert task.sequences.to_strings()[1] == minus
    assert task.locus.tolist() == [0, 0, 1]
    assert task.row_id.tolist() == ["a", "b", "c"]
