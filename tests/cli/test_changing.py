"""`canary apply`, `set-weight`, `abort` and `rollback`: what is sent, and the line that answers."""

import json
from pathlib import Path

import pytest

from tests.cli.fake_admin import AdminApi, Run, only_main, revision
from xds.stubs import canary_admin_v1_pb2 as pb


@pytest.fixture
def shifted(summarization: pb.Deployment) -> pb.ChangeResponse:
    """The answer to a change that was made."""
    return pb.ChangeResponse(change=pb.Change(deployment=summarization, changed=True))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with deployment files and others."""
    for name in ("b.yml", "a.yaml", "c.json", ".hidden.yaml", "notes.txt"):
        (tmp_path / name).write_text(f"name: {name}", encoding="utf-8")
    return tmp_path


def applied(*changes: pb.Change, warnings: tuple[str, ...] = ()) -> pb.ApplyResponse:
    """The answer to `apply`."""
    return pb.ApplyResponse(changes=changes, warnings=warnings)


def test_apply_answers_with_a_line_for_each_deployment(
    api: AdminApi, ask: Run, summarization: pb.Deployment, folder: Path
) -> None:
    """In the past tense, with the revision and its split; what was in force already is unchanged."""
    del summarization.versions[2]
    api.answers["Apply"] = applied(
        pb.Change(deployment=summarization, changed=True), pb.Change(deployment=only_main())
    )

    result = ask("apply", "-f", str(folder))

    assert (result.exit_code, result.stderr) == (0, "plan: summarization: new, main 79.5 %, a 20 %\n")
    assert result.stdout == (
        "deployment 'summarization' applied: revision 3 (main 79.5 %, a 20 %)\n"
        "deployment 'echo' unchanged: revision 1 (main 100 %)\n"
    )


def test_apply_sends_a_folders_files_raw_and_by_name(api: AdminApi, ask: Run, folder: Path) -> None:
    """Only *.yaml, *.yml and *.json, nothing hidden, sorted."""
    api.answers["Apply"] = applied()

    ask("apply", "-f", str(folder))

    names = ["a.yaml", "b.yml", "c.json"]
    assert api.done() == [
        pb.ApplyRequest(
            files=[pb.File(name=str(folder / name), text=f"name: {name}") for name in names],
            options=pb.WriteOptions(),
        )
    ]


def test_apply_takes_several_sources(api: AdminApi, ask: Run, folder: Path) -> None:
    """-f can be given more than once; - is stdin."""
    api.answers["Apply"] = applied()
    file = str(folder / "b.yml")

    ask("apply", "-f", "-", "-f", file, "--strict", "--comment", "why", stdin="name: x")

    assert api.done() == [
        pb.ApplyRequest(
            files=[pb.File(name="stdin", text="name: x"), pb.File(name=file, text="name: b.yml")],
            strict=True,
            options=pb.WriteOptions(comment="why"),
        )
    ]


def test_apply_warns_on_stderr(api: AdminApi, ask: Run, summarization: pb.Deployment) -> None:
    """The server's warnings, and shares of versions that run nowhere, keep out of the result."""
    api.answers["Apply"] = applied(
        pb.Change(deployment=summarization, changed=True), warnings=("f.yaml:3: steps: does nothing yet",)
    )

    result = ask("apply", "-f", "-")

    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == (
        "plan: summarization: new, main 79.5 %, a 20 %, b 0.5 %\n"
        "warning: f.yaml:3: steps: does nothing yet\n"
        "warning: deployment 'summarization': b waits for endpoints, main serves its share\n"
    )


def test_apply_as_json(api: AdminApi, ask: Run) -> None:
    """Each change has the form of `get -o json`, and `changed`."""
    api.answers["Apply"] = applied(pb.Change(deployment=only_main(), changed=True), warnings=("w",))
    api.answers["Get"] = only_main()

    data = json.loads(ask("apply", "-f", "-", "-o", "json").stdout)

    deployment = json.loads(ask("get", "echo", "-o", "json").stdout)
    change = {"changed": True, "moved": 0, "previous": None, "confirmation": None, **deployment}
    assert data == {"changes": [change], "endpoints": [], "warnings": ["w"]}


def edits() -> pb.ApplyResponse:
    """The answer to files that list endpoints of three builds."""
    return pb.ApplyResponse(
        endpoints=[
            pb.EndpointChange(build="chat:v2", count=2, changed=True, deployments=["chat", "chat-eu"]),
            pb.EndpointChange(build="chat:v1", count=1, deployments=["chat"]),
            pb.EndpointChange(build="chat:v22", count=3, changed=True),
        ]
    )


def test_apply_answers_with_a_line_for_each_list_of_endpoints(api: AdminApi, ask: Run) -> None:
    """How many a build has now, and for whom; a build that nobody uses may be a slip of the pen."""
    api.answers["Apply"] = edits()

    result = ask("apply", "-f", "-")

    assert result.stdout == (
        "endpoints of 'chat:v2' set: 2 (used by chat, chat-eu)\n"
        "endpoints of 'chat:v1' unchanged: 1 (used by chat)\n"
        "endpoints of 'chat:v22' set: 3\n"
    )
    assert result.stderr == "warning: no deployment uses 'chat:v22' yet\n"


def test_apply_of_endpoints_as_json(api: AdminApi, ask: Run) -> None:
    """Under `endpoints`, as the API has them."""
    api.answers["Apply"] = edits()

    first = json.loads(ask("apply", "-f", "-", "-o", "json").stdout)["endpoints"][0]

    assert first == {"build": "chat:v2", "count": 2, "changed": True, "deployments": ["chat", "chat-eu"]}


def test_apply_of_an_empty_folder_fails(ask: Run, tmp_path: Path) -> None:
    """Nothing to apply is a mistake, not a success."""
    result = ask("apply", "-f", str(tmp_path))

    assert result.exit_code == 1
    assert result.stderr == (
        f"Error: {tmp_path}: no deployment files in this folder (they end in .yaml, .yml, .json)\n"
    )


def test_apply_names_the_byte_that_is_no_text(ask: Run) -> None:
    """A file in another encoding is refused before anything is sent."""
    result = ask("apply", "-f", "-", stdin=b"name: caf\xe9")

    assert result.exit_code == 1
    assert result.stderr == "stdin:1: byte 9 is not UTF-8 (save the file as UTF-8)\n"


def test_a_file_that_is_no_text_hides_no_fault_of_the_others(ask: Run, tmp_path: Path) -> None:
    """Every fault of every file at once, though one of them can't even be sent."""
    (tmp_path / "a.yaml").write_text("name: a\ntimeout: soon\n", encoding="utf-8")
    (tmp_path / "b.yaml").write_bytes(b"name: b\nbento: caf\xe9\n")
    (tmp_path / "c.yaml").write_text("nam: c\n", encoding="utf-8")

    result = ask("apply", "-f", str(tmp_path))

    assert result.exit_code == 1
    assert [line.partition(": ")[0] for line in result.stderr.splitlines()] == [
        f"{tmp_path}/{place}" for place in ("a.yaml:2", "b.yaml:2", "c.yaml:1")
    ]


def test_apply_of_a_file_that_is_not_there_is_wrong_usage(ask: Run, tmp_path: Path) -> None:
    """A slip of the pen exits with 2, before anything is sent."""
    assert ask("apply", "-f", str(tmp_path / "nothing.yaml")).exit_code == 2


def test_set_weight_sends_the_versions_named(api: AdminApi, ask: Run, shifted: pb.ChangeResponse) -> None:
    """Only those; percent signs are allowed."""
    api.answers["SetWeights"] = shifted

    result = ask("set-weight", "summarization", "a=20", "b=0.5%", "--comment", "more")

    assert result.stdout == "deployment 'summarization' shifted: revision 3 (main 79.5 %, a 20 %, b 0.5 %)\n"
    assert api.done() == [
        pb.SetWeightsRequest(
            name="summarization", weights={"a": 20, "b": 0.5}, options=pb.WriteOptions(comment="more")
        )
    ]


@pytest.mark.parametrize(
    ("weights", "complaint"),
    [
        (["a"], "'a' is no VERSION=PERCENT; write for example a=20"),
        (["a=much"], "'a=much' is no VERSION=PERCENT; write for example a=20"),
        (["=20"], "'=20' names no version; write each once: a=20 b=5.5"),
        (["a=20", "a=30"], "'a=30' names a version twice; write each once: a=20 b=5.5"),
        ([], "Missing argument 'VERSION=PERCENT...'."),
    ],
)
def test_set_weight_explains_wrong_usage(ask: Run, weights: list[str], complaint: str) -> None:
    """What is no weight exits with 2 and says what one looks like."""
    result = ask("set-weight", "summarization", *weights)

    assert result.exit_code == 2
    assert result.stderr.endswith(f"{complaint}\n")


def test_abort_answers_in_a_line(api: AdminApi, ask: Run) -> None:
    """It says that everything is on `main`."""
    api.answers["Abort"] = pb.ChangeResponse(change=pb.Change(deployment=only_main(), changed=True))

    result = ask("abort", "echo", "--comment", "errors")

    assert result.stdout == "deployment 'echo' aborted: revision 1 (main 100 %)\n"
    assert api.done() == [pb.AbortRequest(name="echo", options=pb.WriteOptions(comment="errors"))]


@pytest.mark.parametrize("condition", [["--expected-revision", "3"], ["--force"]])
def test_abort_knows_no_conditions(api: AdminApi, ask: Run, condition: list[str]) -> None:
    """It always works, so it offers none that it would ignore."""
    assert ask("abort", "echo", *condition).exit_code == 2
    assert api.called == []


def test_abort_twice_is_unchanged(api: AdminApi, ask: Run) -> None:
    """The second one succeeds, and says that there was nothing to do."""
    api.answers["Abort"] = pb.ChangeResponse(change=pb.Change(deployment=only_main()))

    result = ask("abort", "echo")

    assert (result.exit_code, result.stdout) == (0, "deployment 'echo' unchanged: revision 1 (main 100 %)\n")


def test_rollback_names_the_revision_it_returned_to(api: AdminApi, ask: Run) -> None:
    """The new revision has a number of its own."""
    back = only_main()
    back.revision.CopyFrom(revision(5, "rollback", source=2, main=100))
    api.answers["Rollback"] = pb.ChangeResponse(change=pb.Change(deployment=back, changed=True, previous=4))

    result = ask("rollback", "echo")

    assert result.stdout == "deployment 'echo' rolled back to revision 2: revision 5 (main 100 %)\n"
    assert api.done() == [pb.RollbackRequest(name="echo", options=pb.WriteOptions(expected_revision=4))]


@pytest.mark.parametrize(
    ("method", "args"),
    [("SetWeights", ["set-weight", "x", "a=1"]), ("Abort", ["abort", "x"]), ("Rollback", ["rollback", "x"])],
)
def test_changes_as_json(
    api: AdminApi, ask: Run, shifted: pb.ChangeResponse, method: str, args: list[str]
) -> None:
    """A change has the form of `get -o json`, and `changed`; warnings stay on stderr."""
    api.answers[method] = shifted

    data = json.loads(ask(*args, "-o", "json").stdout)

    assert (data["changed"], data["name"], data["revision"]) == (True, "summarization", 3)
    assert data["weights"] == {"main": 79.5, "a": 20, "b": 0.5}
