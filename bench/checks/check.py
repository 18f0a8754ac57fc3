"""What a check is, and the checks of what all plugins share: their name and their parameters."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.errors import BenchError
from bench.fit.handed import is_write, written
from bench.names import parse_name
from bench.plugins.declared import check_declared
from bench.plugins.kinds import PluginKind, kind_of, plugin_name
from bench.plugins.parameters import convert, normal_name, signature_of
from bench.plugins.registry import Registry


class CheckFailed(AssertionError):
    """A plugin does not keep to the contract. The message says what, of whom, must be, got."""


@dataclass(frozen=True)
class Check:
    """One check of one plugin. Call it: it returns a remark for people (or None), and raises ``CheckFailed``.

    A plugin declares a failure that is known with its reason, ``known_failures = {"strand": "..."}``. Such a check
    passes while it fails as declared, with the reason as its remark, and fails once there is nothing left to excuse.
    """

    name: str
    of: str
    run: Callable[[], str | None]
    known_failure: str | None = None

    def __str__(self) -> str:
        return self.name

    def __call__(self) -> str | None:
        try:
            remark = self._run()
        except CheckFailed:
            if self.known_failure is None:
                raise
            return f"known failure: {self.known_failure}"
        if self.known_failure is not None:
            raise CheckFailed(f"{self.of} declares a known failure of {self.name!r}, but it passes. Take it out.")
        return remark

    def _run(self) -> str | None:
        try:
            return self.run()
        except CheckFailed:
            raise
        except (Exception, SystemExit) as error:
            if is_write(error):
                raise CheckFailed(
                    f"{self.of} must not write into what it is handed: {written(error, self.of, {})}"
                ) from error
            raise CheckFailed(
                f"{self.of} must pass {self.name!r} without an error. Got {type(error).__name__}: {error}"
            ) from error


def named(plugin: Any, checks: Mapping[str, Callable[..., str | None]], *arguments: Any) -> Iterator[Check]:
    """A ``Check`` for each function, called with the plugin and ``arguments``."""
    declared = getattr(plugin, "known_failures", {})
    of = title(plugin)
    for name, function in checks.items():

        def run(function: Callable[..., str | None] = function) -> str | None:
            return function(plugin, *arguments)

        yield Check(name, of, run, declared.get(name))


def title(plugin: Any) -> str:
    """The name of a plugin object in normal form; that of its class where it has none."""
    try:
        return normal_name(type(plugin), parameters_of(plugin))
    except (BenchError, AttributeError):
        return str(getattr(plugin, "name", type(plugin).__name__))


def parameters_of(plugin: Any) -> dict[str, Any]:
    """Parameters of a plugin object, as stored under their own names."""
    return {key: getattr(plugin, key) for key in signature_of(type(plugin))}


def must(holds: object, message: str) -> None:
    """Raise ``CheckFailed`` with a message unless something holds."""
    if not holds:
        raise CheckFailed(message)


# ---- what all plugins share ------------------------------------------------------------------------------------------
def check_name(plugin: Any, kind: PluginKind, registry: Registry | None) -> None:
    """The declared name has the right letters and belongs to no other plugin."""
    try:
        name = plugin_name(type(plugin))
    except BenchError as error:
        raise CheckFailed(str(error)) from error
    if registry is None or name not in registry.names(kind):
        return
    entry = registry.entry(kind, name)
    must(
        entry.load() is type(plugin),
        f"The name of {type(plugin).__name__} must be its own. Got {name!r}, which belongs to {entry.origin}.",
    )


def check_parameters(plugin: Any) -> None:
    """Every parameter has a default and a type, is stored under its own name, and comes back from the plugin's name."""
    cls, of = type(plugin), title(plugin)
    try:
        check_declared(kind_of(cls), plugin)
        known = signature_of(cls)
    except BenchError as error:
        raise CheckFailed(str(error)) from error
    for key, (hint, default) in known.items():
        must(
            hasattr(plugin, key), f"The parameter {key!r} of {of} must be stored as self.{key}. Got no such attribute."
        )
        must(
            default is not inspect.Parameter.empty,
            f"The parameter {key!r} of {of} must have a default: every plugin is run without parameters. Got none.",
        )
        must(
            default is not None or hint is not str,
            f"The parameter {key!r} of {of} must be annotated, such as int | None: the default None has no type.",
        )
    again = cls(**parameters_of(plugin))
    for key, value in parameters_of(plugin).items():
        same = getattr(again, key) == value
        must(same, f"The parameter {key!r} of {of} must be stored as it was given. Got {getattr(again, key)!r}.")
    for key in getattr(cls, "shown", ()):
        must(key in known, f"'shown' of {of} must hold parameters ({', '.join(known) or 'it has none'}). Got {key!r}.")
    name, given = parse_name(of)
    must(name == cls.name, f"The name of {of} must be read back from itself. Got {name!r}.")
    for key, text in given.items():
        value, got = getattr(plugin, key), convert(text, known[key][0], f"the {key!r} parameter of {of}")
        must(value == got, f"The parameter {key!r} of {of} must come back from its name as {value!r}. Got {got!r}.")


def check_known_failures(plugin: Any, names: set[str]) -> None:
    """Declared failures name checks that exist, with a written reason."""
    for name, reason in getattr(plugin, "known_failures", {}).items():
        must(
            name in names,
            f"'known_failures' of {title(plugin)} must name checks ({', '.join(sorted(names))}). Got {name!r}.",
        )
        must(
            isinstance(reason, str) and len(reason.split()) > 1,
            f"The known failure {name!r} of {title(plugin)} must have a written reason. Got {reason!r}.",
        )


def pickled(plugin: Any, what: str) -> Any:
    """A plugin after a round trip through pickle."""
    try:
        return pickle.loads(pickle.dumps(plugin))
    except Exception as error:
        raise CheckFailed(f"{what} must be picklable. Got {type(error).__name__}: {error}") from error
