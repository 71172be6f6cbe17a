"""How a value says that it is wrong: what is wrong apart from how to mend it.

Validators raise what `wrong` makes. Pydantic carries it with the place it happened at, and
`xds.spec.fit` turns both into a `Fault`; whoever builds a model by hand sees one sentence.
"""

from pydantic_core import PydanticCustomError

WRONG = "wrong"
"""The type of every error of our own."""

_LONGEST_SHOWN = 60


def wrong(message: str, mend: str = "", *, regardless: bool = False) -> PydanticCustomError:
    """A `ValueError` that says what is wrong and how to mend it.

    Args:
        message: what is wrong, with the value in it.
        mend: what to write instead, or nothing.
        regardless: it stays wrong whatever faulty parts of the value turn into.
    """
    context = {"message": message, "mend": mend, "regardless": regardless}
    if mend:
        return PydanticCustomError(WRONG, "{message} ({mend})", context)
    return PydanticCustomError(WRONG, "{message}", context)


def parts_of(error: PydanticCustomError) -> tuple[str, str]:
    """The message and the mend of what `wrong` made."""
    context = error.context or {}
    return str(context.get("message", error.message())), str(context.get("mend", ""))


def show(value: object) -> str:
    """A value as a person reads it in a message: `'abc'`, `true`, `a list`."""
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, (list, tuple)):
        return "a list"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    text = text if len(text) <= _LONGEST_SHOWN else f"{text[: _LONGEST_SHOWN - 3]}..."
    return repr(text) if isinstance(value, str) else text
