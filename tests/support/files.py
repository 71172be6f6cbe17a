"""Deployment files, written as a person would: builds by tag, endpoints in a document of their own."""

from collections.abc import Mapping

import yaml


def tag(build: str) -> str:
    """The bento tag of a build: `model:m1`."""
    return f"model:{build}"


def deployment(
    name: str, *, main: str = "m1", canary: Mapping[str, object] | None = None, **more: object
) -> str:
    """A deployment whose `main` runs a build.

    Args:
        name: the deployment's, and its host.
        main: the build.
        canary: the `canary` field, as in the file.
        more: other keys at top level.
    """
    spec = {"name": name, "bento": tag(main), **more}
    return yaml.safe_dump(spec | ({"canary": canary} if canary else {}), sort_keys=False)


def split(
    by: str | None = None,
    *,
    route_type: str = "random",
    when_missing: str | None = None,
    **versions: tuple[str, float],
) -> dict[str, object]:
    """A `canary` field: (build, weight) by label, shared out at random or by a key."""
    return {
        "route_type": route_type,
        **({"route_by": by} if by else {}),
        **({"when_missing": when_missing} if when_missing else {}),
        "versions": {
            label: {"bento": tag(build), "weight": weight} for label, (build, weight) in versions.items()
        },
    }


def endpoints(**builds: str) -> str:
    """A document with the endpoints of builds: `m1="127.0.0.1:3000"`."""
    return yaml.safe_dump({"endpoints": {tag(build): [where] for build, where in builds.items()}})


def documents(*texts: str) -> str:
    """Several documents in one file."""
    return "---\n".join(texts)
