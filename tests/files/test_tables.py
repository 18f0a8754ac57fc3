"""Tables and FASTA as they are read: what is kept as text, and what is said of a file that is no such thing."""

import gzip

import pandas as pd
import pytest

from bench.errors import BenchError
from bench.files.fasta import read_fasta
from bench.files.tables import read_table, read_tsv, require_columns

TABLE = b"id\tsequence\ty\n" + b"".join(b"007\tACGT%s\t%d\n" % (b"A" * (i % 7), i) for i in range(4000))


def test_a_published_table_is_cut_to_its_columns(tmp_path):
    path = tmp_path / "t.tsv.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + TABLE))
    assert read_tsv(path, ["y", "id"]).columns.tolist() == ["y", "id"]
    assert read_tsv(path)["id"].iloc[0] == 7


def test_ids_of_a_table_stay_text(tmp_path):
    path = tmp_path / "T.TSV"
    path.write_bytes(TABLE)
    assert read_table(path).frame["id"].iloc[0] == "007"
    bed = tmp_path / "t.bed"
    bed.write_text("track name=x\n#a\nchr1\t1\t5\t007\n")
    assert read_table(bed).frame.to_dict("records") == [{"chrom": "chr1", "start": "1", "end": "5", "name": "007"}]


def test_broken_published_files(tmp_path):
    cut = tmp_path / "cut.tsv.gz"
    whole = gzip.compress(TABLE)
    cut.write_bytes(whole[: len(whole) // 2])
    for read in (read_tsv, read_fasta):
        with pytest.raises(BenchError, match=r"cut\.tsv\.gz: the gzip file is cut short\. Delete it and fetch"):
            read(cut)
    plain = tmp_path / "plain.tsv"
    plain.write_bytes(TABLE)
    with pytest.raises(BenchError, match=r"column 'rna' is missing\. The file is not the published one"):
        read_tsv(plain, ["y", "rna"])
    with pytest.raises(BenchError, match=r"none\.tsv: no such table"):
        read_tsv(tmp_path / "none.tsv")
    twice = tmp_path / "twice.fa"
    twice.write_text(">a\nAC\nGT\n>a\nTT\n")
    with pytest.raises(BenchError, match="two records are called 'a'"):
        read_fasta(twice)
    foreign = tmp_path / "foreign.fa"
    foreign.write_text(">a\nAC\n>é\nGT\n", encoding="utf-8")
    with pytest.raises(BenchError, match=r"foreign\.fa: line 3 is not ASCII"):
        read_fasta(foreign)


def test_a_missing_column_names_the_nearest():
    frame = pd.DataFrame({"sequence": ["A"]})
    with pytest.raises(BenchError, match=r"t: column 'sequnce' is missing\. Did you mean 'sequence'\?"):
        require_columns(frame, ["sequnce"], "t")
