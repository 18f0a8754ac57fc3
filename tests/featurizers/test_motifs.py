"""The featurizer ``motifs``: which motifs, which columns, families, files, and what becomes of ``auto``."""

import pickle

import numpy as np
import pytest
from small_tasks import write_small_task

from bench.errors import BenchError
from bench.featurizers.motifs import Motifs
from bench.fit.recipe import plugin_recipe
from bench.motifs.database import jaspar_motifs
from bench.plugins.registry import Registry
from bench.run.plan import Selection, make_plan
from bench.sequences import Sequences
from bench.store.store import Store

MEME = """MEME version 4

MOTIF one TATA
letter-probability matrix: alength= 4 w= 4 nsites= 100
0 0 0 1
1 0 0 0
0 0 0 1
1 0 0 0

MOTIF two
letter-probability matrix: alength= 4 w= 3 nsites= 100
0 0 1 0
0 0 1 0
0 0 1 0
"""


@pytest.fixture
def sequences():
    rng = np.random.default_rng(0)
    return Sequences.from_strings(["".join(rng.choice(list("ACGT"), 100)) for _ in range(12)] + ["ACG"])


@pytest.fixture
def meme(tmp_path):
    path = tmp_path / "my.meme"
    path.write_text(MEME)
    return path


def test_columns_are_bests_then_occupancies_by_name(sequences):
    featurizer = Motifs(taxon="fungi")
    out, names = featurizer.transform(sequences), featurizer.names(sequences)
    assert out.shape == (13, 2 * 193)
    assert out.dtype == np.float32
    assert len(set(names)) == len(names) == 386
    first = jaspar_motifs("fungi")[0]
    assert names[0] == f"{first.id} {first.name} best"
    assert names[193] == f"{first.id} {first.name} occupancy"
    assert (out[:12, 193:] >= out[:12, :193]).all()  # a sum over windows is no less than its largest term


def test_families_are_the_maximum_and_the_sum_of_their_motifs(sequences):
    motifs = jaspar_motifs("insects")
    alone, families = Motifs(taxon="insects"), Motifs(taxon="insects", by="family")
    values = alone.transform(sequences).astype(np.float64)
    out, names = families.transform(sequences), families.names(sequences)
    assert out.shape == (13, len(names))
    for column, name in enumerate(names):
        family, _, what = name.rpartition(" ")
        members = [i for i, m in enumerate(motifs) if (m.family or m.title) == family]
        assert members
        if what == "best":
            expected = values[:, members].max(axis=1)
        else:
            expected = np.log2(np.exp2(values[:, [296 + i for i in members]]).sum(axis=1))
        np.testing.assert_allclose(out[:, column], expected, rtol=1e-4, atol=1e-4)


def test_a_file_instead_of_jaspar(sequences, meme):
    featurizer = Motifs(file=str(meme))
    assert featurizer.names(sequences) == ["one TATA best", "two best", "one TATA occupancy", "two occupancy"]
    out = featurizer.transform(Sequences.from_strings(["CCTATACC", "CCTCTCCC"]))
    assert out[0, 0] > 7 > out[1, 0]
    assert out[1, 1] > out[0, 1]  # CCC: GGG on the other strand
    assert featurizer.files == (meme,)
    assert featurizer.for_organism("Escherichia coli") == {}


def test_a_file_that_changed_is_read_again(meme):
    import os

    rows = Sequences.from_strings(["CCTATACC"])
    before = Motifs(file=str(meme)).transform(rows)
    meme.write_text(MEME.partition("MOTIF two")[0])
    os.utime(meme, (1, 1))
    assert before.shape[1] == 4
    assert Motifs(file=str(meme)).transform(rows).shape[1] == 2


def test_a_missing_file_is_said_when_it_is_read(sequences, tmp_path):
    with pytest.raises(BenchError, match="no such motif file"):
        Motifs(file=str(tmp_path / "none.meme")).transform(sequences)


def test_taxon_and_file_exclude_each_other(meme):
    with pytest.raises(BenchError, match="Leave it out beside 'file'"):
        Motifs(taxon="fungi", file=str(meme))


def test_auto_without_a_task_is_every_group(sequences):
    assert len(Motifs().motifs()) == 1019 + 296 + 927 + 193
    assert len(Motifs().files) == 4
    assert [path.name for path in Motifs(taxon="plants").files] == ["jaspar2026-plants.txt.gz"]


def test_it_travels_to_another_process_by_its_parameters_alone(sequences):
    featurizer = Motifs(taxon="fungi")
    before = featurizer.transform(sequences)
    copied = pickle.dumps(featurizer)
    assert len(copied) < 500
    np.testing.assert_array_equal(pickle.loads(copied).transform(sequences), before)


# ---- in a plan ----
def planned(tmp_path, organism, featurizers=("motifs", "gc")):
    path = write_small_task(tmp_path)
    path.write_text(f"organism = '{organism}'\n{path.read_text()}")
    selection = Selection(tasks=(str(path),), featurizers=featurizers, models=("ridge",))
    return make_plan(selection, Registry(folder=tmp_path), Store(tmp_path / "results"))


def test_a_plan_names_the_taxon_of_the_task(tmp_path):
    plan = planned(tmp_path, "Drosophila melanogaster", ("motifs", "motifs[taxon=insects]"))
    assert [job.featurizer.name for job in plan.jobs] == ["motifs[taxon=insects]"]
    assert plan.jobs[0].columns == 592


def test_a_plan_keeps_a_taxon_that_was_asked_for(tmp_path):
    plan = planned(tmp_path, "Drosophila melanogaster", ("motifs[taxon=fungi]",))
    assert [job.featurizer.name for job in plan.jobs] == ["motifs[taxon=fungi]"]


@pytest.mark.parametrize("organism", ["Escherichia coli", "none"])
def test_a_task_of_another_organism_is_skipped_with_the_reason(tmp_path, organism):
    plan = planned(tmp_path, organism)
    assert [job.featurizer.name for job in plan.jobs] == ["gc"]
    (skip,) = plan.skipped
    assert (skip.featurizer, skip.model) == ("motifs", None)
    assert "no organism that JASPAR has motifs for" in skip.reason
    assert organism in skip.reason


def test_asked_for_alone_it_is_an_error_with_the_reason(tmp_path):
    with pytest.raises(BenchError, match=r"nothing to run.*no organism that JASPAR"):
        planned(tmp_path, "Escherichia coli", ("motifs",))


def test_a_third_party_that_fails_for_an_organism_is_skipped(tmp_path):
    (tmp_path / "featurizers").mkdir()
    (tmp_path / "featurizers" / "odd.py").write_text(
        "from bench import Featurizer\n\n\nclass Odd(Featurizer):\n    name = 'odd'\n\n"
        "    def for_organism(self, organism):\n        raise KeyError('nothing\\nhere')\n\n"
        "    def transform(self, sequences):\n        return sequences.lengths[:, None].astype('float32')\n"
    )
    plan = planned(tmp_path, "mouse", ("odd", "gc"))
    assert [job.featurizer.name for job in plan.jobs] == ["gc"]
    assert plan.skipped[0].featurizer == "odd"
    assert plan.skipped[0].reason.startswith("KeyError: 'nothing")


def test_a_third_party_gets_the_parameters_it_asks_for(tmp_path):
    (tmp_path / "featurizers").mkdir()
    (tmp_path / "featurizers" / "kind.py").write_text(
        "from bench import Featurizer\nfrom bench.errors import BenchError\n\n\n"
        "class Kind(Featurizer):\n    name = 'kind'\n\n"
        "    def __init__(self, k: int = 1) -> None:\n        self.k = k\n\n"
        "    def for_organism(self, organism):\n"
        "        if organism == 'mouse':\n            raise BenchError('not for mice')\n        return {'k': 3}\n\n"
        "    def transform(self, sequences):\n        return sequences.lengths[:, None].astype('float32') * self.k\n"
    )
    assert [job.featurizer.name for job in planned(tmp_path, "human", ("kind",)).jobs] == ["kind[k=3]"]
    plan = planned(tmp_path, "mouse", ("kind", "gc"))
    assert [job.featurizer.name for job in plan.jobs] == ["gc"]
    assert plan.skipped[0].reason == "not for mice"


# ---- in a recipe ----
def test_what_the_motifs_are_made_from_is_part_of_the_recipe(meme):
    registry = Registry(dropped=False)

    def files(text):
        return plugin_recipe(registry.make("featurizer", text)).files

    before = files(f"motifs[file={meme}]")
    assert files(f"motifs[file={meme}]") == before
    meme.write_text(MEME.replace("MOTIF two", "MOTIF other"))
    assert files(f"motifs[file={meme}]") != before
    assert len({files(f"motifs[taxon={taxon}]") for taxon in ("plants", "fungi", "insects")}) == 3
