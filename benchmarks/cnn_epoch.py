"""One epoch of the CNN on fragments cut from a genome batch by batch, against Keras' own `fit` on ready arrays.

    python benchmarks/cnn_epoch.py [--samples 8000] [--length 2000] [--pairs 2] [--arch residual] [--whole]

Both train the same compiled network with batches of one size for one epoch and score the same 256 validation rows. Ours
draws the rows, cuts and shifts them and, after the epoch, predicts 1,000 training rows for the learning curve; Keras is
handed one array of codes that is there already. An epoch at full size has 200,000 samples, a quarter of an hour on two
cores: epochs of ``--samples`` and of a quarter of them give what a sample costs and what an epoch costs besides, and so
the whole. ``--whole`` measures all ``--samples`` as they are. Memory is this process's own (RssAnon) along our epoch.
"""

from __future__ import annotations

import argparse
import itertools
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from sure_standin import own_memory

from bench.featurizer import Features, LazyRows
from bench.kernels.codes import padded_codes
from bench.model import Part, Setting
from bench.models import cnn
from bench.run.device import cpu_threads
from bench.sequences import Sequences

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from standin import random_chromosome


class OneNetwork(cnn.CNN):
    """The CNN with one network whatever its recipe says."""

    def recipe(self, rows: int, length: int) -> cnn.Recipe:
        return replace(super().recipe(rows, length), members=1)


def fragments(rows: int, length: int, genome: int = 50_000_000) -> Part:
    """Stranded fragments of a random genome, cut whenever they are asked for."""
    rng = np.random.default_rng(0)
    buffer = random_chromosome(rng, genome)
    start = rng.integers(0, genome - length, rows)
    sequences = Sequences.from_intervals(buffer, start, start + length, rng.random(rows) < 0.5)
    read = LazyRows(lambda chosen: padded_codes(sequences.take(chosen)), np.arange(rows), (length,), np.dtype(np.uint8))
    return Part(Features(read, "codes"), rng.normal(size=rows).astype(np.float32))


def taken(part: Part, rows: slice) -> Part:
    return Part(part.x.take(rows), part.y[rows])


def clocked(call: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU seconds of a call."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return time.perf_counter() - wall, time.process_time() - cpu


class Memory:
    """Own memory, sampled while a block runs: at its start, after a tenth of it, at its end."""

    def __enter__(self) -> Memory:
        self.seen = [own_memory()]
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def _watch(self) -> None:
        while not self._stop.wait(0.2):
            self.seen.append(own_memory())

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self.seen.append(own_memory())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name, default in (("samples", 8_000), ("length", 2_000), ("pairs", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--arch", default="residual")
    parser.add_argument("--whole", action="store_true", help="measure --samples as they are")
    given = parser.parse_args()

    everything = fragments(given.samples + 256, given.length)
    train, valid = (taken(everything, rows) for rows in (slice(0, given.samples), slice(given.samples, None)))
    setting = Setting(threads=cpu_threads())

    def ours(part: Part) -> cnn.CNN:
        model = OneNetwork(arch=given.arch, epochs=1)
        model.fit(part, valid, setting)
        return model

    recipe = OneNetwork(arch=given.arch, epochs=1).recipe(given.samples, given.length)
    ready, ready_valid = (np.asarray(part.x.values) for part in (train, valid))

    def keras_fit(network: object, samples: int) -> None:
        network.fit(
            ready[:samples], train.y[:samples, None], recipe.batch, epochs=1, verbose=0,
            validation_data=(ready_valid, valid.y[:, None]), validation_batch_size=256,
        )  # fmt: skip

    model = ours(taken(train, slice(0, 2 * recipe.batch)))  # traces what both will use
    network = cnn.compiled(model._key).network
    keras_fit(network, 2 * recipe.batch)
    sizes = [given.samples] if given.whole else [given.samples // 4, given.samples]
    spent = np.zeros((given.pairs, len(sizes), 2, 2))  # pair, size, ours or Keras', wall or CPU
    for pair, (i, size) in itertools.product(range(given.pairs), enumerate(sizes)):
        part = taken(train, slice(0, size))
        with Memory() as memory:
            spent[pair, i, 0] = clocked(lambda: ours(part))  # noqa: B023
        spent[pair, i, 1] = clocked(lambda: keras_fit(network, size))  # noqa: B023
        (wall, cpu), (keras_wall, keras_cpu) = spent[pair, i]
        print(
            f"{size:,} samples: ours {wall:.1f} s ({cpu:.1f} CPU), Keras' fit {keras_wall:.1f} s ({keras_cpu:.1f} CPU);"
            f" own memory {memory.seen[0]:.2f} GB at the start, {memory.seen[len(memory.seen) // 10]:.2f} after a"
            f" tenth, {max(memory.seen):.2f} at most, {memory.seen[-1]:.2f} at the end",
            flush=True,
        )
    best = spent.min(axis=0)
    if not given.whole:
        sample = (best[1] - best[0]) / (sizes[1] - sizes[0])
        besides = best[1] - sample * sizes[1]
        print(
            f"a sample: ours {1e3 * sample[0, 1]:.2f} ms of CPU, Keras' fit {1e3 * sample[1, 1]:.2f}; an epoch besides:"
            f" {besides[0, 1]:.1f} and {besides[1, 1]:.1f} s"
        )
        best = besides + sample * cnn.EPOCH_SAMPLES
    samples = given.samples if given.whole else cnn.EPOCH_SAMPLES
    (wall, cpu), (keras_wall, keras_cpu) = best[0] if given.whole else best
    print(
        f"{given.arch}, an epoch of {samples:,} samples of {given.length:,} bases, batch {recipe.batch}:"
        f" {wall / 60:.1f} minutes, {samples / wall:.0f} samples/s"
    )
    print(
        f"=> one epoch of the CNN, {samples:,} samples, minutes: ours {wall / 60:.1f}, Keras' fit"
        f" {keras_wall / 60:.1f}, ratio {wall / keras_wall:.3f} (CPU {cpu / keras_cpu:.3f})"
    )


if __name__ == "__main__":
    main()
