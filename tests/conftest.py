"""Options and profiles that every test shares."""

import hypothesis
import pytest

hypothesis.settings.register_profile("quick", deadline=None, database=None, max_examples=60)
hypothesis.settings.register_profile("long", deadline=None, database=None, max_examples=2000)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--long`: the long profile."""
    parser.addoption("--long", action="store_true", help="more examples, more kills; takes its time")


def pytest_configure(config: pytest.Config) -> None:
    """Set how many examples a property is tried with."""
    hypothesis.settings.load_profile("long" if config.getoption("--long") else "quick")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long tests out unless asked for."""
    if not config.getoption("--long"):
        for item in items:
            if item.get_closest_marker("long"):
                item.add_marker(pytest.mark.skip(reason="part of the long profile: make test-long"))
