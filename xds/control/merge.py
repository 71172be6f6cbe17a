"""Updates: files that say only what is to change. Pure."""

from collections.abc import Iterable

from pydantic import JsonValue

from xds.control.state import State
from xds.spec.read import Reading, read
from xds.spec.write import to_dict


def merged_documents(files: Iterable[tuple[str, str]], state: State, *, strict: bool) -> Reading:
    """The documents of files, each over the deployment in force that it names.

    Raises:
        NotFound: there is no such deployment.
    """

    def over(value: JsonValue) -> JsonValue:
        name = value.get("name") if isinstance(value, dict) else None
        if not isinstance(value, dict) or not isinstance(name, str):
            return value
        return merged(to_dict(state.existing(name).spec), value)

    return read(files, strict=strict, over=over)


def merged(before: JsonValue, said: JsonValue) -> JsonValue:
    """Mappings key by key (null takes a key away), anything else replaced."""
    if not isinstance(before, dict) or not isinstance(said, dict):
        return said
    kept = dict(before)
    if said.get("build") is not None:  # which is another word for it
        kept.pop("bento", None)
    for key, value in said.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = merged(kept.get(key), value)
    return kept
