"""Weibo (微博开放平台: oauth2/get_token_info)."""

from typing import ClassVar

import httpx
from django.conf import settings

from heihei_site.api.errors import IdentityUnreachable, OpenIdInvalid, WeiboTokenInvalid
from heihei_site.providers.identity.base import Account
from heihei_site.providers.identity.calls import ask

# Their own trouble, or too many calls of ours; every other error is the token's.
BUSY = {10001, 10002, 10009, 10010, 10011, 10022, 10023, 10024}


class WeiboIdentity:
    """A uid is the same for every app, so the token must have been given to ours: a token that another app got from
    its users would open their accounts here."""

    development_only: ClassVar[bool] = False
    needs: ClassVar = ("WEIBO_APP_KEY",)

    def account(self, *, token: str, open_id: str, union_id: str) -> Account:
        url = f"{settings.WEIBO_API}/oauth2/get_token_info"
        [said] = ask(httpx.Request("POST", url, data={"access_token": token}))
        if said.get("error_code") in BUSY:
            raise IdentityUnreachable
        if "error_code" in said or "error" in said:
            raise WeiboTokenInvalid
        if "uid" not in said or "appkey" not in said:
            raise IdentityUnreachable
        if str(said["appkey"]) != settings.WEIBO_APP_KEY or not _seconds_left(said.get("expire_in")):
            raise WeiboTokenInvalid
        if str(said["uid"]) != open_id:
            raise OpenIdInvalid
        return Account("Weibo", open_id)


def _seconds_left(told: object) -> bool:
    """Whether the time-to-live, a number or its text, is still one."""
    return str(told).isdecimal() and int(str(told)) > 0
