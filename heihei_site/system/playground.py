"""`/playground`: the whole system in a browser, one person a tab. For development; elsewhere there is no such page.

It uses the API and the socket like any client. What a phone cannot know, the code of an SMS that went nowhere, and what
it would have to pay for, are two addresses of its own.
"""

import uuid
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from heihei_site.providers import outbox
from payment import ledger
from payment.models import Currency
from users import auth

GOLD = 1000  # a gift from the house, each time the button is pressed

View = Callable[[HttpRequest], HttpResponse]


def development_only(view: View) -> View:
    @wraps(view)
    def guarded(request: HttpRequest) -> HttpResponse:
        if not settings.DEVELOPMENT:
            raise Http404
        return view(request)

    return guarded


@development_only
@never_cache
def page(request: HttpRequest) -> HttpResponse:
    return render(request, "system/playground.html")


@development_only
@never_cache
def code(request: HttpRequest) -> HttpResponse:
    """The newest code that would have been sent to `phoneNo`; empty where none was."""
    phone = request.GET.get("phoneNo", "")
    codes = [sms["code"] for sms in outbox.lines("sms") if phone and sms["phone"] == phone]
    return JsonResponse({"code": codes[-1] if codes else ""})


@csrf_exempt  # another site would have to know the token
@development_only
@require_POST
def gold(request: HttpRequest) -> HttpResponse:
    """Gives GOLD to whose `token` it is. Each time again: nobody repeats this by accident."""
    session = auth.find_session(request.POST.get("token", ""))
    if session is None:
        raise Http404
    house = ledger.house("grants", Currency.GOLD)
    legs = [ledger.Leg(ledger.gold(session.user_id), GOLD), ledger.Leg(house, -GOLD)]
    ledger.post(key=f"playground:{uuid.uuid4().hex}", reason="grant", legs=legs)
    return JsonResponse({"gold": ledger.balances(session.user_id).gold})
