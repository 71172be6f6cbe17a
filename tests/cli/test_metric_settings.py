"""Sources of metrics in a server's configuration."""

from pathlib import Path

import pytest

from xds.cli.config import read_config
from xds.cli.failures import Faulty


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration file."""
    return tmp_path / "canary.yaml"


def test_a_prometheus_with_a_preset_and_queries(config: Path) -> None:
    """What is said stands over the preset; a password isn't in the name."""
    config.write_text(
        "metric_sources:\n- prometheus: http://me:secret@prometheus:9090/\n  preset: vllm\n"
        "  selector: model=\"{build}\"\n  queries: {queue_length: 'sum(q{selector})', gpu: avg(g)}\n",
        encoding="utf-8",
    )

    (source,) = read_config(str(config)).metric_sources

    queries = source.all_queries()
    assert source.name == "prometheus: http://prometheus:9090"
    assert (queries["queue_length"], queries["gpu"]) == ('sum(q{model="{build}"})', "avg(g)")
    assert 'vllm:time_to_first_token_seconds_bucket{model="{build}"}' in queries["time_to_first_token_p99"]


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        ("metric_sources: 3\n", 1, "is no list"),
        ("metric_sources:\n- prometheus\n", 2, "is no mapping"),
        ("metric_sources:\n- preset: vllm\n", 2, "prometheus"),
        ("metric_sources:\n- prometheus: nowhere\n  preset: vllm\n", 2, "is no URL"),
        ("metric_sources:\n- prometheus: http://p\n", 2, "asks nothing"),
        ("metric_sources:\n- prometheus: http://p\n  preset: vlm\n", 3, "vllm"),
        ("metric_sources:\n- prometheus: http://p\n  queries: {A b: x}\n", 3, "no name of a metric"),
        ("metric_sources:\n- prometheus: http://p\n  queries: {a: 'x{bild}'}\n", 3, "there is no {bild}"),
        ("metric_sources:\n- prometheus: http://p\n  preset: tgi\n  quries: {}\n", 4, "quries"),
        (
            "metric_sources:\n- {prometheus: http://p, preset: tgi}\n- {prometheus: http://p, preset: tgi}\n",
            3,
            "is the same as",
        ),
    ],
)
def test_a_wrong_one_is_a_line(config: Path, text: str, line: int, says: str) -> None:
    """With its number, and what to write instead."""
    config.write_text(text, encoding="utf-8")

    with pytest.raises(Faulty) as raised:
        read_config(str(config))

    said = str(raised.value)
    assert said.startswith(f"{config}:{line}:"), said
    assert says in said
