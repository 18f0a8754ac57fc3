"""Reading TOML into a pydantic model, with one line on the first thing wrong."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticCustomError

from bench.errors import BenchError, nearest

Model = TypeVar("Model", bound=BaseModel)

_SENTENCE = "sentence"


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
    BenchError : one line on the first thing wrong: the key, what it must be, and the nearest valid key.
    """
    try:
        return model.model_validate(content)
    except ValidationError as error:
        # An unknown key is often the misspelt form of a missing one: say it first.
        first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        raise BenchError(f"{source}: {_say(model, first)}") from None


def sentence(text: object) -> PydanticCustomError:
    """The error for a validator to raise whose message says all there is to say, without the key and the value."""
    return PydanticCustomError(_SENTENCE, "{said}", {"said": str(text)})


def _say(model: type[BaseModel], error: Any) -> str:
    """One line for one of pydantic's complaints."""
    *parents, key = [str(piece) for piece in error["loc"]] or [""]
    place = f" in [{'.'.join(parents)}]" if parents else ""
    match error["type"]:
        case "extra_forbidden":
            return f"unknown key {key!r}{place}.{nearest(key, _keys(model, parents))}"
        case "missing":
            return f"key {key!r} is missing{place}. Add it."
        case "value_error":
            about = f"{key!r}{place}: " if key else ""
            return f"{about}{error['ctx']['error']}. Got {error['input']!r}." if key else f"{error['ctx']['error']}."
        case kind if kind == _SENTENCE:
            return str(error["msg"])
    return f"{key!r}{place}: {error['msg'][:1].lower()}{error['msg'][1:]}. Got {error['input']!r}."


def _keys(model: Any, parents: list[str]) -> list[str]:
    """Valid keys of the table that ``parents`` lead to."""
    for name in parents:
        if name in getattr(model, "model_fields", {}):
            model = model.model_fields[name].annotation
        models = [kind for kind in (model, *get_args(model)) if hasattr(kind, "model_fields")]
        model = models[-1] if models else model
    return list(getattr(model, "model_fields", {}))
