"""Splits as people write them: ``holdout[valid=chr18,test=chr8]``, parsed once and carried as an object.

==================================================  ====================================================================
``holdout[valid=chr18,test=chr8,drop=chrX+chrY]``   one fold by named chromosomes
``chromosome-kfold[k=5]``                           whole chromosomes dealt to k folds, balanced by rows
``genome-blocks[k=5]``                              k contiguous stretches of the genome, for one-chromosome organisms
``locus-kfold[k=5]``                                whole loci dealt to k folds, for tables without coordinates
``similarity-kfold[k=5]``                           clusters of near-duplicate sequences dealt to k folds
``group-kfold[by=species,k=5]``                     whole groups of a column dealt to k folds
``leave-one-out[by=species]``                       one fold per group of a column
``column[name=split]``                              as a column says: train, valid, test, or numbers of folds
``gc-shift``                                        two folds: loci with less GC train, those with more test, and back
``random-kfold[k=5]``                               rows dealt one by one, relatives too: what a leaking split would say
==================================================  ====================================================================

Every kind takes ``train=N`` as well: at most N training rows a fold, whole loci of them, so that a smaller N keeps a
part of what a larger one does (``bench curve``).

``bench.tasks.folds`` makes the folds of a split on the rows of a task.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from bench.errors import BenchError, nearest
from bench.names import format_name, parse_name

Kind = Literal[
    "holdout",
    "chromosome-kfold",
    "genome-blocks",
    "locus-kfold",
    "similarity-kfold",
    "group-kfold",
    "leave-one-out",
    "column",
    "gc-shift",
    "random-kfold",
]

#: The parameters of each kind, in the order of the normal form.
PARAMETERS: dict[Kind, tuple[str, ...]] = {
    "holdout": ("valid", "test", "drop"),
    "chromosome-kfold": ("k", "drop"),
    "genome-blocks": ("k",),
    "locus-kfold": ("k",),
    "similarity-kfold": ("k",),
    "group-kfold": ("by", "k"),
    "leave-one-out": ("by",),
    "column": ("name",),
    "gc-shift": (),
    "random-kfold": ("k",),
}
#: What a kind must be given, and how its message shows that.
_NEEDED: dict[Kind, str] = {
    "holdout": "valid=chr18,test=chr8",
    "group-kfold": "by=species,k=5",
    "leave-one-out": "by=species",
    "column": "name=split",
}
#: Fewest training rows that ``train=`` may ask for.
FEWEST_TRAIN = 20
#: Folds of a k-fold split that says nothing else.
DEFAULT_K = 5
#: A fold is trained on, validated on and tested on different parts, so there are three at least.
FEWEST_K, MOST_K = 3, 100


@dataclass(frozen=True)
class Split:
    """How rows are split. ``str(split)`` is the normal form: parameters in the documented order, defaults filled in.

    kind : which rows stay together. k : number of folds, 0 where the rows say it. valid, test, drop : labels of
    chromosomes. column : the column of the table that the split goes by, "" for none. train : training rows of a fold
    at most, 0 for all.

    >>> str(Split.parse("holdout[ test=chr8, valid = chr18 ]"))
    'holdout[valid=chr18,test=chr8]'
    >>> Split.parse("locus-kfold").k
    5
    """

    kind: Kind
    k: int = 0
    valid: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    column: str = ""
    train: int = 0

    @classmethod
    def parse(cls, text: str, source: str = "") -> Split:
        """The split of a name with parameters. Chromosomes are checked later, with the rows.

        Parameters
        ----------
        source : the file, task or option that messages begin with.

        Raises
        ------
        BenchError : for an unknown kind or parameter, or a value that cannot be.
        """
        of = f"{source}: " if source else ""
        name, given = parse_name(text)
        kind = next((kind for kind in get_args(Kind) if kind == name), None)
        if kind is None:
            raise BenchError(f"{of}unknown split {name!r}.{nearest(name, PARAMETERS)}")
        known = (*PARAMETERS[kind], "train")
        for key in given:
            if key not in known:
                raise BenchError(f"{of}split {kind} has no parameter {key!r}.{nearest(key, known)}")
        labels = {key: _labels(given.get(key, "")) for key in ("valid", "test", "drop")}
        for key in ("valid", "test", "by", "name"):
            if key in known and not given.get(key, "").replace("+", "").strip():
                raise BenchError(f"{of}split {kind} needs {key}=, as in {kind}[{_NEEDED[kind]}].")
        k = given.get("k", str(DEFAULT_K)) if "k" in known else "0"
        if "k" in known and not (k.isdecimal() and len(k) < 9 and FEWEST_K <= int(k) <= MOST_K):
            raise BenchError(
                f"{of}k of split {kind} must be a whole number from {FEWEST_K} (train, valid, test) to {MOST_K}."
                f" Got {k!r}."
            )
        train = given.get("train", "0")
        if "train" in given and not (train.isdecimal() and FEWEST_TRAIN <= int(train) < 10**9):
            raise BenchError(
                f"{of}train of split {kind} must be a whole number of rows from {FEWEST_TRAIN}. Got {train!r}."
            )
        column = given.get("by", given.get("name", "")).strip()
        return cls(kind, int(k), **labels, column=column, train=int(train))

    def __str__(self) -> str:
        values = {"k": str(self.k), "by": self.column, "name": self.column}
        values |= {key: "+".join(getattr(self, key)) for key in ("valid", "test", "drop")}
        named = {key: values[key] for key in PARAMETERS[self.kind] if values[key]}
        return format_name(self.kind, named | ({"train": str(self.train)} if self.train else {}))


def _labels(text: str) -> tuple[str, ...]:
    """``"chrX + chrY"`` -> ``("chrX", "chrY")``."""
    return tuple(label.strip() for label in text.split("+") if label.strip())
