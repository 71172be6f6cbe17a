"""The real Envoy and every service it can consume, over a catalog of resources made by hand.

Each test: Envoy takes what there is, requests or Envoy itself show it, it changes, and that shows too.
"""

import asyncio
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.conformance.server import Server
from tests.support import raw
from tests.support.envoys import changed_envoy
from tests.support.ports import LOOPBACK, free_port
from tests.support.traffic import Ask, Client
from tests.support.upstreams import Upstreams
from tests.support.waiting import eventually
from xds.catalog.resource import Resource
from xds.catalog.types import Type
from xds.translate.bootstrap import Dialect, Json

pytestmark = pytest.mark.envoy

DIALECTS: list[Dialect] = ["delta", "sotw"]
API = {"delta": "DELTA_GRPC", "sotw": "GRPC"}

every_dialect = pytest.mark.parametrize("dialect", DIALECTS)


def builds(upstreams: Upstreams, *names: str) -> list[Resource]:
    """A static cluster for each build."""
    return [
        raw.resource(Type.CLUSTER, name, raw.static_cluster(name, upstreams.endpoint(name))) for name in names
    ]


def entrance(port: int, manager: Json, **chain: Json) -> Resource:
    """A listener."""
    return raw.resource(Type.LISTENER, "in", raw.listener("in", port, manager, **chain))


def answered(client: Client, build: str, host: str = "any") -> Callable[[], Awaitable[bool]]:
    """Whether a build answers by now."""

    async def look() -> bool:
        return (await client.ask(Ask(host))).build == build

    return look


@every_dialect
async def test_each_type_on_a_stream_of_its_own(
    tmp_path: Path, upstreams: Upstreams, dialect: Dialect
) -> None:
    """CDS, EDS, LDS and RDS without any aggregated stream: served, and new endpoints and routes are taken."""
    port, api = free_port(), API[dialect]
    rds: Json = {"config_source": raw.source(api), "route_config_name": "table"}
    clusters = [raw.resource(Type.CLUSTER, name, raw.eds_cluster(name, api)) for name in ("one", "two")]

    def endpoints(name: str, build: str) -> Resource:
        return raw.resource(Type.ENDPOINT, name, raw.assignment(name, upstreams.endpoint(build)))

    def table(cluster: str) -> Resource:
        return raw.resource(Type.ROUTE, "table", raw.route_table("table", cluster), cluster)

    listener = entrance(port, raw.connection_manager(rds=rds))
    own: Json = {"cds_config": raw.source(api), "lds_config": raw.source(api)}
    everything = [*clusters, endpoints("one", "m1"), endpoints("two", "a1"), listener, table("one")]
    async with (
        Server(*everything) as server,
        changed_envoy(tmp_path, server.address, dialect, dynamic_resources=own),
        Client((LOOPBACK, port)) as client,
    ):
        await eventually(answered(client, "m1"), "the first build answers")
        server.commit(endpoints("one", "b1"))
        await eventually(answered(client, "b1"), "the new endpoint answers")
        server.commit(table("two"))
        await eventually(answered(client, "a1"), "the new route leads elsewhere")


@every_dialect
async def test_scoped_routes(tmp_path: Path, upstreams: Upstreams, dialect: Dialect) -> None:
    """A scope for each host, its routes inline: one is changed, and a host without one is unknown."""
    port = free_port()
    by_host: Json = {"name": ":authority", "element_separator": ":", "index": 0}
    scoped: Json = {
        "name": "scopes",
        "scope_key_builder": {"fragments": [{"header_value_extractor": by_host}]},
        "scoped_rds": {"scoped_rds_config_source": raw.source(raw.ADS)},
    }

    def scope(host: str, build: str) -> Resource:
        content: Json = {
            "name": host,
            "key": {"fragments": [{"string_key": host}]},
            "route_configuration": raw.route_table(host, build),
        }
        return raw.resource(Type.SCOPED_ROUTE, host, content, build)

    listener = entrance(port, raw.connection_manager(scoped_routes=scoped))
    everything = [*builds(upstreams, "m1", "a1", "b1"), listener, scope("one", "m1"), scope("two", "a1")]
    async with (
        Server(*everything) as server,
        changed_envoy(tmp_path, server.address, dialect),
        Client((LOOPBACK, port)) as client,
    ):
        await eventually(answered(client, "m1", "one"), "the first scope is there")
        await eventually(answered(client, "a1", "two"), "the second scope is there")
        server.commit(scope("two", "b1"))
        await eventually(answered(client, "b1", "two"), "the changed scope is taken")
        assert (await client.ask(Ask("one"))).build == "m1"
        assert (await client.ask(Ask("three"))).status == 404


async def test_virtual_hosts(tmp_path: Path, upstreams: Upstreams) -> None:
    """The hosts of a table one by one, which is delta only: one is changed, one is new."""
    port = free_port()
    rds: Json = {"config_source": raw.source(raw.ADS), "route_config_name": "table"}
    on_demand: Json = {"name": "envoy.filters.http.on_demand", "typed_config": {"@type": raw.ON_DEMAND}}
    table: Json = {"name": "table", "vhds": {"config_source": raw.source(raw.ADS)}}

    def host(name: str, build: str) -> Resource:
        content = raw.virtual_host(f"table/{name}", build, name)
        return raw.resource(Type.VIRTUAL_HOST, f"table/{name}", content, build)

    everything = [
        *builds(upstreams, "m1", "a1"),
        entrance(port, raw.connection_manager(on_demand, rds=rds)),
        raw.resource(Type.ROUTE, "table", table),
        host("one", "m1"),
    ]
    async with (
        Server(*everything) as server,
        changed_envoy(tmp_path, server.address, "delta"),
        Client((LOOPBACK, port)) as client,
    ):
        await eventually(answered(client, "m1", "one"), "the host is there")
        server.commit(host("one", "a1"), host("two", "m1"))
        await eventually(answered(client, "a1", "one"), "the changed host is taken")
        assert (await client.ask(Ask("two"))).build == "m1"


@every_dialect
async def test_runtime(tmp_path: Path, dialect: Dialect) -> None:
    """A layer of runtime values, changed once."""
    layer: Json = {"name": "ours", "rtds_layer": {"name": "ours", "rtds_config": raw.source(raw.ADS)}}

    def runtime(percent: int) -> Resource:
        content: Json = {"name": "ours", "layer": {"feature.percent": percent}}
        return raw.resource(Type.RUNTIME, "ours", content)

    async with (
        Server(runtime(5)) as server,
        changed_envoy(tmp_path, server.address, dialect, layered_runtime={"layers": [layer]}) as envoy,
    ):

        def value() -> str:
            return str(envoy.runtime().get("feature.percent"))

        assert value() == "5"
        server.commit(runtime(60))

        async def changed() -> bool:
            return await asyncio.to_thread(value) == "60"

        await eventually(changed, "the changed value is taken")


@every_dialect
async def test_secrets(tmp_path: Path, dialect: Dialect) -> None:
    """A listener's certificate, rotated once."""
    port = free_port()
    certificates = [certificate(tmp_path, name) for name in ("old", "new")]
    rds: Json = {"config_source": raw.source(raw.ADS), "route_config_name": "table"}
    wanted: Json = {"name": "certificate", "sds_config": raw.source(raw.ADS)}
    tls: Json = {
        "name": "tls",
        "typed_config": {
            "@type": raw.TLS,
            "common_tls_context": {"tls_certificate_sds_secret_configs": [wanted]},
        },
    }

    def secret(pem: tuple[str, str]) -> Resource:
        chain, key = pem
        content: Json = {
            "certificate_chain": {"inline_string": chain},
            "private_key": {"inline_string": key},
        }
        return raw.resource(Type.SECRET, "certificate", {"name": "certificate", "tls_certificate": content})

    listener = entrance(port, raw.connection_manager(rds=rds), transport_socket=tls)
    table = raw.resource(Type.ROUTE, "table", {"name": "table"})

    def shown(pem: tuple[str, str]) -> Callable[[], Awaitable[bool]]:
        async def look() -> bool:
            try:
                seen = await asyncio.to_thread(ssl.get_server_certificate, (LOOPBACK, port))
            except OSError:
                return False
            return ssl.PEM_cert_to_DER_cert(seen) == ssl.PEM_cert_to_DER_cert(pem[0])

        return look

    async with (
        Server(listener, table, secret(certificates[0])) as server,
        changed_envoy(tmp_path, server.address, dialect),
    ):
        await eventually(shown(certificates[0]), "the first certificate is shown")
        server.commit(secret(certificates[1]))
        await eventually(shown(certificates[1]), "the new certificate is shown")


def certificate(folder: Path, name: str) -> tuple[str, str]:
    """A self-signed certificate and its key."""
    chain, key = folder / f"{name}.crt", folder / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-subj", f"/CN={name}", "-days", "2", "-out", str(chain), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    return chain.read_text(), key.read_text()


@every_dialect
async def test_extension_configs(tmp_path: Path, upstreams: Upstreams, dialect: Dialect) -> None:
    """An HTTP filter whose configuration comes by itself, and changes without its listener."""
    port = free_port()
    rds: Json = {"config_source": raw.source(raw.ADS), "route_config_name": "table"}
    discovered: Json = {
        "name": "mutate",
        "config_discovery": {"config_source": raw.source(raw.ADS), "type_urls": [raw.HEADER_MUTATION]},
    }

    def filter_config(text: str) -> Resource:
        append: Json = {
            "header": {"key": "x-canary-version", "value": text},
            "append_action": "OVERWRITE_IF_EXISTS_OR_ADD",
        }
        mutations: Json = {"response_mutations": [{"append": append}]}
        content: Json = {"@type": raw.HEADER_MUTATION, "mutations": mutations}
        return raw.resource(Type.EXTENSION, "mutate", {"name": "mutate", "typed_config": content})

    everything = [
        *builds(upstreams, "m1"),
        entrance(port, raw.connection_manager(discovered, rds=rds)),
        raw.resource(Type.ROUTE, "table", raw.route_table("table", "m1"), "m1"),
        filter_config("first"),
    ]
    async with (
        Server(*everything) as server,
        changed_envoy(tmp_path, server.address, dialect),
        Client((LOOPBACK, port)) as client,
    ):

        def says(text: str) -> Callable[[], Awaitable[bool]]:
            async def look() -> bool:
                return (await client.ask(Ask("any"))).version == text

            return look

        await eventually(says("first"), "the filter is configured")
        server.commit(filter_config("second"))
        await eventually(says("second"), "its new configuration is taken")


@every_dialect
async def test_a_bad_resource_does_not_keep_the_good_ones(
    tmp_path: Path, upstreams: Upstreams, dialect: Dialect
) -> None:
    """Pushed among good ones: those apply, the bad one is named, and nothing is sent in a loop."""
    bad: Json = {"name": "bad", "type": "STATIC", "lb_policy": "RING_HASH", "connect_timeout": "-1s"}
    async with (
        Server(*builds(upstreams, "m1")) as server,
        changed_envoy(tmp_path, server.address, dialect) as envoy,
    ):
        server.commit(*builds(upstreams, "a1", "b1"), raw.resource(Type.CLUSTER, "bad", bad))

        async def applied() -> bool:
            return set(await asyncio.to_thread(envoy.clusters)) == {"m1", "a1", "b1"} and bool(parked())

        def parked() -> list[str]:
            return [rejection.name for _, rejection in stream.rejections()]

        (stream,) = server.hub.streams("default")
        await eventually(applied, "the good ones are there")
        refused = stream.counters.refusals
        server.commit(*builds(upstreams, "gm1"))

        async def taken() -> bool:
            return "gm1" in await asyncio.to_thread(envoy.clusters)

        await eventually(taken, "what comes later is taken")
        assert parked() == ["bad"]
        assert stream.counters.refusals == refused <= 6
