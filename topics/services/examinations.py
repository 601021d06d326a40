"""What was found out about the file of a subject, after it was posted (D38)."""

from typing import Any

from heihei_site.api.wire import clock
from heihei_site.realtime.publish import telling
from topics.models import Subject
from topics.services import showing
from users.events import Tip
from users.services import tips

PURPOSE = "subject:"


def learn(sender: object, *, used_by: str, accepted: bool, seconds: float | None, **_: Any) -> None:
    """The length is what was measured; what is not accepted is seen by nobody any more, and its author is told once."""
    if not used_by.startswith(PURPOSE):
        return
    subject_id = int(used_by.removeprefix(PURPOSE))
    if accepted:
        if seconds is not None:
            Subject.objects.filter(pk=subject_id).update(length=max(round(seconds), 1))
        return
    with telling():
        if showing.refuse(subject_id):
            subject = Subject.objects.select_related("creator").get(pk=subject_id)
            tips.show([subject.creator], _refusal(subject))


def _refusal(subject: Subject) -> Tip:
    return {
        "type": "alert",
        "title": "声音无法播放",
        "desc": f"您在{clock(subject.created_at)[:16]}发布的声音无法播放，已被移除，请重新录制。",
        "jump": "",
        "timeout": 0,
        "image": "",
        "buttons": [{"title": "知道了", "action": "", "jump": ""}],
    }
