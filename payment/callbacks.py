"""Where gateways tell us that somebody has paid (D36, D44). Nothing is settled here: what came is verified and kept,
and a job does the rest. Each is answered in the gateway's own way; whoever is not believed is told so."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse

from heihei_site.api.callbacks import Callbacks
from heihei_site.providers import registry
from heihei_site.providers.gateways.base import Forged, Notice, TradeState
from payment.order_models import Channel, Notification
from payment.services.notifications import Heard, forged, heard_of_purchase, heard_of_trade

callback = Callbacks("payment")

STORE_SAYS = {
    "ONE_TIME_CHARGE": TradeState.PAID,
    "REFUND": TradeState.REFUNDED,
    "REVOKE": TradeState.REFUNDED,
    "REFUND_REVERSED": TradeState.REVERSED,
}


def heard_from(request: HttpRequest, channel: Channel) -> Heard:
    """One byte more than we keep of a body says that it is too long."""
    body = request.read(settings.NOTIFICATION_BYTES + 1)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Heard(channel, Notification.Source.CALLBACK, Notice(headers, body), request.META.get("REMOTE_ADDR") or None)


def trade_accepted(heard: Heard) -> bool:
    if len(heard.notice.body) > settings.NOTIFICATION_BYTES:
        forged(heard, "too long")
        return False
    try:
        trade = registry.gateway(heard.channel).read(heard.notice)
    except Forged as error:
        forged(heard, str(error))
        return False
    return heard_of_trade(heard, trade)


@callback
def alipaycallback(request: HttpRequest) -> HttpResponse:
    """Alipay's asynchronous notification: a signed form. `success` where it is believed and kept, else `failure`, after
    which Alipay sends it again for a day."""
    believed = trade_accepted(heard_from(request, Channel.ALIPAY))
    return HttpResponse("success" if believed else "failure", content_type="text/plain")


@callback
def wepaycallback(request: HttpRequest) -> HttpResponse:
    """WeChat Pay's notification (API v3): signed headers, sealed JSON. 200 with code SUCCESS where it is believed and
    kept, else 401 with code FAIL, after which WeChat sends it again."""
    if trade_accepted(heard_from(request, Channel.WECHAT)):
        return JsonResponse({"code": "SUCCESS", "message": "成功"}, json_dumps_params={"ensure_ascii": False})
    return JsonResponse({"code": "FAIL", "message": "验证失败"}, status=401, json_dumps_params={"ensure_ascii": False})


@callback
def applecallback(request: HttpRequest) -> HttpResponse:
    """App Store server notifications, version 2. 200 where it is believed and kept, else 401, after which Apple sends
    it again."""
    heard = heard_from(request, Channel.IAP)
    try:
        if len(heard.notice.body) > settings.NOTIFICATION_BYTES:
            raise Forged("too long")
        news = registry.app_store().read_news(heard.notice)
    except Forged as error:
        forged(heard, str(error))
        return HttpResponse(status=401)
    deed = STORE_SAYS.get(news.deed)
    if deed is None or news.purchase is None:  # subscriptions, tests
        return HttpResponse(status=200)
    believed = heard_of_purchase(heard, news.purchase, deed=deed, order=None, signed_at=news.signed_at)
    return HttpResponse(status=200 if believed else 401)
