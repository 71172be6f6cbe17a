"""What the real Envoy refuses of one deployment does not hold up the others."""

import pytest

from tests.support.admin_client import AdminClient
from tests.support.files import deployment, documents, split
from tests.support.traffic import Ask, Client, versions
from tests.support.waiting import eventually

pytestmark = pytest.mark.envoy

BAD_TLS = {"ca_file": "/no/such/authorities.pem"}


async def test_a_bad_cluster_of_one_deployment_leaves_the_others_free(
    admin: AdminClient, client: Client
) -> None:
    """Envoy refuses a canary's cluster: its own deployment stays as it was, another's weights move."""
    await admin.apply(
        documents(
            deployment("spoilt", canary=split(a=("a1", 0))), deployment("free", canary=split(a=("a1", 0)))
        )
    )
    await admin.settled("spoilt")
    await admin.apply(deployment("spoilt", canary=split(a=("a1", 0), b=("b1", 100)), tls=BAD_TLS))

    async def refused() -> bool:
        return bool((await admin.get("spoilt")).convergence.rejections)

    await eventually(refused, "a rejection")
    await admin.set_weights("free", a=100)
    await admin.settled("free")
    assert versions([await client.ask(Ask("free")) for _ in range(5)]) == {"a": 5}
    assert versions([await client.ask(Ask("spoilt")) for _ in range(5)]) == {"main": 5}

    await admin.apply(deployment("spoilt", canary=split(a=("a1", 0), b=("b1", 100))))
    await admin.settled("spoilt")
    assert versions([await client.ask(Ask("spoilt")) for _ in range(5)]) == {"b": 5}
