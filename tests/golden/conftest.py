import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="write the golden files of the tests that run (tests/golden -k elman); review the diff",
    )


@pytest.fixture
def update_golden(request: pytest.FixtureRequest) -> bool:
    # The option is there only where this directory is named on the command line: never by accident.
    return bool(request.config.getoption("--update-golden", default=False))
