"""The names by which the columns of a table are known: the one place that knows how the field calls them."""

from __future__ import annotations

from collections.abc import Sequence

from bench.tasks.spec import Part

#: Part -> the names by which a column is taken for it, the first ones first. Case does not count.
ALIASES: dict[Part, tuple[str, ...]] = {
    "id": ("id", "name", "oligo", "oligo_id", "oligo_name", "seq_id", "row_id"),
    "sequence": ("sequence", "seq", "oligo_sequence"),
    "chrom": ("chrom", "chr", "chromosome", "seqnames", "seqname", "contig"),
    "start": ("start", "chromStart", "chrom_start", "begin", "txStart"),
    "end": ("end", "stop", "chromEnd", "chrom_end", "txEnd"),
    "strand": ("strand",),
    "locus": ("locus",),
}


def candidates(part: Part, names: Sequence[str]) -> list[str]:
    """The columns among ``names`` that are called as a part or by an alias of it, in order of the aliases."""
    order = {alias.casefold(): rank for rank, alias in enumerate(ALIASES[part])}
    found = [(order[name.casefold()], place, name) for place, name in enumerate(names) if name.casefold() in order]
    return [name for _, _, name in sorted(found)]
