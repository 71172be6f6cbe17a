"""No two deployments serve one host and path, and none is served by a gateway that is not there."""

from xds.spec.claims import Claim, claims_of, conflicts, hosts_of, unknown_gateways
from xds.spec.deployment import Deployment
from xds.spec.gateway import Gateway
from xds.spec.matching import BodyMatch

PLAIN, DOMAIN = Gateway(name="plain"), Gateway(name="edge", domain="Example.com")


def test_hosts_are_made_up_from_the_name() -> None:
    """Without `hosts`: the name, and the name in the gateway's domain."""
    assert hosts_of(Deployment(name="chat"), DOMAIN) == ("chat", "chat.example.com")


def test_without_a_domain_the_name_alone() -> None:
    """A gateway need not have a domain."""
    assert hosts_of(Deployment(name="chat"), PLAIN) == ("chat",)


def test_hosts_that_were_given_are_all() -> None:
    """With `hosts` nothing is made up."""
    assert hosts_of(Deployment(name="chat", hosts=("a.test",)), DOMAIN) == ("a.test",)


def test_a_deployment_claims_its_hosts_on_all_gateways() -> None:
    """Without `gateways`: everywhere, with the file and line they came from."""
    deployment = Deployment(name="chat", path_prefix="/v1")
    assert claims_of(deployment, [PLAIN, DOMAIN], "a.yaml", 3) == (
        Claim("plain", "chat", "/v1", "chat", "a.yaml", 3),
        Claim("edge", "chat", "/v1", "chat", "a.yaml", 3),
        Claim("edge", "chat.example.com", "/v1", "chat", "a.yaml", 3),
    )


def test_a_deployment_claims_nothing_elsewhere() -> None:
    """With `gateways`: on those alone."""
    assert {
        claim.gateway for claim in claims_of(Deployment(name="c", gateways=("edge",)), [PLAIN, DOMAIN])
    } == {"edge"}


def test_a_conflict_names_both_files() -> None:
    """The fault stands at the later claim, once for all the gateways."""
    gateways = [PLAIN, Gateway(name="other")]
    first = claims_of(Deployment(name="chat"), gateways, "a.yaml", 1)
    second = claims_of(Deployment(name="talk", hosts=("chat", "talk")), gateways, "b.yaml", 7)
    (fault,) = conflicts([*first, *second])
    assert str(fault) == (
        "b.yaml:7: hosts: talk claims chat/ on gateways plain, other, which chat has (a.yaml:1)"
        " (give one of them another host or path_prefix)"
    )


def test_a_claim_without_a_file_is_a_deployment_alone() -> None:
    """What is in force already has a name, if no file."""
    claims = [Claim("g", "h", "/v1", "old"), Claim("g", "h", "/v1", "new", "b.yaml", 2)]
    (fault,) = conflicts(claims)
    assert str(fault) == (
        "b.yaml:2: hosts: new claims h/v1 on gateway g, which old has"
        " (give one of them another host or path_prefix)"
    )


def test_other_paths_hosts_and_gateways_are_no_conflict() -> None:
    """Only the same host and path on the same gateway are."""
    claims = [
        Claim("g", "h", "/", "a"),
        Claim("g", "h", "/v1", "b"),
        Claim("g", "i", "/", "c"),
        Claim("f", "h", "/", "d"),
        Claim("g", "*", "/", "e"),
    ]
    assert conflicts(claims) == []


def test_a_deployment_does_not_conflict_with_itself() -> None:
    """Its next revision claims what the last one had."""
    assert conflicts([Claim("g", "h", "/", "a"), Claim("g", "h", "/", "a", "a.yaml", 1)]) == []


def test_an_unknown_gateway_has_a_nearest_one() -> None:
    """Or the list of those there are."""
    deployment = Deployment(name="chat", gateways=("plane", "plain", "zzz"))
    assert list(map(str, unknown_gateways(deployment, [PLAIN, DOMAIN], "a.yaml", 4))) == [
        "a.yaml:4: gateways[0]: there is no gateway plane (did you mean plain?)",
        "a.yaml:4: gateways[2]: there is no gateway zzz (there are: plain, edge)",
    ]


def by_model(name: str, *models: str) -> Deployment:
    """A deployment for these models, on a host that it shares."""
    return Deployment(name=name, hosts=("h",), match=BodyMatch(model=models) if models else None)


def test_models_share_a_host_and_path() -> None:
    """And one deployment may have what is left."""
    deployments = [by_model("a", "x", "y"), by_model("b", "X"), by_model("rest")]
    assert conflicts(claim for each in deployments for claim in claims_of(each, [PLAIN])) == []


def test_a_model_belongs_to_one_deployment() -> None:
    """An alias counts like a name; the fault names both deployments and the model."""
    first = claims_of(by_model("a", "x", "y"), [PLAIN], "a.yaml", 1)
    second = claims_of(by_model("b", "z", "y"), [PLAIN], "b.yaml", 4)
    (fault,) = conflicts([*first, *second])
    assert str(fault) == (
        "b.yaml:4: match.model: b claims the model y at h/ on gateway plain, which a has (a.yaml:1)"
        " (name it in one of them only)"
    )


def test_what_is_left_belongs_to_one_deployment() -> None:
    """Two without a model are a conflict, whatever models there are besides."""
    deployments = [by_model("a"), by_model("b", "x"), by_model("c")]
    (fault,) = conflicts(claim for each in deployments for claim in claims_of(each, [PLAIN]))
    assert "c claims h/ on gateway plain, which a has" in str(fault)
