"""The pages as a person's browser draws them: headless Chromium where the machine has one (Debian: chromium)."""

import shutil
import subprocess

import pytest

from live import sharing
from tests import factories
from tests.site.web import serving

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-headless-shell")
QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
OFFLINE = ["--disable-background-networking", "--disable-component-update", "--virtual-time-budget=8000"]

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def address():
    with serving("uvicorn") as port:
        yield f"http://127.0.0.1:{port}"


def drawn(url, tmp_path):
    """The page's elements after its scripts have run."""
    command = [CHROMIUM, *QUIET, *OFFLINE, f"--user-data-dir={tmp_path}", "--dump-dom", url]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=True).stdout


def test_the_status_page_says_what_answers_and_leads_on(address, tmp_path):
    page = drawn(f"{address}/", tmp_path)
    assert "数据库" in page
    assert 'href="/api/docs"' in page
    assert 'href="/admin/"' in page


def test_the_reference_is_drawn_from_local_files_alone(address, tmp_path):
    page = drawn(f"{address}/api/docs", tmp_path)
    assert 'id="operations-tag-live"' in page
    assert "https://" not in page.split("<body>")[0]


def test_a_shared_room_shows_its_title_as_text(address, tmp_path):
    room = factories.live(title="<b>来听</b>我唱歌")
    page = drawn(sharing.address(room, address), tmp_path)
    assert "&lt;b&gt;来听&lt;/b&gt;我唱歌" in page
    assert "正在直播" in page
