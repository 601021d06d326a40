"""An evening of voices: uploaded with credentials, posted, heard, liked, answered, given for, and read about."""

import hashlib
import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from tests.answers import ok
from tests.client import Phone
from tests.modern import ModernPhone
from tests.uploads import samples
from tests.venue import Venue

SAMPLES = "1,2,3,44,5,0"


def call(phone: Phone, group: str, key: str, **said: object) -> dict[str, Any]:
    """As a 2.0 client: at the address that init gives under group and key."""
    addresses = json.loads(fetch("GET", f"{phone.base_url}api/init?ap=heihei&version=2.0.0")[1])
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode({"token": phone.user.token, **said}).encode()
    return dict(json.loads(fetch("POST", addresses[group][key], body, form)[1]))


def ask(phone: Phone, group: str, key: str, **said: object) -> dict[str, Any]:
    return ok(call(phone, group, key, **said))


def fetch(method: str, url: str, body: bytes = b"", headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=10)
    connection.request(method, f"{address.path}?{address.query}", body, headers or {})
    answer = connection.getresponse()
    content = answer.read()
    connection.close()
    return answer.status, content


def upload(phone: Phone, seconds: float) -> str:
    """The sign of a voice that was put where the server said."""
    file = ask(phone, "sys", "ossToken", format="amr", module="record")["FileInfo"]
    assert fetch("PUT", file["uploadUrl"], samples.amr(seconds))[0] == 200
    return str(file["sign"])


def notices(phone: Phone) -> list[dict[str, Any]]:
    heard = ask(phone, "message", "historyMsg")
    found = [item["msg"] for item in heard["unReadMsg"]]
    return [message for message in found if message.get("msgType") == "sysnotify"]


def test_an_evening_of_voices(venue: Venue, guest: Callable[..., Phone]) -> None:
    rain = guest("小雨", "Female", kind=ModernPhone)
    south = guest("阿南", "Male", kind=ModernPhone, gold=100)
    venue.manage("seed")
    venue.manage("seed")

    # 小雨 finds a topic, records, uploads and posts.
    listed = ask(rain, "topic", "topicList", offset=0)
    assert listed["dueChat"]["topic"]["type"] == 1
    topic = next(topic for topic in listed["topics"] if topic["name"] == "睡前故事")
    said = {"topicId": topic["id"], "title": "从前有座山", "samples": SAMPLES, "length": 60}
    sign = upload(rain, 6)
    post = ask(rain, "topic", "createSubject", sign=sign, **said)["subject"]
    assert (
        ask(rain, "topic", "createSubject", sign=sign, **said)["subject"]["id"] == post["id"]
    )  # the phone tries again

    # 阿南 sees it, hears it, likes it, answers it and gives something for it.
    (shown,) = ask(south, "topic", "topicDetail", topicId=topic["id"], type=0, offset=0)["subjects"]
    assert (shown["title"], shown["creatorId"], shown["isLike"]) == ("从前有座山", int(rain.user.id), False)
    assert fetch("GET", shown["path"]) == (200, samples.amr(6))
    ask(south, "topic", "listenSubject", subjectId=post["id"])
    ask(south, "topic", "likeSubject", subjectId=post["id"])
    reply = ask(south, "topic", "replySubject", subjectId=post["id"], sign=upload(south, 4), samples=SAMPLES)["subject"]
    assert reply["replyUserId"] == int(rain.user.id)
    assert ask(south, "topic", "buyGift", subjectId=post["id"], giftId=105, amount=1, gift_uuid="u")["gold"] < 100

    # Everything is counted, also once the jobs have folded it, and the length is what was measured.
    counted = {"viewCount": 1, "replyCount": 1, "likeCount": 1, "giftCount": 1}
    look = {"subjectId": post["id"], "offset": 0}
    assert ask(rain, "topic", "subjectDetail", **look)["subject"]["countings"] == counted
    rain.wait_for(lambda: not venue.sql("SELECT count(*) FROM topics_tally"), timeout=20)
    rain.wait_for(lambda: ask(rain, "topic", "subjectDetail", **look)["subject"]["length"] == 6, timeout=30)
    detail = ask(rain, "topic", "subjectDetail", **look)
    assert detail["subject"]["countings"] == counted
    assert [answer["id"] for answer in detail["replys"]] == [reply["id"]]
    assert detail["topic"]["countings"] == {"viewCount": 1, "replyCount": 2, "likeCount": 1}

    # 小雨 reads what happened, and earned.
    rain.wait_for(lambda: len(notices(rain)) == 3, timeout=20)
    assert {message["fromUserId"] for message in notices(rain)} == {int(south.user.id)}
    deeds = sorted(message["content"]["text"] for message in notices(rain))
    assert deeds[0] == "我在话题#睡前故事#里回复了你，" and deeds[1] == "我在话题#睡前故事#里给你点赞了，"
    assert deeds[2].startswith("我在话题#睡前故事#里给你送了")
    assert {message["jump"]["link"] for message in notices(rain)} == {f"wmlivesheihei://topic/{topic['id']}"}
    (gift,) = [message for message in notices(rain) if "img" in message["content"]]
    assert fetch("GET", gift["content"]["icon"])[0] == 200
    assert venue.points(rain) > 0
    assert notices(south) == []

    # She takes it away; nobody hears it any more.
    ask(rain, "topic", "deleteSubject", subjectId=post["id"])
    assert ask(south, "topic", "topicDetail", topicId=topic["id"], type=1, offset=0)["subjects"] == []
    assert call(south, "topic", "likeSubject", subjectId=reply["id"])["errorcode"] == 100

    # And introduces herself: a clip that others hear once operators have.
    sound = samples.amr(5)
    record = json.loads(send_record(rain, sound))
    assert record["errorcode"] == 0, record
    assert ask(rain, "record", "refreshRecord", score=0)["data"]["mine"]["status"] == 0
    assert ask(south, "record", "refreshRecord", score=0)["data"]["records"] == []
    venue.run(f"from records.services import review; assert review.publish({record['recordId']})")
    (clip,) = ask(south, "record", "refreshRecord", score=0)["data"]["records"]
    assert fetch("GET", clip["recordPath"]) == (200, sound)
    assert ask(south, "record", "readRecord", recordId=clip["recordId"])["record"]["userInfo"]["displayName"] == "小雨"
    ask(rain, "record", "deleteRecord", recordId=clip["recordId"])
    assert ask(south, "record", "refreshRecord", score=0)["data"]["records"] == []
    venue.reconcile()  # fails where the ledger is not sound


def send_record(phone: Phone, sound: bytes) -> bytes:
    """As multipart, with its digest."""
    fields = {"token": phone.user.token, "fileName": "a.amr", "recordLength": "5",
              "fileMd5": hashlib.md5(sound).hexdigest()}  # fmt: skip
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()
    ]
    head = '--b\r\nContent-Disposition: form-data; name="file"; filename="a.amr"\r\nContent-Type: audio/amr\r\n\r\n'
    body = "".join(parts).encode() + head.encode() + sound + b"\r\n--b--\r\n"
    multipart = {"Content-Type": "multipart/form-data; boundary=b"}
    return fetch("POST", f"{phone.base_url}api/record/upload-record", body, multipart)[1]
