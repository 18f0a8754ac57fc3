"""``features-<name>.json``: what is kept of features that another program has made, next to a task's ``task.json``."""

from __future__ import annotations

from pydantic import Field

from bench.plugins.described import PluginRecipe
from bench.store.record import EstimateRecord, Record, Stored


class PluginRecipeRecord(Stored):
    """`bench.plugins.described.PluginRecipe`, as it is kept."""

    source: str
    parameters: list[tuple[str, str]] = Field(default_factory=list, strict=False)
    libraries: list[tuple[str, str]] = Field(default_factory=list, strict=False)
    files: list[str]

    @classmethod
    def of(cls, recipe: PluginRecipe) -> PluginRecipeRecord:
        """The record of a recipe."""
        return cls(
            source=recipe.source,
            parameters=[*recipe.parameters],
            libraries=[*recipe.libraries],
            files=[*recipe.files],
        )

    def recipe(self, name: str) -> PluginRecipe:
        """The recipe."""
        return PluginRecipe(name, self.source, tuple(self.parameters), tuple(self.libraries), tuple(self.files))


class FeaturesRecord(Record):
    """Features of another program, as a task's results were made from them.

    Attributes
    ----------
    name : of the featurizer. file : name of the file, without its folder. twin_of : the set whose untrained twin it is.
    trained_on : what their maker was trained on, in words; empty where nobody said.
    columns, dtype, file_rows : of the file.
    recipe : all of it that predictions depend on. sequences : hash of the task's sequences that were looked up.
    gc_r2, gc_rho : how much of GC content they know (`bench.stats.recovered`); None where GC is one value, or for
    fewer than three loci.
    """

    name: str
    file: str
    twin_of: str = ""
    trained_on: str = ""
    columns: int
    dtype: str
    file_rows: int
    recipe: PluginRecipeRecord
    sequences: str
    gc_r2: EstimateRecord | None = None
    gc_rho: EstimateRecord | None = None


def features_file(name: str) -> str:
    """Name of the file on a set of features, next to ``task.json``."""
    return f"features-{name}.json"
