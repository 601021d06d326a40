"""An uploaded picture becomes somebody's avatar (D38)."""

from typing import Any

from heihei_site.realtime.groups import person
from heihei_site.realtime.publish import publish, telling
from heihei_site.uploads import claims
from heihei_site.uploads.claims import Found, Media
from users.events import Tip, TipShown
from users.models import User

USE = "avatar"
REFUSED: Tip = {
    "type": "alert",
    "title": "头像未能更新",
    "desc": "您上传的头像无法识别，请换一张图片",
    "jump": "",
    "timeout": 0,
    "image": "",
    "buttons": [{"title": "知道了", "action": "", "jump": ""}],
}


def find(*, user: User, sign: str) -> Found:
    """FileRefused where it is none of theirs. Asks the storage: not inside a transaction."""
    return claims.find(owner_id=user.pk, sign=sign, media=Media.IMAGE)


def claim(*, user: User, picture: Found) -> str:
    """Its address, which answers as soon as a job has written the picture anew."""
    claims.claim(picture, used_by=f"{USE}:{user.pk}")
    return picture.url


def examined(*, used_by: str, accepted: bool, url: str, **_: Any) -> None:
    """What is no picture is nobody's avatar, and whoever has put it up is told; once, however often this is heard."""
    use, _colon, user_id = used_by.partition(":")
    if use != USE or accepted:
        return
    with telling():
        for user in User.objects.filter(pk=int(user_id), cover_url=url):
            if User.objects.filter(pk=user.pk, cover_url=url).update(cover_url=""):
                publish(TipShown(message=REFUSED), to=person(user))
