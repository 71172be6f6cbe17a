"""`canary get`, `list` and `history`: tables to read, JSON for scripts, a file to apply again."""

import json

import yaml

from tests.cli.fake_admin import AdminApi, Run, only_main, revision
from xds.spec.read import read
from xds.spec.write import from_json
from xds.stubs import canary_admin_v1_pb2 as pb


def test_get_shows_everything_about_a_deployment(
    api: AdminApi, ask: Run, summarization: pb.Deployment
) -> None:
    """The table of one deployment: who gets what, where it runs, and who refuses it."""
    api.answers["Get"] = summarization

    result = ask("get", "summarization")

    assert result.stdout == (
        "Deployment   summarization\n"
        "Revision     3 (set-weights by ada, 2026-11-22 10:03:05Z: comment 3)\n"
        "Envoys       1/2 in sync\n"
        "Rejected     edge-2: Cluster summarization_3: no such file\n"
        "Limited      edge-1 (Envoy 1.35.0): everyone gets main\n"
        "\n"
        "VERSION   WEIGHT   NOW    BUILD                CLUSTER           ENDPOINTS\n"
        "main      79.5 %   80 %   summarization:xq4d   summarization_1   10.0.0.10:3000, [fd00::1]:3000\n"
        "a         20 %     20 %   summarization:t226   summarization_2   10.0.0.11:3000\n"
        "b         0.5 %    0 %    summarization@b      summarization_3   waiting for endpoints\n"
    )
    assert api.requests == [pb.GetRequest(name="summarization")]


def test_get_as_json_has_what_scripts_rely_on(api: AdminApi, ask: Run, summarization: pb.Deployment) -> None:
    """`name`, `revision` and `weights` are on top; versions keep the deployment's order."""
    api.answers["Get"] = summarization

    data = json.loads(ask("get", "summarization", "-o", "json").stdout)

    assert list(data["versions"]) == ["main", "a", "b"]
    assert data == {
        "name": "summarization",
        "revision": 3,
        "weights": {"main": 79.5, "a": 20, "b": 0.5},
        "versions": {
            "main": {
                "build": "summarization:xq4d",
                "cluster": "summarization_1",
                "weight": 79.5,
                "effective_weight": 80,
                "endpoints": ["10.0.0.10:3000", "[fd00::1]:3000"],
                "known_endpoints": 2,
                "min_endpoints": 1,
                "waiting": False,
                "unhealthy": None,
            },
            "a": {
                "build": "summarization:t226",
                "cluster": "summarization_2",
                "weight": 20,
                "effective_weight": 20,
                "endpoints": ["10.0.0.11:3000"],
                "known_endpoints": 2,
                "min_endpoints": 1,
                "waiting": False,
                "unhealthy": None,
            },
            "b": {
                "build": "summarization@b",
                "cluster": "summarization_3",
                "weight": 0.5,
                "effective_weight": 0,
                "endpoints": [],
                "known_endpoints": 0,
                "min_endpoints": 1,
                "waiting": True,
                "unhealthy": None,
            },
        },
        "change": {
            "kind": "set-weights",
            "source": None,
            "author": "ada",
            "comment": "comment 3",
            "created_at": "2026-11-22T10:03:05Z",
        },
        "envoys": {
            "connected": 2,
            "in_sync": 1,
            "rejections": ["edge-2: Cluster summarization_3: no such file"],
            "limited": ["edge-1 (Envoy 1.35.0): everyone gets main"],
        },
        "notes": [],
        "deleted": False,
        "spec": json.loads(summarization.spec_json),
    }


def test_get_as_yaml_is_the_deployment_file(api: AdminApi, ask: Run, summarization: pb.Deployment) -> None:
    """What is printed is a file in its usual order, ready to be applied."""
    api.answers["Get"] = summarization

    result = ask("get", "summarization", "-o", "yaml")

    assert result.stdout == (
        "name: summarization\n"
        "bento: summarization:xq4d\n"
        "timeout: 30s\n"
        "canary:\n"
        "  route_type: header\n"
        "  route_by: X-User-ID\n"
        "  versions:\n"
        "    a:\n"
        "      bento: summarization:t226\n"
        "      weight: 20\n"
        "    b:\n"
        "      weight: 0.5\n"
    )


def test_the_file_says_what_is_in_force(api: AdminApi, ask: Run, summarization: pb.Deployment) -> None:
    """Read again, it is the deployment that was printed: applied, it changes nothing."""
    api.answers["Get"] = summarization

    reading = read([("printed", ask("get", "summarization", "-o", "yaml").stdout)])

    assert reading.faults == ()
    assert [each.deployment for each in reading.documents] == [from_json(summarization.spec_json)]
    assert [dict(each.endpoints) for each in reading.documents] == [{}]


def test_list_has_a_line_for_each_deployment(api: AdminApi, ask: Run, summarization: pb.Deployment) -> None:
    """The table of all deployments names what needs attention."""
    api.answers["List"] = pb.ListResponse(deployments=[only_main(), summarization])

    result = ask("list")

    assert result.stdout == (
        "NAME            REVISION   SPLIT                          CHANGE        ENVOYS   NOTES\n"
        "echo            1          main 100 %                     apply         0/0\n"
        "summarization   3          main 79.5 %, a 20 %, b 0.5 %   set-weights   1/2      "
        "b waits for endpoints, main serves its share; 1 rejected by Envoy; limited on 1 Envoy\n"
    )


def test_list_tells_of_a_deployment_that_no_gateway_serves(api: AdminApi, ask: Run) -> None:
    """The server's notes are among its notes."""
    unserved = only_main()
    unserved.notes.append("no gateway serves it (its gateways: edge)")
    api.answers["List"] = pb.ListResponse(deployments=[unserved])

    assert ask("list").stdout.splitlines()[1].endswith("no gateway serves it (its gateways: edge)")


def test_get_tells_of_a_deployment_that_no_gateway_serves(api: AdminApi, ask: Run) -> None:
    """Among its facts."""
    unserved = only_main()
    unserved.notes.append("no gateway serves it (its gateways: edge)")
    api.answers["Get"] = unserved

    assert "Note         no gateway serves it (its gateways: edge)\n" in ask("get", "echo").stdout


def test_get_without_a_name_lists(api: AdminApi, ask: Run) -> None:
    """`canary get` is `canary list`."""
    api.answers["List"] = pb.ListResponse(deployments=[only_main()])

    assert ask("get").stdout == ask("list").stdout


def test_list_as_json_is_a_list(api: AdminApi, ask: Run) -> None:
    """Each entry has the form of `get -o json`."""
    api.answers["List"] = pb.ListResponse(deployments=[only_main()])
    api.answers["Get"] = only_main()

    listed = json.loads(ask("list", "-o", "json").stdout)

    assert listed == [json.loads(ask("get", "echo", "-o", "json").stdout)]


def test_list_as_yaml_is_a_file_of_several_documents(
    api: AdminApi, ask: Run, summarization: pb.Deployment
) -> None:
    """All deployments fit into one file."""
    api.answers["List"] = pb.ListResponse(deployments=[only_main(), summarization])

    documents = list(yaml.safe_load_all(ask("list", "-o", "yaml").stdout))

    assert [document["name"] for document in documents] == ["echo", "summarization"]


def test_no_deployment_is_no_error(api: AdminApi, ask: Run) -> None:
    """An empty server leaves stdout empty, and says on stderr what to do."""
    api.answers["List"] = pb.ListResponse()

    result = ask("list")

    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr == "no deployments yet (canary apply -f FILE makes one)\n"


def test_history_is_a_table_of_revisions(api: AdminApi, ask: Run) -> None:
    """Newest first, `main` before the canaries, and what a rollback returned to."""
    past = [revision(3, "rollback", source=1, main=100, b=0, a=0), revision(1, "apply", a=20, main=80)]
    past[1].not_returnable = "a: 0 endpoints"
    api.answers["ListRevisions"] = pb.ListRevisionsResponse(revisions=past)

    result = ask("history", "summarization", "-o", "wide")

    assert result.stdout == (
        "REVISION   CHANGE          WHEN                   BY    SPLIT                      "
        "CAN RETURN       COMMENT\n"
        "3          rollback to 1   2026-11-22 10:03:05Z   ada   main 100 %, a 0 %, b 0 %   "
        "yes              comment 3\n"
        "1          apply           2026-11-22 10:01:05Z   ada   main 80 %, a 20 %          "
        "a: 0 endpoints   comment 1\n"
    )


def test_history_as_json(api: AdminApi, ask: Run) -> None:
    """A revision's data, with `weights` as in `get`."""
    api.answers["ListRevisions"] = pb.ListRevisionsResponse(
        revisions=[revision(2, "rollback", 1, a=20, main=80)]
    )

    assert json.loads(ask("history", "summarization", "-o", "json").stdout) == [
        {
            "revision": 2,
            "weights": {"main": 80, "a": 20},
            "kind": "rollback",
            "source": 1,
            "author": "ada",
            "comment": "comment 2",
            "created_at": "2026-11-22T10:02:05Z",
            "can_return": True,
            "why_not": None,
        }
    ]


def test_a_comment_cannot_break_the_table(api: AdminApi, ask: Run) -> None:
    """Line breaks, escape sequences and markup of whoever wrote a comment are only text."""
    made = revision(1, "apply", main=100)
    made.comment = "two\nlines \x1b[31mred [bold]:smile:"
    api.answers["ListRevisions"] = pb.ListRevisionsResponse(revisions=[made])

    result = ask("history", "x")

    assert result.stdout.splitlines()[1].endswith("two lines \N{REPLACEMENT CHARACTER}[31mred [bold]:smile:")


def test_a_pipe_gets_whole_lines(api: AdminApi, ask: Run) -> None:
    """However long a cell is, and however narrow the terminal was, nothing is cut or wrapped in a pipe."""
    long = only_main()
    long.versions[0].endpoints[:] = [f"10.0.0.{host}:3000" for host in range(100)]
    api.answers["Get"] = long

    result = ask("get", "echo", COLUMNS="40")

    assert result.stdout.splitlines()[-1].endswith("10.0.0.98:3000, 10.0.0.99:3000")


def test_a_terminal_gets_headings_in_bold(api: AdminApi, ask: Run) -> None:
    """Where escape sequences are understood they are used."""
    api.answers["List"] = pb.ListResponse(deployments=[only_main()])

    assert "\x1b[1m" in ask("list", FORCE_COLOR="1", COLUMNS="120").stdout


def test_no_color_means_no_escape_sequences(api: AdminApi, ask: Run) -> None:
    """NO_COLOR wins over a terminal."""
    api.answers["List"] = pb.ListResponse(deployments=[only_main()])

    assert "\x1b" not in ask("list", FORCE_COLOR="1", NO_COLOR="1", COLUMNS="120").stdout
