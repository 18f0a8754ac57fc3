"""Which row each one is compared with, read from a table."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import nearest
from bench.files.numbers import MISSING
from bench.tasks.columns import Columns
from bench.tasks.loci import codes_of, joined
from bench.tasks.pair_spec import Pairs, PairSpec
from bench.tasks.problems import such

#: What a pair is called where no column says what its rows are.
PLAIN = "reference/alternative"


def read_pairs(
    table: Columns, spec: PairSpec | None, names: NDArray[Any], counts: dict[str, int], *, some: bool = False
) -> Pairs | None:
    """The pairs of a table; None where the task names none. What was found is added to ``counts``.

    What is wrong is said of ``table``: a kind that no row has, two references of one value, three rows of one value and
    nothing that says which is the reference. ``some`` : rows were chosen, and no pair may be left: counted.
    """
    if spec is None or any(column not in table for column in spec.columns):
        return None
    n = len(table)
    if some and spec.kind is not None and not _is_reference(spec, table.text(spec.kind)).any():
        counts[f"pairs, as no row of those chosen is {spec.reference!r}"] = 0
        return None
    value = table.text(spec.column)
    code = codes_of(value)
    code[np.isin(value, ["", *MISSING])] = -1  # rows without a value are no family
    words = np.full(n, "", np.str_) if spec.kind is None else table.text(spec.kind)
    first = _references(table, spec, code, words, names)
    reference = np.where(code >= 0, first[code], -1)
    reference[reference == np.arange(n)] = -1
    if spec.kind is None:
        kind = np.where(reference >= 0, PLAIN, "")
    else:
        kind = np.where(reference >= 0, np.char.add(f"{spec.reference}/", np.where(words == "", "?", words)), "")
        alone = int(((code >= 0) & (reference < 0) & ~_is_reference(spec, words)).sum())
        if alone:
            counts[f"rows without their {spec.reference!r} (no pair)"] = alone
    if some and not (reference >= 0).any():
        counts["pairs among the rows chosen"] = 0
        return None
    if not (reference >= 0).any() and table.problems is not None and not table.problems:
        table.say(
            f"columns.pair: no two rows share a {spec.column!r}. Name the column that is the same in both rows of a"
            " pair."
        )
    for name in dict.fromkeys(kind[reference >= 0].tolist()):
        counts[f"pairs, {name}"] = int((kind == name).sum())
    return Pairs(reference.astype(np.int64), np.asarray(kind, np.str_))


def _is_reference(spec: PairSpec, words: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray(words == spec.reference)


def _references(
    table: Columns, spec: PairSpec, code: NDArray[np.int64], words: NDArray[Any], names: NDArray[Any]
) -> NDArray[np.int64]:
    """The reference of each value, int64 (values,), -1 where it has none."""
    found = np.full(int(code.max(initial=0)) + 1, -1, np.int64)
    if spec.kind is None:
        grouped = np.flatnonzero(code >= 0)
        size = np.bincount(code[grouped], minlength=len(found))
        if (size > 2).any():
            rows = np.flatnonzero(code == int(np.argmax(size > 2)))
            table.say(
                f"columns.pair: {int(size.max())} rows share the {spec.column!r}"
                f" {str(table.text(spec.column)[rows[0]])!r}{such(int((size > 2).sum()), 'value')}. Say which is the"
                f' reference: pair = {{ column = "{spec.column}", kind = "class", reference = "wild type" }}, with the'
                " column that says what a row is.",
                "pair of three",
            )
        found[code[grouped][::-1]] = grouped[::-1]
        return found
    is_reference = _is_reference(spec, words) & (code >= 0)
    if not is_reference.any():
        there = sorted({word for word in words.tolist() if word})[:40]
        table.say(
            f"columns.pair: no row of a pair has the {spec.kind!r} {spec.reference!r}."
            f"{nearest(str(spec.reference), there)}"
        )
        return found
    rows = np.flatnonzero(is_reference)
    size = np.bincount(code[rows], minlength=len(found))
    if (size > 1).any():
        twice = rows[code[rows] == int(np.argmax(size > 1))]
        table.say(
            f"columns.pair: rows {str(names[twice[0]])!r} and {str(names[twice[1]])!r} are both {spec.reference!r} of"
            f" one {spec.column!r}{such(int((size > 1).sum()), 'value')}. A pair has one reference: leave the others"
            f" out, or empty their {spec.column!r}.",
            "two references",
        )
    near = (code >= 0) & ~is_reference & (np.char.lower(words) == str(spec.reference).lower())
    if near.any():
        row = int(np.argmax(near))
        table.say(
            f"columns.pair: row {str(names[row])!r} has the {spec.kind!r} {str(words[row])!r}, which differs from the"
            f" reference {spec.reference!r} in case alone{such(int(near.sum()))}. Write them alike.",
            "reference in another case",
        )
    found[code[rows]] = rows
    return found


def with_pairs(locus: NDArray[np.int64], pairs: Pairs | None) -> NDArray[np.int64]:
    """Loci in which both rows of every pair share one, so that no split by loci parts them; as they are where they do
    already. int64 (n,)."""
    if pairs is None:
        return locus
    mine = np.flatnonzero(pairs.reference >= 0)
    if (locus[mine] == locus[pairs.reference[mine]]).all():
        return locus
    group = np.full(len(locus), -1, np.int64)
    group[pairs.reference[mine]] = pairs.reference[mine]
    group[mine] = pairs.reference[mine]
    return joined([locus, group])
