"""Everything that a set of messages needs: the types of their fields, and what they are nested in."""

from collections.abc import Iterable, Iterator

from betterproto2 import Enum

from protos.schema.catalogue import SchemaClass, outer_message
from protos.schema.elsewhere import is_elsewhere
from protos.schema.fields import fields_of


def closure(roots: Iterable[SchemaClass]) -> set[SchemaClass]:
    """The roots and all they need, without what another distribution brings."""
    found: set[SchemaClass] = set()
    todo = list(roots)
    while todo:
        cls = todo.pop()
        if cls not in found and not is_elsewhere(cls):
            found.add(cls)
            todo += _needs(cls)
    return found


def referred_types(cls: SchemaClass) -> Iterator[SchemaClass]:
    """The messages and enums that the fields of a message refer to; an enum has none."""
    if not issubclass(cls, Enum):
        yield from (field.type for field in fields_of(cls) if field.type)


def _needs(cls: SchemaClass) -> Iterator[SchemaClass]:
    if outer := outer_message(cls):
        yield outer
    yield from referred_types(cls)
