"""Features that another program has made, as a featurizer that knows rows by their ids."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from bench.errors import BenchError
from bench.featurizer import Featurizer
from bench.files.feature_files import FEW, FeatureMatrix, ids_beside, read_features
from bench.plugins.described import PluginRecipe
from bench.plugins.kinds import NAME_PATTERN
from bench.sequences import Sequences

#: What is appended to the name of a set for its twin.
TWIN = "-untrained"
#: Names that mean something else on a board.
RESERVED = ("none", "external", "blend")


@dataclass(frozen=True)
class FeatureSet:
    """Features of another program, by name.

    Attributes
    ----------
    path, ids : absolute; ``ids`` is empty where the matrix has its own or they lie beside it. ``path`` is empty for a
        set of which only results are here.
    trained_on : what its maker was trained on, in words; empty where nobody said.
    twin_of : the set whose untrained twin it is.
    recipe : what the stored results were made of, where there is no path.
    """

    name: str
    path: str = ""
    ids: str = ""
    trained_on: str = ""
    twin_of: str = ""
    recipe: PluginRecipe | None = None

    def matrix(self) -> FeatureMatrix:
        """Read the file.

        Raises
        ------
        BenchError : for one that cannot be read, and where there is none.
        """
        if not self.path:
            raise BenchError(
                f"{self.name}: its features are not here, only results that were made from them. Give the file again:"
                f" --features FILE --name {self.twin_of or self.name}.",
                status=1,
            )
        return read_features(Path(self.path), Path(self.ids) if self.ids else None)


class OutsideFeatures(Featurizer):
    """Features that another program has made, by the id of the row; new sequences have none."""

    role = "outside"
    cheap = True
    given: ClassVar[FeatureSet]

    @property
    def files(self) -> tuple[Path, ...]:  # type: ignore[override]
        """The matrix, and the text file of its ids where it is read."""
        if not self.given.path:
            return ()
        path = Path(self.given.path)
        beside = Path(self.given.ids) if self.given.ids else ids_beside(path)
        return (path, beside) if self.given.ids or (path.suffix != ".parquet" and beside.is_file()) else (path,)

    def of_rows(self, ids: NDArray[Any]) -> NDArray[Any]:
        """Features of the rows with these ids, (n, columns).

        Raises
        ------
        BenchError : for an id that is not there, and for NaN and infinity.
        """
        matrix = self.given.matrix()
        places = matrix.places(ids)
        if (places < 0).any():
            raise BenchError(missing_ids(matrix, ids[places < 0], len(ids)))
        return matrix.rows(places)

    def transform(self, sequences: Sequences) -> NDArray[Any]:
        raise BenchError(f"{self.name}: features made elsewhere are of their own rows: new sequences have none.")


def missing_ids(matrix: FeatureMatrix, ids: NDArray[Any], of: int, task: str = "the task", source: str = "TASK") -> str:
    """What to say of rows that have no features. ``source``: what a person types for the task."""
    shown = ", ".join(repr(str(each)) for each in ids[:FEW])
    return (
        f"{matrix.path}: {len(ids):,} of the {of:,} rows of {task} are not in it, such as {shown} (it has"
        f" {str(matrix.ids[0])!r} ...). Give features of every row: bench data export {source} --fasta FILE writes"
        " what they are made from."
    )


def class_of(given: FeatureSet) -> type[OutsideFeatures]:
    """The featurizer class of a set.

    Raises
    ------
    BenchError : for a name that is no name of a featurizer.
    """
    if not NAME_PATTERN.match(given.name) or given.name in RESERVED:
        raise BenchError(f"--name must be lower-case letters, digits and dashes, such as enformer. Got {given.name!r}.")
    body = {"name": given.name, "given": given, "__module__": __name__, "__doc__": OutsideFeatures.__doc__}
    return type("OutsideFeatures", (OutsideFeatures,), body)


def places_of(given: FeatureSet, ids: NDArray[Any], task: str, source: str = "TASK") -> NDArray[np.int64] | None:
    """The row of the matrix of every row of a task, int64 (n,), after a look at all of them; None where the task shares
    no id with it.

    Raises
    ------
    BenchError : where some ids are there and others are not, and for NaN and infinity.
    """
    matrix = given.matrix()
    places = matrix.places(ids)
    absent = places < 0
    if absent.all():
        return None
    if absent.any():
        raise BenchError(missing_ids(matrix, ids[absent], len(ids), task, source))
    matrix.check(places)
    return places
