"""One server and one browser for all that operators do in one."""

from collections.abc import Iterator

import pytest

from tests.console.desk import SCREEN, Desk
from tests.site import browser
from tests.site.web import serving


@pytest.fixture(scope="package")
def front_door(django_db_setup: None) -> Iterator[str]:
    with serving("uvicorn") as port:
        yield f"http://127.0.0.1:{port}"


@pytest.fixture(scope="package")
def one_browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Phone]:
    with browser.tabs(tmp_path_factory.mktemp("desk"), SCREEN) as [page]:
        yield page


@pytest.fixture
def desk(transactional_db: None, front_door: str, one_browser: browser.Phone) -> Iterator[Desk]:
    """Whose operator has not sat down yet. Nothing on its pages may complain."""
    desk = Desk(one_browser, front_door)
    yield desk
    assert one_browser.complaints == []
    desk.leaves()
