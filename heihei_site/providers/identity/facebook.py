"""Facebook (Graph API: debug_token), behind the button that the apps call Weibo.

The 1.1 app signs in with Facebook there and sends its token as Weibo's. The two number their people independently, so
an account of the one is never taken for one of the other: it is known here by its own source.
"""

from typing import ClassVar

import httpx
from django.conf import settings

from heihei_site.api.errors import IdentityUnreachable, OpenIdInvalid, WeiboTokenInvalid
from heihei_site.providers.identity.base import Account
from heihei_site.providers.identity.calls import ask
from heihei_site.providers.identity.weibo import WeiboIdentity

FIRST_LETTERS = "EAA"  # of every token of a person there, and of none of Weibo's
BUSY = {1, 2, 4, 17, 341}  # their own trouble, or too many calls of ours


class WeiboOrFacebook:
    """Each vendor gets to see its own tokens only."""

    development_only: ClassVar[bool] = False
    needs: ClassVar = (*WeiboIdentity.needs, "FACEBOOK_APP_ID", "FACEBOOK_APP_SECRET")

    def account(self, *, token: str, open_id: str, union_id: str) -> Account:
        if token.startswith(FIRST_LETTERS):
            return _of_facebook(token, open_id)
        return WeiboIdentity().account(token=token, open_id=open_id, union_id=union_id)


def _of_facebook(token: str, open_id: str) -> Account:
    """The token must have been given to our app: any other app could else open its users' accounts here."""
    ours = f"{settings.FACEBOOK_APP_ID}|{settings.FACEBOOK_APP_SECRET}"
    said = {"input_token": token, "access_token": ours}
    [answer] = ask(httpx.Request("GET", f"{settings.FACEBOOK_API}/debug_token", params=said))
    error, told = answer.get("error"), answer.get("data")
    if isinstance(error, dict):
        raise IdentityUnreachable if error.get("code") in BUSY else WeiboTokenInvalid
    if not isinstance(told, dict):
        raise IdentityUnreachable
    if told.get("is_valid") is not True or str(told.get("app_id")) != settings.FACEBOOK_APP_ID:
        raise WeiboTokenInvalid
    if str(told.get("user_id")) != open_id:
        raise OpenIdInvalid
    return Account("Facebook", open_id)
