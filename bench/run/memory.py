"""A guess of a job's memory before it is fitted, so that the kernel's killer never has to decide."""

from __future__ import annotations

from bench.errors import BenchError
from bench.run.fit import LARGE, MOST_VALUES
from bench.run.plan import Job

#: Copies of the features alive at once: the table, the training part, and a learner's own quantised copy.
COPIES = 3
#: Bytes a learner needs of each value of features that are read block by block: two of them for its quantised matrix.
KEPT = 3
#: What a process holds besides (libraries, sequences), bytes.
BASE = 1 << 30


def available_bytes() -> int | None:
    """Memory this machine can still give without swapping; None where that cannot be told."""
    try:
        with open("/proc/meminfo", encoding="ascii") as handle:
            for line in handle:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    return None


def needed_bytes(job: Job) -> int:
    """A rough upper guess for one job: copies of its features, what a learner keeps of features that are not held in
    memory themselves, or what the model itself states."""
    rows = len(job.planned.task)
    stated = job.model.new().memory(rows, job.columns, job.item_bytes)
    if stated is not None:
        return BASE + int(stated)
    size = rows * job.columns * job.item_bytes
    if size <= LARGE or "table" not in job.model.cls.takes:
        return BASE + COPIES * min(size, LARGE)
    return BASE + KEPT * min(rows * job.columns, MOST_VALUES)


def check_memory(job: Job) -> None:
    """Refuse a job that would not fit, in words.

    Raises
    ------
    BenchError : naming the need, what there is, and a mend.
    """
    free = available_bytes()
    needed = needed_bytes(job)
    if free is not None and needed > free:
        raise BenchError(
            f"needs about {needed / 2**30:.1f} GiB of memory, {free / 2**30:.1f} GiB are free. Choose fewer features (a"
            " smaller k), --quick, or a machine with more memory.",
            status=1,
        )
