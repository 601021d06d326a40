"""`/metrics`: the numbers of this process, and of all pushes and jobs, for Prometheus, and for nobody outside."""

from ipaddress import IPv6Address, ip_address

from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from heihei_site.realtime import metrics as _sockets  # noqa: F401  (declares them)
from heihei_site.system import queues as _jobs  # noqa: F401  (likewise)
from messages import metrics as _pushes  # noqa: F401  (likewise)


@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """404 unless asked directly, from this machine or a private network: what came through a proxy may come from
    anywhere, whoever the proxy says it was."""
    if request.headers.get("X-Forwarded-For") or request.headers.get("Forwarded") or not _is_near(request):
        raise Http404
    return HttpResponse(generate_latest(), content_type=CONTENT_TYPE_PLAIN_0_0_4)


def _is_near(request: HttpRequest) -> bool:
    try:
        address = ip_address(request.META.get("REMOTE_ADDR", ""))
    except ValueError:
        return False
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_private
