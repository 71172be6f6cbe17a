"""The image: what the catalogs had when it was written, as rows; what a server that starts answers from.

It may only be used if nothing was committed since, and if the same code would make the same of it.
Whatever is half written fits nothing: its position is unknown until it is whole again.
"""

import dataclasses
import sqlite3
from collections.abc import Mapping

from xds.catalog.resource import Resource

Whose = tuple[str, str]
"""Gateway and profile."""

Key = tuple[Whose, str, str]
"""Whose, the type URL and the name of a resource."""

_SEPARATOR = "\n"
"""Between the names of clusters, which have none."""


@dataclasses.dataclass(frozen=True)
class Page:
    """A part of an image.

    Attributes:
        resources: what is to be there; None: not any more.
        position: the write up to which the image has everything then; None: more pages follow.
    """

    resources: Mapping[Key, Resource | None]
    position: int | None


def read_image(db: sqlite3.Connection, maker: str) -> dict[Whose, list[Resource]] | None:
    """All of it; None where it doesn't fit."""
    fits = db.execute("SELECT 1 FROM image_of, position WHERE maker = ? AND position = commits", (maker,))
    if fits.fetchone() is None:
        return None
    image: dict[Whose, list[Resource]] = {}
    clusters_of: dict[str, frozenset[str]] = {"": frozenset()}
    rows = db.execute("SELECT gateway, profile, type, name, version, clusters, body FROM image")
    for gateway, profile, type_, name, version, named, body in rows:
        clusters = clusters_of.get(named)
        if clusters is None:
            clusters = frozenset(named.split(_SEPARATOR))
        image.setdefault((gateway, profile), []).append(Resource(type_, name, version, body, clusters))
    return image


def begin_image(db: sqlite3.Connection, maker: str) -> None:
    """Forget the one there is; the next one is made by this."""
    drop_image(db)
    db.execute("INSERT INTO image_of (maker) VALUES (?)", (maker,))


def write_page(db: sqlite3.Connection, page: Page) -> None:
    """Write a part of it, and how far it has come."""
    db.executemany(
        "INSERT OR REPLACE INTO image (gateway, profile, type, name, version, clusters, body)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [
            (*whose, type_, name, made.version, _SEPARATOR.join(made.clusters), made.body)
            for (whose, type_, name), made in page.resources.items()
            if made is not None
        ],
    )
    db.executemany(
        "DELETE FROM image WHERE gateway = ? AND profile = ? AND type = ? AND name = ?",
        [(*whose, type_, name) for (whose, type_, name), made in page.resources.items() if made is None],
    )
    db.execute("UPDATE image_of SET position = ?", (page.position,))


def drop_image(db: sqlite3.Connection) -> None:
    """Forget it."""
    db.execute("DELETE FROM image")
    db.execute("DELETE FROM image_of")
