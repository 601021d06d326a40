"""The map of addresses that init hands out, made from what is registered (D41): what does not exist is not in it."""

from collections import defaultdict

from heihei_site.api.callbacks import Callbacks
from heihei_site.api.endpoints import Endpoints
from heihei_site.system.models import Page, page_path

SOCKET_PATH = "ws/channel"
PAGES = (
    ("aboutus", "socialPact", Page.Slug.SOCIAL_PACT),
    ("aboutus", "serviceTerms", Page.Slug.SERVICE_TERMS),
    ("aboutus", "contactUs", Page.Slug.CONTACT_US),
    ("payment", "payAgreement", Page.Slug.PAY_AGREEMENT),
)


def addresses(base_url: str) -> defaultdict[str, dict[str, str]]:
    """group -> key -> absolute address without a query; an unknown group is empty."""
    book: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for endpoint in Endpoints.registry:
        if endpoint.is_for_phones:
            book[endpoint.group][endpoint.key] = f"{base_url}/api/{endpoint.path}"
    for callback in Callbacks.registry:
        book[callback.group][callback.key] = f"{base_url}/api/{callback.path}"
    for group, key, slug in PAGES:
        book[group][key] = f"{base_url}{page_path(slug)}"
    book["message"]["channel"] = f"{base_url.replace('http', 'ws', 1)}/{SOCKET_PATH}"
    return book
