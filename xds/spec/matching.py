"""What a request's body has to say for a deployment to answer it: the model, as OpenAI's clients name it."""

from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, PlainSerializer

from xds.spec.complaint import show, wrong
from xds.spec.upstream import Model

_LONGEST = 256


def parse_model(value: object) -> str:
    """A model's name, exactly as bodies spell it: `meta-llama/Llama-3-70b`, `llama3:70b`.

    Raises:
        ValueError: it is no text, empty, has control characters, or more than 256 characters.
    """
    if not isinstance(value, str):
        mend = f'write "{value}"' if isinstance(value, int | float) and not isinstance(value, bool) else ""
        raise wrong(f"{show(value)} is no text", mend)
    if not value:
        raise wrong("a model's name can't be empty")
    if len(value) > _LONGEST:
        raise wrong(f"{show(value)} is longer than {_LONGEST} characters")
    if any(character < " " or character == "\x7f" for character in value):
        raise wrong(f"{show(value)} has control characters")
    return value


ModelName = Annotated[str, BeforeValidator(parse_model, json_schema_input_type=str)]


def _listed(value: object) -> object:
    return value if isinstance(value, list | tuple) else [value]


def _once(names: tuple[str, ...]) -> tuple[str, ...]:
    if not names:
        raise wrong("an empty list leaves the deployment unreachable", "write the model's name")
    twice = [name for index, name in enumerate(names) if name in names[:index]]
    if twice:
        raise wrong(f"{show(twice[0])} is listed twice")
    return names


def _written(names: tuple[str, ...]) -> str | list[str]:
    return names[0] if len(names) == 1 else list(names)


ModelNames = Annotated[
    tuple[ModelName, ...],
    BeforeValidator(_listed, json_schema_input_type=ModelName | list[ModelName]),
    AfterValidator(_once),
    PlainSerializer(_written, return_type=str | list[str]),
]
"""One name, or several for the same model."""


class BodyMatch(Model):
    """Which requests a deployment answers, of those to its hosts and path."""

    model: ModelNames
    """The field `model` of the JSON body; a list are aliases."""
