"""Bad input at the command line: one line that names the file, row or option and the fix; nothing is written."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

import pytest
from calls import call, refused

from bench.datasets.klein2020 import Klein2020


def test_nothing_asked_for():
    assert "bench run --all" in refused("run")


def test_unknown_device(small_task):
    assert "--device must be auto, cpu or cuda" in refused("run", "-t", small_task, "--device", "tpu")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--seeds", "0"], "--seeds must be 1 or more. Got 0"),
        (["--cache", "yes"], "--cache must be reuse, refresh or only"),
        (["-f", "kmer"], "unknown featurizer 'kmer'. Did you mean 'kmers'?"),
        (["-m", "xgbost"], "unknown model 'xgbost'. Did you mean 'xgboost'?"),
        (["-f", "kmers[n=4]"], "kmers has no parameter 'n'"),
        (["-f", "kmers[k=99]"], "'k' must be an int from 1 to 7. Got 99"),
        (["-m", "ridge[alpha=-1]"], "'alpha' must be a number above 0"),
        (["-f", "gc", "-m", "cnn"], "nothing to run: no pair asked for makes sense. small · gc + cnn: cnn takes"),
        (["-t", "klein"], "unknown task 'klein'. Did you mean 'klein2020'?"),
        (["-t", "assay.tsv"], "--task assay.tsv: not a task file"),
        (["-t", "nowhere.toml"], "nowhere.toml: no such task file"),
        (["--plugin", "nowhere.py"], "nowhere.py: no such plugin file"),
    ],
)
def test_a_bad_option_is_refused_in_one_line(tmp_path, small_task, words, said):
    assert said in refused("run", "-t", small_task, "-o", tmp_path / "out", *words)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "--threads", "0"], "--threads"),
        (["run", "--sedes", "2"], "--seeds"),
        (["rnu"], "'run'"),
    ],
)
def test_a_call_that_is_not_understood_is_one_line_too(words, said):
    code = f"import sys; sys.argv = ['bench', *{words!r}]; from bench.cli.main import main; main()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    [line] = done.stderr.strip().split("\n")
    assert line.startswith("error: ")
    assert said in line
    assert line.endswith("--help")


@pytest.mark.parametrize("place", ["a file", "below a file", "no folder of ours"])
def test_an_output_folder_that_cannot_be(tmp_path, small_task, place):
    (tmp_path / "file").write_text("")
    out = {
        "a file": tmp_path / "file",
        "below a file": tmp_path / "file" / "out",
        "no folder of ours": Path("/proc/out"),
    }
    message = refused("run", "-t", small_task, "-f", "gc", "-m", "ridge", "-o", out[place])
    named = tmp_path / "file" if place == "below a file" else out[place]  # what is in the way
    assert message.startswith(f"{named}: cannot write there")
    assert "--out" in message


def test_a_public_file_with_a_wrong_checksum(tmp_path):
    for file in Klein2020.files:
        path = tmp_path / file.path
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"something else")
    message = refused("run", "-t", "klein2020", "--data-dir", tmp_path, "-o", tmp_path / "out")
    assert message.startswith(str(tmp_path / "klein2020"))
    assert "SHA-256" in message
    assert message.endswith("Delete it and fetch it again.")


def test_absent_data_asked_for_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("BENCH_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.delenv("BENCH_DATA_DIR", raising=False)
    assert "bench data fetch klein2020" in refused("run", "-t", "klein2020", "-o", tmp_path / "out")


def edit(task: Path, change) -> Path:
    """The small task with its table's lines (of results) changed."""
    table = task.with_suffix(".tsv")
    lines = [line.split("\t") for line in table.read_text().strip().split("\n")]
    change(lines)
    table.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    return task


def _set(row, column, value):
    def change(lines):
        lines[row][lines[0].index(column)] = value

    return change


def _drop_column(lines):
    at = lines[0].index("y0_2")
    for line in lines:
        del line[at]


def _empty(column):
    def change(lines):
        for line in lines[1:]:
            line[lines[0].index(column)] = ""

    return change


def _constant(lines):
    for line in lines[1:]:
        line[lines[0].index("y0_1")] = line[lines[0].index("y0_2")] = "1.5"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_drop_column, ["small.tsv", "y0_2"]),
        (_set(5, "y0_1", "many"), ["small.tsv", "y0_1", "many"]),
        (_set(5, "y0_1", "inf"), ["small.tsv", "y0_1"]),
        (_constant, ["small.tsv", "t0"]),
        (_set(5, "id", "r7"), ["small.tsv", "r7"]),
        (_set(5, "sequence", ""), ["small.tsv", "sequence"]),
        (_set(5, "sequence", "ACGT*ACGT"), ["small.tsv", "*"]),
        (_set(0, "y0_2", "y0_1"), ["small.tsv", "two columns are called 'y0_1'"]),
        (_empty("y0_2"), ["small.tsv", "replicate 'y0_2'", "no value in any row"]),
        (_set(5, "start", "-3"), ["small.tsv", "row 5", "'start'"]),
        (lambda lines: [line.append("") for line in lines[1:]], ["small.tsv", "9 fields", "8 names"]),
        (lambda lines: lines.__delitem__(slice(1, None)), ["small.tsv", "no rows"]),
    ],
    ids=[
        "missing column",
        "text target",
        "infinite target",
        "constant target",
        "double id",
        "no sequence",
        "letters",
        "double column",
        "empty replicate",
        "negative start",
        "longer rows",
        "no rows",
    ],
)
def test_a_bad_table_is_refused_in_one_line(tmp_path, small_task, change, words):
    message = refused("run", "-t", edit(small_task, change), "-o", tmp_path / "out")
    for word in words:
        assert word in message
    assert not (tmp_path / "out").exists()


def _latin(text):
    return text.replace("chr1", "ché1").encode("latin-1")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("t.tsv.gz", lambda text: gzip.compress(text.encode())[:2000], "t.tsv.gz: the gzip file is cut short"),
        ("t.tsv.gz", lambda text: text.encode(), "t.tsv.gz: is not gzipped. Call it t.tsv."),
        ("t.tsv", _latin, "t.tsv: line 2 is not UTF-8. Save the table as plain UTF-8 text"),
        ("t.tsv", lambda text: text.encode("utf-16"), "t.tsv: line 1 is not UTF-8"),
        ("t.csv", lambda text: text.encode(), "is a single column. A .csv file needs commas between the columns"),
        ("t.tsv", lambda text: b"", "t.tsv: the table has no rows"),
        ("t.xlsx", lambda text: b"PK", "t.xlsx: not a readable table"),
        ("t.parquet", lambda text: b"PAR1", "t.parquet: not a readable table"),
        (
            "t.bed",
            lambda text: b"chr1\t5\nchr1\t9\n",
            "a BED file has chrom, start and end, with tabs between them. Got 2",
        ),
    ],
)
def test_a_file_that_is_no_such_table(tmp_path, small_task, name, content, said):
    (small_task.parent / name).write_bytes(content(small_task.with_suffix(".tsv").read_text()))
    small_task.write_text(small_task.read_text().replace("small.tsv", name))
    assert said in refused("run", "-t", small_task, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_table_that_is_a_folder(tmp_path, small_task):
    small_task.write_text(small_task.read_text().replace("small.tsv", "."))
    assert "a folder, not a table" in refused("run", "-t", small_task, "-o", tmp_path / "out")


def test_a_column_counted_twice_would_raise_the_ceiling(small_task):
    small_task.write_text(small_task.read_text().replace("'y0_2'", "'y0_1'"))
    message = refused("run", "-t", small_task)
    assert "small.toml: 'replicates' in [targets.t0]: column 'y0_1' is named twice" in message


def test_marks_of_other_systems_do_no_harm(tmp_path, small_task):
    table = small_task.with_suffix(".tsv")
    words = ("run", "-t", small_task, "-f", "gc", "-m", "ridge", "-o", tmp_path / "out")
    assert call(*words)[0] == 0
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes().replace(b"\n", b"\r\n"))
    small_task.write_bytes(b"\xef\xbb\xbf" + small_task.read_bytes())
    assert "nothing to fit, 1 result reused" in call(*words)[1]


def test_a_genome_that_does_not_fit_the_table(tmp_path, small_task):
    task = small_task.read_text()
    small_task.write_text("fasta = 'genome.fa'\n" + task)
    genome = small_task.parent / "genome.fa"
    assert "genome.fa: no such FASTA" in refused("run", "-t", small_task)
    genome.write_text("".join(f">{i}\n{'ACGT' * 100_000}\n" for i in range(1, 7)))
    assert "chromosome 'chr1' is not in" in refused("run", "-t", small_task)
    assert "The FASTA calls it '1': rename one." in refused("run", "-t", small_task)
    genome.unlink()
    Path(f"{genome}.fai").unlink()
    genome.write_text("".join(f">chr{i}\n{'ACGT' * 1_000}\n" for i in range(1, 7)))
    message = refused("run", "-t", small_task)
    assert "row 'r6': chr1:6000-6040 does not lie on chr1, which has 4,000 bases" in message
    edit(small_task, _set(3, "start", ""))
    assert "row 3 ('r2', line 4) has no start or no end" in refused("run", "-t", small_task)


def test_an_unknown_key_of_a_task_file(tmp_path, small_task):
    small_task.write_text(small_task.read_text().replace("split =", "spilt ="))
    message = refused("run", "-t", small_task)
    assert "spilt" in message
    assert "split" in message
    assert "small.toml" in message


def test_a_split_without_test_rows_and_one_with_an_unknown_chromosome(small_task):
    assert "chr9" in refused("run", "-t", small_task, "--split", "holdout[valid=chr1,test=chr9]")
    drop = "chr3+chr4+chr5+chr6"
    assert "train" in refused("run", "-t", small_task, "--split", f"holdout[valid=chr1,test=chr2,drop={drop}]")


def test_iupac_letters_become_n_and_are_counted_aloud(tmp_path, small_task):
    edit(small_task, _set(5, "sequence", "ACGTRYACGTACGTACGTAC"))
    status, printed, _ = call("run", "-t", small_task, "-f", "gc", "-m", "ridge", "-o", tmp_path / "out")
    assert status == 0
    assert re.search(r"IUPAC.*: 2", printed), printed


@pytest.mark.parametrize(
    "call", [("curve", "klein2020"), ("blend", "klein2020", "-p", "gc + ridge", "-p", "kmers + ridge")]
)
def test_public_files_that_are_not_here_are_a_line_of_every_verb(tmp_path, call):
    words = [sys.executable, "-m", "bench", *call, "-o", str(tmp_path / "out"), "--data-dir", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 2
    [line] = done.stderr.strip().split("\n")
    assert line.startswith("error: ")
    assert "files of klein2020 are not here" in line


def test_a_curve_of_too_few_rows_is_refused_before_anything_is_fitted(tmp_path, small_task):
    message = refused("curve", small_task, "-p", "gc + ridge", "-o", tmp_path / "out")
    assert "training rows, and a curve begins at 250" in message
