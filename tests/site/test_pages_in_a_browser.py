"""The pages as a person's browser draws them: headless Chromium where the machine has one (Debian: chromium)."""

import subprocess

import pytest
from django.db.models.functions import Now

from heihei_site.system import documents
from heihei_site.system.models import Page
from live import sharing
from live.models import Live
from tests import factories
from tests.site import browser
from tests.site.web import serving

QUIET = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
OFFLINE = ["--disable-background-networking", "--disable-component-update", "--virtual-time-budget=8000"]

pytestmark = [
    browser.needs_browser,
    pytest.mark.django_db(transaction=True),
]


@pytest.fixture
def address():
    with serving("uvicorn") as port:
        yield f"http://127.0.0.1:{port}"


def drawn(url, tmp_path):
    """The page's elements after its scripts have run."""
    command = [str(browser.CHROMIUM), *QUIET, *OFFLINE, f"--user-data-dir={tmp_path}", "--dump-dom", url]
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


@pytest.fixture
def phone(tmp_path):
    with browser.phone(tmp_path) as opened:
        yield opened


def test_the_pages_of_the_app_fit_a_phone_and_run_no_script(address, phone):
    """Whatever operators paste: nothing sticks out to the side, nothing is run, nothing is fetched from elsewhere."""
    evil = "<script>document.title='x'</script><img src=https://a.example/x onerror=\"document.title='x'\">"
    for slug in Page.Slug.values:
        text = f"{documents.first_text(slug)}\n\n{evil}\n\n{'长' * 99}{'x' * 99}"
        Page.objects.create(slug=slug, title="标题", text=text)
    for slug in Page.Slug.values:
        phone.open(f"{address}/static/app/{slug}.html")
        assert phone.ask("document.title") == "标题 · 黑黑"
        assert phone.ask("[innerWidth, document.documentElement.scrollWidth]") == [390, 390]
        assert phone.ask("document.querySelectorAll('article script, article img').length") == 0
        assert phone.ask("getComputedStyle(document.querySelector('main')).paddingLeft") == "20px"  # it has its style
        assert phone.ask("parseFloat(getComputedStyle(document.querySelector('article p')).fontSize)") >= 16
        assert phone.ask("performance.getEntriesByType('resource').map(each => each.name)") == [
            f"{address}/static/system/document.css"
        ]
    assert phone.complaints == []


def test_one_page_leads_to_the_others(address, phone):
    phone.open(f"{address}/static/app/contact-us.html")
    links = phone.ask("[...document.querySelectorAll('nav a')].map(each => each.href)")
    assert len(links) == 3
    for link in links:
        phone.open(link)
        assert phone.ask("document.querySelector('h1').textContent")


def test_who_follows_a_link_too_early_sees_the_live_begin(address, phone):
    room = factories.live(title="雨夜电台", status=Live.Status.TO_START)
    phone.open(sharing.address(room, address))
    assert phone.ask("document.body.dataset.phase") == "waiting"
    assert phone.ask("document.getElementById('player').hidden")
    Live.objects.update(status=Live.Status.PLAYING, started_at=Now())
    phone.sees("document.body.dataset.phase === 'live'", 30, "it begins without a tap")
    assert not phone.ask("document.getElementById('player').hidden")
    for width in (320, 360, 768, 1024):
        phone.screen(width=width)
        assert phone.ask("[innerWidth, document.documentElement.scrollWidth]") == [width, width]
    assert phone.complaints == []


def test_a_shared_room_shows_its_title_as_text(address, tmp_path):
    room = factories.live(title="<b>来听</b>我唱歌")
    page = drawn(sharing.address(room, address), tmp_path)
    assert "&lt;b&gt;来听&lt;/b&gt;我唱歌" in page
    assert "正在直播" in page
