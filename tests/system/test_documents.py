"""The pages the apps link to: pact, terms, contact, recharge agreement."""

import re
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from heihei_site.system import documents, markup
from heihei_site.system.models import Page

pytestmark = pytest.mark.django_db
SLUGS = ("social-pact", "service-terms", "contact-us", "pay-agreement")
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>\"'&"


def page(slug: str = "social-pact", **headers: str):
    return Client().get(f"/static/app/{slug}.html", headers=headers)


def content(slug: str = "social-pact") -> str:
    answer = page(slug)
    assert answer.status_code == 200
    return str(answer.content.decode())


def worded(text: str, **fields) -> str:
    """What is shown where an operator wrote this."""
    Page.objects.update_or_create(slug="social-pact", defaults={"title": "社区公约", "text": text, **fields})
    documents.documents.forget()
    return content()


@pytest.mark.parametrize("slug", SLUGS)
def test_a_new_installation_has_something_to_read(slug):
    html = content(slug)
    assert '<html lang="zh-CN">' in html
    assert "width=device-width" in html
    assert f"<h1>{Page.Slug(slug).label}</h1>" in html
    text = re.sub(r"<[^>]+>", "", html)
    assert len(text) > 600
    assert not re.search(r"TODO|Lorem|XX|某某|\*\*|^#", text, re.MULTILINE)
    for other in SLUGS:
        assert (f'href="{other}.html"' in html) == (other != slug)


@pytest.mark.parametrize("slug", SLUGS)
def test_minors_are_protected_in_every_page(slug):
    assert "未成年" in content(slug)


def test_what_an_operator_writes_is_what_people_read():
    html = worded("第一段\n\n## 标题\n\n第二段", title="公约", effective_on=date(2017, 3, 1))
    assert "<p>第一段</p>\n<h2>标题</h2>\n<p>第二段</p>" in html
    assert "<h1>公约</h1>" in html
    assert "生效日期：2017年3月1日" in html


def test_no_text_becomes_a_script():
    html = worded(f"{EVIL}\n\n## {EVIL}\n\n- {EVIL}\n1. {EVIL}\n> {EVIL}\n**{EVIL}**", title=EVIL)
    assert "<script" not in html
    assert "<img" not in html
    assert html.count("&lt;script&gt;") >= 6
    assert page()["Content-Security-Policy"].startswith("default-src 'none'; style-src 'self'")


@pytest.mark.parametrize("slug", ["nothing", "social-pact2", "SOCIAL-PACT", "-"])
def test_there_are_no_other_pages(slug):
    assert page(slug).status_code == 404
    Page.objects.bulk_create([Page(slug="nothing", title="x", text="x")])
    documents.documents.forget()
    assert page("nothing").status_code == 404


def test_files_next_to_them_are_not_shadowed():
    assert Client().get("/static/system/document.css")["Content-Type"].startswith("text/css")


class TestSpeed:
    def test_a_page_that_was_shown_asks_the_database_nothing(self, django_assert_num_queries):
        content()
        with django_assert_num_queries(0):
            content("pay-agreement")

    def test_a_phone_that_has_it_is_not_sent_it_again(self):
        first = page()
        assert first["Cache-Control"] == "public, max-age=300"
        again = page(**{"if-none-match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        worded("anders")
        assert page(**{"if-none-match": first["ETag"]}).status_code == 200

    def test_it_sets_no_cookie_and_takes_no_post(self):
        assert not page().cookies
        assert "Cookie" not in page().get("Vary", "")
        assert Client().post("/static/app/social-pact.html").status_code == 405


class TestSeed:
    def test_operators_find_the_texts_to_edit(self):
        call_command("seed")
        assert {row.slug: row.text for row in Page.objects.all()} == {
            slug: documents.first_text(slug) for slug in SLUGS
        }
        agreed = Page.objects.exclude(slug="contact-us")
        assert {row.effective_on for row in agreed} == {timezone.localdate()}

    def test_what_they_wrote_they_keep(self):
        yesterday = timezone.localdate() - timedelta(days=1)
        Page.objects.create(slug="contact-us", title="找我们", text="在这里", effective_on=yesterday)
        call_command("seed")
        call_command("seed")
        kept = Page.objects.get(slug="contact-us")
        assert (kept.title, kept.text, kept.effective_on) == ("找我们", "在这里", yesterday)
        assert Page.objects.count() == 4


class TestMarks:
    @pytest.mark.parametrize(
        ("text", "html"),
        [
            ("", ""),
            ("一\n二\n\n三", "<p>一<br>二</p>\n<p>三</p>"),
            ("一\r\n\r\n二", "<p>一</p>\n<p>二</p>"),
            ("## 大\n### 小", "<h2>大</h2>\n<h3>小</h3>"),
            ("- a\n- b", "<ul><li>a</li><li>b</li></ul>"),
            ("3. a\n4. b", '<ol><li value="3">a</li><li value="4">b</li></ol>'),
            ("前：\n- a\n后", "<p>前：</p>\n<ul><li>a</li></ul>\n<p>后</p>"),
            ("> 注意\n> 小心", "<aside>注意<br>小心</aside>"),
            ("**重要**的", "<p><strong>重要</strong>的</p>"),
            ("看https://a.example/b?c=d&e=f。", '<p>看<a href="https://a.example/b?c=d&amp;e=f">https://a.example/b?c=d&amp;e=f</a>。</p>'),
            ("写信a.b@c.example！", '<p>写信<a href="mailto:a.b@c.example">a.b@c.example</a>！</p>'),
            ("#无 *星* **开", "<p>#无 *星* **开</p>"),
            ("1.5 倍", "<p>1.5 倍</p>"),
            ("<b>&amp;", "<p>&lt;b&gt;&amp;amp;</p>"),
        ],
    )  # fmt: skip
    def test_a_mark_means_this(self, text, html):
        assert markup.html(text) == html

    @pytest.mark.parametrize(
        "text",
        [
            'https://a.example/"onclick="alert(1)',
            "https://a.example/'><script>",
            "javascript:alert(1)",
            "data:text/html,<script>",
            '**"><script>alert(1)</script>**',
            '"onmouseover=alert(1)"@b.example',
            "[x](javascript:alert(1))",
            "**<b**>**",
            "https://https://a.example/<",
        ],
    )
    def test_nothing_breaks_out_of_it(self, text):
        html = markup.html(text)
        assert set(re.findall(r"<(\w+)", html)) <= {"p", "strong", "a"}
        for attribute in re.findall(r"<\w+ ([^>]*)>", html):
            assert re.fullmatch(r'href="(https?://|mailto:)[^"<>\']*"', attribute)
