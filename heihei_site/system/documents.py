"""The pages the apps link to: community pact, terms of service, contact, recharge agreement. `texts/` has the wording a
new installation opens with; a row of Page replaces it."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path

from django.http import Http404, HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.views.decorators.http import condition, require_safe

from heihei_site.postgres.kept import Kept
from heihei_site.system import markup
from heihei_site.system.models import Page

TEXTS = Path(__file__).parent / "texts"
GOOD_FOR = 300  # seconds a browser may show it without asking again
NO_SCRIPTS = "default-src 'none'; style-src 'self'; frame-ancestors 'none'"  # whatever a text may contain


@dataclass(frozen=True)
class Document:
    html: str
    etag: str


@cache
def first_text(slug: str) -> str:
    return (TEXTS / f"{slug}.txt").read_text()


def first_wording(slug: str) -> Page:
    return Page(slug=slug, title=Page.Slug(slug).label, text=first_text(slug))


@Kept
def documents() -> dict[str, Document]:
    """By slug, drawn in full."""
    pages = {slug: first_wording(slug) for slug in Page.Slug.values}
    pages |= {page.slug: page for page in Page.objects.all() if page.slug in pages}
    return {
        slug: _drawn(page, [other for other in pages.values() if other is not page]) for slug, page in pages.items()
    }


def _drawn(page: Page, others: list[Page]) -> Document:
    given = {"page": page, "body": markup.html(page.text), "others": others}
    html = render_to_string("system/document.html", given)
    return Document(html, f'"{sha256(html.encode()).hexdigest()[:32]}"')


def _etag(request: HttpRequest, slug: str) -> str | None:
    document = documents().get(slug)
    return document.etag if document else None


@require_safe
@condition(etag_func=_etag)
def document(request: HttpRequest, slug: str) -> HttpResponse:
    """`/static/app/<slug>.html`."""
    found = documents().get(slug)
    if found is None:
        raise Http404
    headers = {"Cache-Control": f"public, max-age={GOOD_FOR}", "Content-Security-Policy": NO_SCRIPTS}
    return HttpResponse(found.html, headers=headers)


def seed_pages() -> None:
    """The pages that are missing; what operators wrote, they keep."""
    pages = [first_wording(slug) for slug in Page.Slug.values]
    for page in pages:
        page.effective_on = None if page.slug == Page.Slug.CONTACT_US else timezone.localdate()
    Page.objects.bulk_create(pages, ignore_conflicts=True)
