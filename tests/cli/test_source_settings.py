"""Sources of endpoints in a server's configuration."""

from pathlib import Path

import pytest

from xds.cli.config import read_config
from xds.cli.failures import Faulty


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration file."""
    return tmp_path / "canary.yaml"


def test_sources_stand_beside_gateways(config: Path) -> None:
    """In the same file."""
    config.write_text("log_level: error\nendpoint_sources:\n- file_sd: targets/*.json\n", encoding="utf-8")
    read = read_config(str(config))
    assert [source.name for source in read.endpoint_sources] == ["file_sd: targets/*.json"]
    assert read.settings == {"log_level": "error"}


def test_a_wrong_one_is_a_line(config: Path) -> None:
    """With its number, as everything in the file."""
    config.write_text("endpoint_sources:\n- http_sd: nowhere\n- file_sd: x\n  bild: s:1\n", encoding="utf-8")
    with pytest.raises(Faulty) as raised:
        read_config(str(config))
    assert [line.removeprefix(str(config)).split(": ")[:2] for line in str(raised.value).splitlines()] == [
        [":2", "endpoint_sources[0].http_sd"],
        [":4", "endpoint_sources[1].bild"],
    ]
