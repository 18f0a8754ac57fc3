"""What all kernels share: the rows of sequences as plain arrays, and when rows are shared out over the cores.

Every kernel takes ``buffer, start, stop, reverse`` as `bench.sequences.Sequences` holds them, writes into an array it
is given, copies no base and honours the strand.

Each has a serial and a parallel driver as two functions: with ``cache=True`` one function compiled both ways silently
reuses whichever code was cached first. And whatever a kernel calls in compiled code stands in the kernel's own file:
Numba compiles a cached function again when its own file changes, not when another file does.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import get_num_threads
from numpy.typing import NDArray

from bench.sequences import Sequences

#: Bases from which rows are shared out over the cores. Fewer take 1-10 ms on one core: not worth compiling the parallel
#: code, nor waiting for a core that a neighbour holds (a GC scan of 10 Mb then took 10 times as long as on one core).
PARALLEL_BASES = 16_000_000
#: Bytes of output from which they are: filling memory that the process has not touched before takes longer than reading
#: the bases (2,682 rows of 6-mers, 15 MB, on one core: 26 ms in new memory, 2.4 in used; on two: 8 and 1.1).
PARALLEL_BYTES = 8_000_000


def arrays_of(sequences: Sequences) -> tuple[NDArray[np.uint8], NDArray[Any], NDArray[Any], NDArray[np.bool_]]:
    """``buffer, start, stop, reverse`` as plain ndarrays (a memory-mapped buffer stays mapped).

    Raises
    ------
    ValueError : where a row is longer than ``sequences.width``. Kernels size their output by it and check no bounds.
    """
    longest = int(sequences.lengths.max(initial=0))
    if longest > sequences.width:
        raise ValueError(f"no row may be longer than sequences.width ({sequences.width} bases). Got {longest}.")
    return (
        np.asarray(sequences.buffer),
        np.ascontiguousarray(sequences.start),
        np.ascontiguousarray(sequences.stop),
        np.ascontiguousarray(sequences.reverse),
    )


def in_parallel(sequences: Sequences, work: int = 1, out_bytes: int = 0) -> bool:
    """Whether the rows are worth sharing out over the cores that Numba may use (``NUMBA_NUM_THREADS``). ``work``: how
    many times a kernel goes over them. ``out_bytes``: what it writes."""
    if get_num_threads() == 1:
        return False
    return int(sequences.lengths.sum()) * work >= PARALLEL_BASES or out_bytes >= PARALLEL_BYTES
