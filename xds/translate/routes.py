"""The routes of a deployment, in the order in which Envoy tries them.

    version/<label>   requests that name a version           (pins)
    rule-<n>          requests that match a rule             (rules)
    sticky            those with a key, by its hash          (split, keys)
    affinity/<key>    those whose cookie names a build       (split, cookies)
    split             everyone else

Each is named `<deployment>/...`, in the access log too; a rule for a part of its requests has the last
three below it. Copies of requests (mirror) and the deployment's own patches go onto all of them.
"""

from collections.abc import Iterator

from xds.spec.envoy import Raw
from xds.stubs import envoy_config_route_v3_pb2 as route_v3
from xds.translate.mirror import mirrored
from xds.translate.pins import pins
from xds.translate.raw_patches import patched
from xds.translate.rules import rules
from xds.translate.split import route, spread
from xds.translate.values import match_path
from xds.translate.view import View


def routes(view: View) -> list[route_v3.Route]:
    """The routes of a deployment, in the order in which Envoy is to try them."""
    patches = view.revision.spec.envoy
    return [_patched(each, patches.route if patches else None) for each in _routes(view)]


def _routes(view: View) -> Iterator[route_v3.Route]:
    match = match_path(view.revision.spec.path_prefix)
    if view.only_main:
        yield route(view, "split", match, view.effective())
        return
    for routes in (pins(view, match), rules(view), spread(view, "", match)):
        for each in routes:
            yield mirrored(view, each)


def _patched(route: route_v3.Route, patch: Raw | None) -> route_v3.Route:
    """The route with a patch over it; what a patch says of forwarding is nothing to one that answers."""
    if patch and not route.HasField("route"):
        patch = {key: value for key, value in patch.items() if key != "route"}
    return patched(route, patch)
