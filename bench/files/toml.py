"""Reading TOML into a pydantic model, with one line on all that is wrong."""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from bench.errors import BenchError, nearest

Model = TypeVar("Model", bound=BaseModel)

_SENTENCE = "sentence"
#: Likeness (difflib) from which a key is taken for one of another table misspelt.
_NEAR = 0.75
#: Likeness from which a key may be one of its own table misspelt though another table has it.
_SAME = 0.9


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The content of a TOML file; a byte order mark is left out.

    Raises
    ------
    BenchError : for a file that is missing or not TOML. ``what`` says what it should be: "task file" ...
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise BenchError(f"{path}: no such {what}. Give the path of a TOML file.") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise BenchError(f"{path}: not a readable TOML file: {error}.") from None


def validated(model: type[Model], content: Mapping[str, Any], source: str) -> Model:
    """A ``model`` of parsed TOML. ``source`` names the file in messages.

    Raises
    ------
    BenchError : one line on all that is wrong: the key, what it must be, and the nearest valid key or the right table.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # An unknown key is often the misspelt form of a missing one: say it first.
        errors = sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        problems = list(dict.fromkeys(_say(model, each) for each in errors))
        raise BenchError(f"{source}: {in_one_line(problems)}") from None


def in_one_line(problems: list[str]) -> str:
    """One problem as it is; several counted."""
    if len(problems) == 1:
        return problems[0]
    return f"{len(problems)} problems. " + " ".join(f"({i}) {said}" for i, said in enumerate(problems, 1))


def sentence(text: object) -> PydanticCustomError:
    """The error for a validator to raise whose message says all there is to say, without the key and the value."""
    return PydanticCustomError(_SENTENCE, "{said}", {"said": str(text)})


def _say(model: type[BaseModel], error: Any) -> str:
    """One line for one of pydantic's complaints."""
    *parents, key = [str(piece) for piece in error["loc"]] or [""]
    place = f" in [{'.'.join(parents)}]" if parents else ""
    match error["type"]:
        case "extra_forbidden":
            return f"unknown key {key!r}{place}.{_right_place(model, parents, key)}"
        case "missing":
            return f"key {key!r} is missing{place}. Add it."
        case "value_error":
            about = f"{key!r}{place}: " if key else ""
            return f"{about}{error['ctx']['error']}. Got {error['input']!r}." if key else f"{error['ctx']['error']}."
        case kind if kind == _SENTENCE:
            return str(error["msg"])
    return f"{key!r}{place}: {error['msg'][:1].lower()}{error['msg'][1:]}. Got {error['input']!r}."


def _right_place(model: type[BaseModel], parents: list[str], key: str) -> str:
    """The table that a key belongs in, where it is that of another; else the nearest key, here or elsewhere."""
    here = _keys(model, parents)
    tables = {table: keys for table, keys in _tables(model).items() if keys != here}
    homes = [table for table, keys in tables.items() if key in keys]
    if homes:
        places = " or ".join(map(_home, homes))
        misspelt = difflib.get_close_matches(key, here, n=1, cutoff=_SAME)
        return f" Did you mean {misspelt[0]!r}? ({key!r} belongs {places}.)" if misspelt else f" It belongs {places}."
    if not difflib.get_close_matches(key, here, n=1, cutoff=_NEAR):
        for table, keys in tables.items():
            for near in difflib.get_close_matches(key, keys, n=1, cutoff=_NEAR):
                return f" Did you mean {near!r}, which belongs {_home(table)}?"
    return nearest(key, here)


def _home(table: str) -> str:
    return f"under [{table}]" if table else "at the top of the file, above the first [table]"


def _tables(model: type[BaseModel], path: str = "") -> dict[str, list[str]]:
    """Keys of every table of a model, by its name: "" the file itself, "columns", "targets.NAME" ..."""
    found = {path: list(model.model_fields)}
    for name, field in model.model_fields.items():
        inner = [kind for kind in (field.annotation, *get_args(field.annotation)) if hasattr(kind, "model_fields")]
        if inner:
            many = not hasattr(field.annotation, "model_fields")
            found |= _tables(inner[-1], ".".join(filter(None, (path, name, "NAME" * many))))
    return found


def _keys(model: Any, parents: list[str]) -> list[str]:
    """Valid keys of the table that ``parents`` lead to."""
    for name in parents:
        if name in getattr(model, "model_fields", {}):
            model = model.model_fields[name].annotation
        models = [kind for kind in (model, *get_args(model)) if hasattr(kind, "model_fields")]
        model = models[-1] if models else model
    return list(getattr(model, "model_fields", {}))
