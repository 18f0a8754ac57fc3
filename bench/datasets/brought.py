"""Data sets whose files the user brings: their addresses or checksums are not known for certain."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from bench.dataset import Dataset, Unavailable
from bench.errors import BenchError
from bench.files.downloads import data_folders
from bench.files.tables import read_tsv

if TYPE_CHECKING:
    import pandas as pd

#: What messages end with where a file is not as it was published.
AS_PUBLISHED = "Bring the file as it was published."


@dataclass(frozen=True)
class Brought:
    """A file that the user brings.

    Attributes
    ----------
    name : below the data folder. A ``*`` in it stands for what is not known of the name, such as a number.
    others : further names, in the order in which they are looked for.
    """

    name: str
    others: tuple[str, ...] = ()

    def find(self, folders: Iterable[Path]) -> Path | None:
        """The first there is in the folders.

        Raises
        ------
        BenchError : where a name with a ``*`` fits several files.
        """
        for folder in folders:
            for name in (self.name, *self.others):
                found = sorted(path for path in folder.glob(name) if path.is_file()) if "*" in name else []
                if len(found) > 1:
                    raise BenchError(f"{found[0]} and {found[1].name} both are {name}. Leave one there.")
                if found or ("*" not in name and (folder / name).is_file()):
                    return found[0] if found else folder / name
        return None


class BroughtDataset(Dataset):
    """A data set of brought files. A subclass sets ``brought`` and ``bring`` besides what a `Dataset` needs."""

    #: The files, all of which are needed.
    brought: ClassVar[tuple[Brought, ...]]
    #: Where to get them, in words; a sentence without its full stop.
    bring: ClassVar[str]

    def locate(self, data_dir: Path | None = None, *, download: bool = False) -> dict[str, Path]:
        """Where every file is, by ``Brought.name``. Nothing is downloaded.

        Raises
        ------
        Unavailable : where one is missing.
        """
        folders = data_folders(data_dir)
        found = {each.name: path for each in self.brought if (path := each.find(folders)) is not None}
        missing = [each.name for each in self.brought if each.name not in found]
        if missing:
            shown = " and ".join(missing) if len(missing) < 3 else f"{missing[0]} and {len(missing) - 1} more files"
            raise Unavailable(
                f"{shown} {'are' if len(missing) > 1 else 'is'} not in {folders[0]}.",
                f"Bring {'them' if len(missing) > 1 else 'it'}: {self.bring}; name the folder above with --data-dir or"
                " BENCH_DATA_DIR.",
            )
        return found

    def problem(self, data_dir: Path | None = None) -> str | None:
        try:
            self.locate(data_dir)
        except Unavailable as absent:
            return str(absent)
        return None


def published_table(path: Path, columns: Iterable[str]) -> pd.DataFrame:
    """The columns of a tab-separated file with a header.

    Raises
    ------
    BenchError : for a file that is cut short or lacks one of them.
    """
    return read_tsv(path, [*columns], fix=AS_PUBLISHED, lacking=AS_PUBLISHED)


def headerless_table(path: Path, columns: list[str]) -> pd.DataFrame:
    """A tab-separated file without a header, plain or gzipped, all of its columns as text.

    Raises
    ------
    BenchError : for a file that cannot be read, or with another number of columns.
    """
    import pandas as pd

    try:
        frame = pd.read_csv(path, sep="\t", header=None, dtype=str, keep_default_na=False, quoting=3)
    except (OSError, ValueError, EOFError) as error:
        raise BenchError(f"{path}: not a readable table ({error}). {AS_PUBLISHED}") from None
    if frame.shape[1] != len(columns):
        raise BenchError(
            f"{path}: has {frame.shape[1]} columns, not {len(columns)} ({', '.join(columns)}). {AS_PUBLISHED}"
        )
    return frame.set_axis(columns, axis=1)


def numbers_of(frame: pd.DataFrame, column: str, path: Path) -> pd.Series:
    """A column of text as float64.

    Raises
    ------
    BenchError : for what is no number, with its line.
    """
    import pandas as pd

    values = pd.to_numeric(frame[column], errors="coerce")
    wrong = values.isna() & ~frame[column].isin(["", "NA", "nan", "NaN"])
    if wrong.any():
        row = int(wrong.to_numpy().argmax())
        raise BenchError(f"{path}: row {row + 1}: {column} is {frame[column].iloc[row]!r}, no number. {AS_PUBLISHED}")
    return values.astype(float)
