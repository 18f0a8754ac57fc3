"""BED and GTF files: what is read is what was written, and a bad line is named."""

import gzip

import numpy as np
import pytest
from Bio import bgzf
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import BenchError
from bench.files.intervals import read_intervals

INTERVAL = st.tuples(
    st.sampled_from(["chr1", "8", "KI270.1"]),
    st.integers(0, 10_000),
    st.integers(1, 900),
    st.sampled_from("+-."),
    st.sampled_from(["Tss A", "Enh", "x;y", "=", "a%20b"]),
)


def as_bed(rows):
    return "".join(f"{c}\t{s}\t{s + n}\t{name}\t0\t{strand}\n" for c, s, n, strand, name in rows)


def as_gtf(rows):
    return "".join(
        f'{c}\tmade\ttranscript\t{s + 1}\t{s + n}\t.\t{strand}\t.\tgene_id "g"; gene_name "{name}"; n 1;\n'
        for c, s, n, strand, name in rows
    )


def as_gff3(rows):
    return "".join(
        f"{c}\tmade\ttranscript\t{s + 1}\t{s + n}\t.\t{strand}\t.\tID=1;gene_name={name.replace(';', '%3B')};n=1\n"
        for c, s, n, strand, name in rows
        if "%" not in name
    )


@given(st.lists(INTERVAL, min_size=1, max_size=12))
def test_a_bed_a_gtf_and_a_gff3_say_the_same(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("same")
    rows = [row for row in rows if "%" not in row[4]] or [("chr1", 0, 1, "+", "x")]
    texts = {"a.bed": as_bed(rows), "a.gtf": as_gtf(rows), "a.gff3": as_gff3(rows)}
    for name, text in texts.items():
        (folder / name).write_text(text)
        field = "name" if name == "a.bed" else "gene_name"
        found = read_intervals(folder / name, [field])
        assert found.chrom.tolist() == [row[0] for row in rows]
        assert found.start.tolist() == [row[1] for row in rows]
        assert found.end.tolist() == [row[1] + row[2] for row in rows]
        assert found.strand.tolist() == [{"+": 1, "-": -1, ".": 0}[row[3]] for row in rows]
        assert found.fields[field].tolist() == [row[4] for row in rows]
        assert found.line.tolist() == list(range(1, len(rows) + 1))


@given(st.lists(INTERVAL, min_size=1, max_size=8), st.integers(-50, 40), st.integers(1, 60))
def test_windows_are_counted_along_the_strand_from_the_first_base(tmp_path_factory, rows, first, size):
    path = tmp_path_factory.mktemp("around") / "a.bed"
    path.write_text(as_bed([(*row[:3], row[3].replace(".", "+"), row[4]) for row in rows]))
    intervals = read_intervals(path)
    windows = intervals.around_starts(first, first + size)
    for line, strand, start, end in zip(windows.line, windows.strand, windows.start, windows.end, strict=True):
        _, begin, length, _, _ = rows[line - 1]
        site, step = (begin, 1) if strand > 0 else (begin + length - 1, -1)
        bases = sorted(site + step * offset for offset in range(first, first + size))
        assert list(range(start, end)) == [base for base in bases if base >= 0]
    gone = set(intervals.line.tolist()) - set(windows.line.tolist())
    for line in gone:  # those whose whole window lies before the chromosome
        assert rows[line - 1][1] < 60


def test_comments_packing_and_line_ends(tmp_path):
    text = "browser position chr1\ntrack name=x\n#chrom\tstart\tend\tname\tclass\r\nchr1\t0\t5\tL1\tLINE\r\n\n# more\n"
    text += "track_1\t3\t9\tAlu\tSINE\n"
    plain, packed, blocks = tmp_path / "r.bed", tmp_path / "r.bed.gz", tmp_path / "r.bed.bgz"
    plain.write_text(text)
    packed.write_bytes(gzip.compress(text.encode()))
    with bgzf.BgzfWriter(str(blocks), "wb") as out:
        out.write(text.encode())
    for path in (plain, packed, blocks):
        found = read_intervals(path, ["class", "name", "score"])
        assert found.fields["class"].tolist() == ["LINE", "SINE"]
        assert found.fields["score"].tolist() == ["LINE", "SINE"]
        assert found.chrom.tolist() == ["chr1", "track_1"]
        assert found.line.tolist() == [4, 7]


def test_peaks_features_and_attributes(tmp_path):
    peak = tmp_path / "p.narrowPeak"
    peak.write_text("chr1\t10\t20\tpeak1\t0\t.\t5.5\t-1\t-1\t4\n")
    assert read_intervals(peak, ["peak", "signalValue"]).fields["peak"].tolist() == ["4"]
    gtf = tmp_path / "g.gtf"
    gtf.write_text(
        '#!genome\nchr1\tx\tgene\t1\t9\t.\t+\t.\tgene_id "a"; note "b; gene_id c";\n'
        'chr1\tx\ttranscript\t3\t9\t.\t-\t.\tgene_id "a"; transcript_id "t";\n'
    )
    both = read_intervals(gtf, ["transcript_id", "feature"])
    assert both.fields["transcript_id"].tolist() == ["", "t"]
    assert both.fields["feature"].tolist() == ["gene", "transcript"]
    one = read_intervals(gtf, ["gene_id"], feature=["transcript"])
    assert (one.start.tolist(), one.end.tolist(), one.fields["gene_id"].tolist()) == ([2], [9], ["a"])


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.bed", "chr1\t1\t5\nchr1\t9\t9\n", r"a.bed:2: start must lie before end. Got 9-9. BED is 0-based"),
        ("a.bed", "chr1\t-1\t5\n", r"a.bed:1: start must be a whole number of bases. Got '-1'."),
        ("a.bed", "chrom\tstart\tend\n", r"a.bed:1: start must be .* Got 'start'. A header begins with #."),
        ("a.bed", "chr1\t1\t1e5\n", r"a.bed:1: end must be a whole number"),
        ("a.bed", "chr1 1 5\n", r"a.bed:1: a BED file has chrom, start and end, with tabs.* Got 1 column."),
        ("a.bed", "chr1\t1\t5\tx\nchr1\t1\t5\n", r"a.bed:2: has 3 columns, the lines above 4"),
        ("a.bed", "\t1\t5\n", r"a.bed:1: the chromosome is empty"),
        ("a.bed", "chr1\t1\t5\tx\t0\tplus\n", r"a.bed:1: the strand must be \+, - or . \(none\). Got 'plus'."),
        ("a.bed", "# nothing\n", r"a.bed: has no intervals"),
        ("a.gtf", "chr1\tx\tgene\t0\t5\t.\t+\t.\ta 1\n", r"a.gtf:1: start must be 1 or more.*1-based"),
        ("a.gtf", "chr1\tx\tgene\t7\t5\t.\t+\t.\ta 1\n", r"a.gtf:1: start must be 1 or more and at most end. Got 7-5"),
        ("a.gtf", "chr1\t1\t5\n", r"a.gtf:1: has 3 columns, a GTF has nine"),
        ("a.bb", "", r"a.bb: a file of intervals is a .bed.*bigBedToBed"),
        ("a.csv", "", r"a.csv: a file of intervals is a .bed"),
        ("a.bed.gz", "chr1\t1\t5\n", r"a.bed.gz: is not gzipped. Call it a.bed."),
    ],
)
def test_what_is_wrong_is_one_line(tmp_path, name, text, said):
    (tmp_path / name).write_text(text)
    with pytest.raises(BenchError, match=said) as caught:
        read_intervals(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_what_is_asked_for_and_not_there(tmp_path):
    bed, gtf = tmp_path / "a.bed", tmp_path / "a.gtf"
    bed.write_text("chr1\t1\t5\n")
    gtf.write_text('chr1\tx\tgene\t1\t5\t.\t.\t.\tgene_id "a";\n')
    for path, fields, feature, said in (
        (bed, ["name"], [], "a.bed: has no column 'name'. There is: chrom, end, start."),
        (bed, [], ["gene"], "a BED file has no features"),
        (gtf, ["gene_nam"], [], "a.gtf: no line has an attribute 'gene_nam'. Did you mean 'gene_id'"),
        (gtf, [], ["genes"], "a.gtf: has no feature 'genes'. Did you mean 'gene'"),
        (tmp_path / "none.bed", [], [], "none.bed: no such BED or GTF file"),
    ):
        with pytest.raises(BenchError, match=said):
            read_intervals(path, fields, feature=feature)
    with pytest.raises(BenchError, match=r"a.gtf:1: no strand, which says on which end"):
        read_intervals(gtf).around_starts(-5, 5)
    with pytest.raises(BenchError, match=r"window \[5, 5\]"):
        read_intervals(bed).around_starts(5, 5)
    broken = tmp_path / "b.bed.gz"
    broken.write_bytes(gzip.compress(np.random.default_rng(0).bytes(5000).hex().encode())[:400])
    with pytest.raises(BenchError, match=r"b.bed.gz: the gzip file is cut short"):
        read_intervals(broken)
