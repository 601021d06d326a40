"""WeChat (微信开放平台: sns/auth, sns/userinfo)."""

from typing import ClassVar

import httpx
from django.conf import settings

from heihei_site.api.errors import IdentityUnreachable, OpenIdInvalid, WeiboTokenInvalid
from heihei_site.providers.identity.base import Account
from heihei_site.providers.identity.calls import ask

BUSY = {-1, 45009, 45011}  # their own trouble, or too many calls of ours
WRONG_OPEN_ID = {40003, 41009}


class WechatIdentity:
    """A token of another app never names anybody here: there the same person has another openid, and other
    developers see another unionid."""

    development_only: ClassVar[bool] = False

    def account(self, *, token: str, open_id: str, union_id: str) -> Account:
        said = {"access_token": token, "openid": open_id}
        valid, person = ask(
            httpx.Request("GET", f"{settings.WECHAT_API}/sns/auth", params=said),
            httpx.Request("GET", f"{settings.WECHAT_API}/sns/userinfo", params={**said, "lang": "zh_CN"}),
        )
        if "errcode" not in valid:
            raise IdentityUnreachable
        for answer in (valid, person):
            self._check(answer.get("errcode", 0))
        if person.get("openid") != open_id:
            raise OpenIdInvalid
        known = str(person.get("unionid") or "")
        if union_id and known and union_id != known:
            raise OpenIdInvalid
        return Account("Wechat", open_id, known)

    @staticmethod
    def _check(errcode: object) -> None:
        if errcode == 0:
            return
        if errcode in BUSY:
            raise IdentityUnreachable
        raise OpenIdInvalid if errcode in WRONG_OPEN_ID else WeiboTokenInvalid
