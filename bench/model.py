"""What a model is, and what it is handed to fit on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from bench.featurizer import Features
from bench.sequences import read_only


@dataclass(frozen=True, eq=False)
class Part:
    """One part of a fold (training or validation rows): features and the target on the scale the model fits.

    ``y`` is float32 (n,), or (n, targets) with NaN where unmeasured for a model that declares ``multitask``. Both are
    read-only. Of a binary target it is the label: 1, 0, or the part of the replicates that say 1.
    """

    x: Features
    y: NDArray[np.float32]

    def __post_init__(self) -> None:
        object.__setattr__(self, "y", read_only(self.y))


@dataclass(frozen=True)
class Group:
    """Processes, each with its share of the training rows, that fit one model together.

    rank : place of this process among them, from 0.
    addresses : (host, port) of each; the port is free for whatever the learner's library speaks.
    """

    rank: int
    addresses: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Setting:
    """What a fit may know besides its rows.

    seed : every random choice follows from it alone.
    device : "cpu" or "cuda", as resolved from ``--device``. A model that cannot honour it raises.
    threads : CPU threads to use.
    reverse_complement : the assay does not care for orientation, so the other strand may be used as augmentation.
    shared : a dictionary that lives as long as the rows of ``train`` and ``valid`` stay the same (other targets, other
        seeds, other models of the same package or plugin file on the same features and fold): keep what is expensive to
        build, such as a quantised matrix. Arrays in it are read-only once the fit is over.
    say : one line of progress for people.
    kind : of the target. A model that does not look at it fits the labels of a "binary" one as numbers, which ranks
        rows; one that does gives the probability of 1.
    group : where the model says that it ``spreads`` and is fitted by several processes: who they are. Nothing in
        ``shared`` may then be relied on, as another process may not have it.
    """

    seed: int = 0
    device: Literal["cpu", "cuda"] = "cpu"
    threads: int = 1
    reverse_complement: bool = False
    shared: dict[str, Any] = field(default_factory=dict)
    say: Callable[[str], None] = lambda line: None
    group: Group | None = None
    kind: Literal["regression", "binary"] = "regression"

    @property
    def row_seed(self) -> int:
        """``seed``, or within a group a seed of this process alone, for drawing rows by their place in its share: with
        one seed for all, neighbours in the genome would be drawn together."""
        if self.group is None:
            return self.seed
        return int(np.random.SeedSequence([self.seed, self.group.rank]).generate_state(1)[0] >> 1)


class Model:
    """Features and targets in, predictions out. A subclass sets ``name`` and writes ``fit`` and ``predict``; its
    parameters are the arguments of its ``__init__`` (typed, with defaults), which must store each under its own name.
    ``fit`` is called once on a fresh object.
    """

    #: The name on the command line and on the board: lower case, digits, dashes.
    name: ClassVar[str]
    #: Kinds of features it takes. A model that takes "table" is also fed signals and codes, flattened (``x.table()``).
    takes: ClassVar[tuple[str, ...]] = ("table",)
    #: False when two seeds give the same predictions: it is then run once.
    stochastic: ClassVar[bool] = True
    #: True when ``fit`` takes several targets at once, y (n, targets), and ``predict`` returns (n, targets).
    multitask: bool = False
    #: More columns than this make no sense for it (None: no limit).
    max_columns: ClassVar[int | None] = None
    #: False when it looks at no features at all.
    needs_features: ClassVar[bool] = True
    #: Parameters shown in the name on the board even at their defaults.
    shown: ClassVar[tuple[str, ...]] = ()
    #: Packages whose versions decide its predictions, by the name of the package or of its import.
    libraries: ClassVar[tuple[str, ...]] = ()
    #: Files that it reads (weights), or a property that gives their paths. With another content of one the fits are
    #: made again.
    files: Sequence[str | Path] = ()
    #: Devices it can run on.
    devices: ClassVar[tuple[str, ...]] = ("cpu",)
    #: True for a network: the board tells whether the best one only counts GC. None: where the model takes no table.
    deep: ClassVar[bool | None] = None
    #: True where a fit on the CPU leaves half of the processors idle, so that another is run beside it.
    half_processors: ClassVar[bool] = False
    #: False for one that is run where it is named, and on features made elsewhere, but not wherever it could be.
    by_default: ClassVar[bool] = True
    #: True when ``fit`` can be one of a group (``Setting.group``): called in several processes at once, each with its
    #: share of the training rows and with all validation rows, it leaves the same fitted model in each.
    spreads: ClassVar[bool] = False

    #: Set by ``fit`` where it differs from the request.
    device_used: str = "cpu"
    #: Learning curve kept by ``fit``: one dictionary of numbers a round or epoch.
    history: list[dict[str, float]]

    def fit(self, train: Part, valid: Part, setting: Setting) -> None:
        """Fit on the training rows; the validation rows may choose when to stop or which setting to keep."""
        raise NotImplementedError

    def predict(self, x: Features) -> NDArray[Any]:
        """Predictions, float (n,) (or (n, targets) for a multitask model), in row order."""
        raise NotImplementedError

    def memory(self, rows: int, columns: int, item_bytes: int) -> float | None:
        """Bytes one fit needs at most on ``rows`` of a table of ``columns``, for a model that works in less than a few
        copies of its features (by streaming, say). None: a few copies."""
        return None

    @classmethod
    def estimate(cls, rows: int, columns: int) -> float:
        """A rough guess of the seconds of one fit on two cores, for the plan. Only its order of magnitude matters."""
        return 0.2 + 2e-8 * rows * columns
