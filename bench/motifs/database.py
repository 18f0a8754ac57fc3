"""The motifs of JASPAR that come with the package, by group of organisms, and the group of a task's organism."""

from __future__ import annotations

import functools
import re
from pathlib import Path

from bench.errors import BenchError
from bench.motifs.motif import Motif
from bench.motifs.reading import read_motifs

#: Groups of JASPAR 2026 CORE, with words that name their organisms on a task's card.
ORGANISMS = {
    "vertebrates": "human humans homo mouse mice mus rat rats rattus zebrafish danio chicken gallus xenopus frog pig"
    " cow bos dog canis macaque macaca chimpanzee mammal mammals mammalian vertebrate vertebrates",
    "insects": "fly flies drosophila insect insects mosquito anopheles aedes honeybee apis silkworm bombyx tribolium",
    "plants": "arabidopsis maize zea tobacco nicotiana rice oryza tomato solanum soybean glycine wheat triticum barley"
    " hordeum sorghum poplar populus plant plants",
    "fungi": "yeast yeasts saccharomyces schizosaccharomyces pombe candida neurospora aspergillus fungus fungi",
}
GROUPS = tuple(ORGANISMS)


def jaspar_file(group: str) -> Path:
    """The file of a group of JASPAR 2026 CORE."""
    return Path(__file__).parent / "data" / f"jaspar2026-{group}.txt.gz"


@functools.cache
def jaspar_motifs(group: str) -> tuple[Motif, ...]:
    """The motifs of a group of JASPAR 2026 CORE, by ID: vertebrates 1,019, insects 296, plants 927, fungi 193."""
    return tuple(read_motifs(jaspar_file(group)))


def group_of(organism: str) -> str:
    """The group of JASPAR that an organism of a task's card belongs to.

    Raises
    ------
    BenchError : for organisms of no group, or of several; it says why.
    """
    words = set(re.findall(r"[a-z]+", organism.lower()))
    found = [group for group, known in ORGANISMS.items() if words & set(known.split())]
    if len(found) == 1:
        return found[0]
    which = f"organisms of {' and '.join(found)}" if found else "no organism that JASPAR has motifs for"
    raise BenchError(
        f"the task names {which} ({organism or 'nothing'!r}): name a taxon in brackets, such as [taxon=insects]"
    )
