"""Two files that belong together, data and the record with their checksum, put in place as one.

No disk replaces two files at once. So the new record waits under a name of its own while the data are replaced: a
reader that finds data which the old record does not know takes the waiting one. At every moment the old pair or the new
one is whole.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from bench.files.atomic import flush, temporary_name


def waiting(record: str) -> str:
    """Name under which a record waits until its data are there."""
    return f".{record}.new"


@contextlib.contextmanager
def placed_pair(data: Path, record: Path) -> Iterator[tuple[Path, Path]]:
    """Where to write new data and their record. Both are written whole before an old file is touched.

    A record that waits since a kill must be finished first (``finish``): it would be lost otherwise.
    """
    new_data, new_record = temporary_name(data), temporary_name(record)
    wait = record.with_name(waiting(record.name))
    try:
        yield new_data, new_record
        flush(new_data)
        flush(new_record)
        os.replace(new_record, wait)
        os.replace(new_data, data)
        os.replace(wait, record)
    except BaseException:
        for path in (new_data, new_record):
            with contextlib.suppress(OSError):
                path.unlink()
        raise


def finish(found: Path, record: str) -> None:
    """Give the record its name where ``found``, the file that was read as the record, is the waiting one."""
    if found.name == waiting(record):
        os.replace(found, found.with_name(record))
