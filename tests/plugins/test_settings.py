"""What bench.toml says about plugins."""

import pytest
from plugin_files import write

from bench.errors import BenchError
from bench.plugins.settings import registry_of


def test_settings_name_files(tmp_path):
    write(tmp_path / "code/mine.py", "set")
    (tmp_path / "bench.toml").write_text("[plugins]\nfiles = ['code/mine.py']\n")
    assert "set" in registry_of([], tmp_path).names("featurizer")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[plugin]\n", "Did you mean 'plugins'?"),
        ("[plugins]\nfile = []\n", "takes one key"),
        ("[plugins]\nfiles = 'a.py'\n", "must be a list of paths"),
        ("[plugins\n", "not a readable TOML file"),
        ("[plugins]\nfiles = ['no.py']\n", "no such plugin file"),
    ],
)
def test_wrong_settings(tmp_path, text, said):
    (tmp_path / "bench.toml").write_text(text)
    with pytest.raises(BenchError) as caught:
        registry_of([], tmp_path)
    assert said in str(caught.value)
