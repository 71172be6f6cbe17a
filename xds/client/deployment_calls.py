"""The verbs of deployments. What each write takes besides is in `WriteArgs`."""

from collections.abc import Iterable, Mapping
from typing import Unpack

from google.protobuf.message import Message

from xds.client.call import Call, Page, Pages, Stream, simple
from xds.client.errors import check
from xds.client.options import Wait, WriteArgs, patience_of, wait_of, write_options
from xds.client.payloads import Source, files_of
from xds.stubs import canary_admin_v1_pb2 as pb

_MODES = pb.ApplyRequest.Mode


def apply(*sources: Source, strict: bool = False, **options: Unpack[WriteArgs]) -> Call[pb.ApplyResponse]:
    """Apply deployment files: all of them, or none.

    Args:
        sources: paths (a folder stands for its *.yaml, *.yml and *.json files), YAML texts, or mappings.
        strict: unknown keys are errors.
        options: see WriteArgs.

    Raises:
        InvalidInput: something is wrong with them; every fault, and nothing was changed.
    """
    return _apply(sources, _MODES.APPLY, strict, write_options(**options))


def create(*sources: Source, strict: bool = False, **options: Unpack[WriteArgs]) -> Call[pb.ApplyResponse]:
    """As `apply`, for deployments that aren't there yet.

    Raises:
        AlreadyExists: one is there.
    """
    return _apply(sources, _MODES.CREATE, strict, write_options(**options))


def update(*sources: Source, strict: bool = False, **options: Unpack[WriteArgs]) -> Call[pb.ApplyResponse]:
    """Change deployments in the keys given, and only these; null takes a key away.

    Raises:
        NotFound: one isn't there.
    """
    return _apply(sources, _MODES.UPDATE, strict, write_options(**options))


def get(name: str) -> Call[pb.Deployment]:
    """One deployment: its split, versions, and how far the Envoys are.

    Raises:
        NotFound: there is none of this name.
    """
    return simple("DeploymentService/Get", pb.GetRequest(name=name), pb.Deployment)


def list_(*, deleted: bool = False, page_size: int = 0) -> Pages[pb.Deployment]:
    """All deployments, by name; or all that were deleted."""

    def read(raw: bytes) -> Page[pb.Deployment]:
        answer = pb.ListResponse.FromString(raw)
        return Page(answer.deployments, answer.next_page_token)

    return Pages(
        lambda token: Call(
            "DeploymentService/List",
            pb.ListRequest(page_size=page_size, page_token=token, deleted=deleted),
            read,
        )
    )


def set_weights(name: str, weights: Mapping[str, float], **options: Unpack[WriteArgs]) -> Call[pb.Change]:
    """Change who gets which version.

    Args:
        name: of the deployment.
        weights: percent by version, in steps of 0.01; those not named keep theirs, `main` gets the rest.
        options: see WriteArgs.

    Raises:
        TooFewEndpoints: a version would get users and could not serve them (`force=True` overrides).
    """
    said = write_options(**options)
    return _change("SetWeights", pb.SetWeightsRequest(name=name, weights=weights, options=said), said)


def promote(name: str, version: str = "", **options: Unpack[WriteArgs]) -> Call[pb.Change]:
    """Make a canary `main`, with all traffic; "" where there is only one canary."""
    said = write_options(**options)
    return _change("Promote", pb.PromoteRequest(name=name, version=version, options=said), said)


def abort(name: str, **options: Unpack[WriteArgs]) -> Call[pb.Change]:
    """Put all traffic on `main`. Always works."""
    said = write_options(**options)
    return _change("Abort", pb.AbortRequest(name=name, options=said), said)


def rollback(
    name: str, *, to_revision: int | None = None, to_stable: bool = False, **options: Unpack[WriteArgs]
) -> Call[pb.Change]:
    """Return to the revision before, to one by number, or to the last with `main` at 100 %.

    Raises:
        NothingToDo: there is nothing to return to.
        TooFewEndpoints: a version of it could not serve its users (`force=True` overrides).
    """
    said = write_options(**options)
    request = pb.RollbackRequest(
        name=name, to_revision=to_revision, to_stable=True if to_stable else None, options=said
    )
    return _change("Rollback", request, said)


def delete(name: str, **options: Unpack[WriteArgs]) -> Call[pb.Change]:
    """Take a deployment out of service; its history is kept."""
    said = write_options(**options)
    return _change("Delete", pb.DeleteRequest(name=name, options=said), said)


def undelete(name: str, **options: Unpack[WriteArgs]) -> Call[pb.Change]:
    """Bring a deleted deployment back as it was."""
    said = write_options(**options)
    return _change("Undelete", pb.UndeleteRequest(name=name, options=said), said)


def history(name: str, *, page_size: int = 0) -> Pages[pb.Revision]:
    """A deployment's revisions, newest first; of a deleted one too."""

    def read(raw: bytes) -> Page[pb.Revision]:
        answer = pb.ListRevisionsResponse.FromString(raw)
        return Page(answer.revisions, answer.next_page_token)

    return Pages(
        lambda token: Call(
            "DeploymentService/ListRevisions",
            pb.ListRevisionsRequest(name=name, page_size=page_size, page_token=token),
            read,
        )
    )


def diff(name: str, from_revision: int = 0, to_revision: int = 0) -> Call[pb.DiffResponse]:
    """What differs between two revisions; 0: the one in force, and the one before it."""
    request = pb.DiffRequest(name=name, from_revision=from_revision, to_revision=to_revision)
    return simple("DeploymentService/Diff", request, pb.DiffResponse)


def diff_files(*sources: Source) -> Call[pb.DiffResponse]:
    """What applying these would change. `sources` as for `apply`."""
    return simple("DeploymentService/Diff", pb.DiffRequest(files=files_of(sources)), pb.DiffResponse)


def explain(  # noqa: PLR0913 (a request has many parts)
    name: str,
    *,
    target: str | bytes = "",
    headers: Iterable[tuple[str, str | bytes]] = (),
    cookies: Iterable[tuple[str, str]] = (),
    host: str = "",
    method: str = "GET",
    model: str | None = None,
    keys: Iterable[str | bytes] = (),
    gateway: str = "",
) -> Call[pb.ExplainResponse]:
    """Which version a request gets, and why.

    Args:
        name: of the deployment.
        target: path and query as they stand in the URL; without a path the deployment's.
        headers: name and value, one for each line.
        cookies: name and value.
        host: "": the deployment's own.
        method: of the request.
        model: what the JSON body names; None: no JSON.
        keys: explain the request once for each, as somebody with this key sends it; 10,000 at most.
        gateway: "": the first that serves it.

    Raises:
        NotFound: no such deployment or gateway, or nothing answers to the host.
    """
    pairs = "; ".join(f"{cookie}={value}" for cookie, value in cookies)
    lines = [*headers, *([("cookie", pairs)] if pairs else [])]
    request = pb.ExplainRequest(
        name=name,
        gateway=gateway,
        host=host,
        method=method,
        target=_bytes(target),
        headers=[pb.ExplainRequest.Header(name=key, value=_bytes(value)) for key, value in lines],
        model=model,
        keys=map(_bytes, keys),
    )
    return simple("DeploymentService/Explain", request, pb.ExplainResponse)


def simulate(*sources: Source, keys: Iterable[str | bytes] = ()) -> Call[pb.SimulateResponse]:
    """How many users applying these would move, from where to where; nothing is changed.

    Args:
        sources: as for `apply`.
        keys: say of each where it is and would be; 10,000 at most.
    """
    request = pb.SimulateRequest(files=files_of(sources), keys=map(_bytes, keys))
    return simple("DeploymentService/Simulate", request, pb.SimulateResponse)


def watch(*names: str) -> Stream[pb.WatchResponse]:
    """These deployments (none named: all) as they are, then each when it changes."""
    return Stream("DeploymentService/Watch", pb.WatchRequest(names=names), pb.WatchResponse.FromString)


def progress(name: str, revision: int = 0, wait: float | Wait = 30.0) -> Stream[pb.Confirmation]:
    """A revision (0: the one in force) on its way to the Envoys, until it is decided.

    `Client.wait` returns the last of these, and raises Rejected or NotConfirmed where that is none.
    """
    until = wait_of(wait) or Wait()
    request = pb.WaitRequest(name=name, revision=revision, wait=until.message())
    return Stream("DeploymentService/Wait", request, pb.Confirmation.FromString, until.timeout)


def _apply(
    sources: Iterable[Source],
    mode: pb.ApplyRequest.Mode,
    strict: bool,  # noqa: FBT001 (of the verbs here)
    options: pb.WriteOptions,
) -> Call[pb.ApplyResponse]:
    def read(raw: bytes) -> pb.ApplyResponse:
        answer = pb.ApplyResponse.FromString(raw)
        check((change.confirmation for change in answer.changes), answer)
        return answer

    request = pb.ApplyRequest(files=files_of(sources), mode=mode, strict=strict, options=options)
    return Call("DeploymentService/Apply", request, read, patience_of(options))


def _change(method: str, request: Message, options: pb.WriteOptions) -> Call[pb.Change]:
    def read(raw: bytes) -> pb.Change:
        change = pb.ChangeResponse.FromString(raw).change
        check([change.confirmation], change)
        return change

    return Call(f"DeploymentService/{method}", request, read, patience_of(options))


def _bytes(said: str | bytes) -> bytes:
    return said.encode() if isinstance(said, str) else said
