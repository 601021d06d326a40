import json
import time

import pytest

from heihei_site.realtime.events import Event, Kind, catalogue, element
from tests.realtime.sample_events import Said, Watching


def test_an_element_has_the_message_in_wire_spelling_and_its_time_in_seconds():
    said = Said(room_id=77, text="你好 😀")
    assert json.loads(element(said)) == {
        "msg": {
            "msgType": "text",
            "roomId": 77,
            "text": "你好 😀",
            "fromUserId": 10001,
            "msgId": said.msg_id,
        },
        "timeStamp": pytest.approx(time.time(), abs=2),
    }


def test_an_action_has_name_and_comment_and_keeps_its_version_to_itself():
    watching = Watching(room_id=1, version=9, online_users=3)
    assert watching.payload() == {
        "msg_type": "action",
        "action": "watching",
        "comment": "人数",
        "msg_id": watching.msg_id,
        "room_id": 1,
        "online_users": 3,
    }


def test_every_message_has_its_own_id_below_2_53():
    ids = {Said(room_id=1, text="").msg_id for _ in range(1000)}
    assert len(ids) == 1000
    assert max(ids) < 2**53


def test_subclassing_registers_and_a_nameless_action_is_refused():
    before = list(catalogue)
    try:
        registered = type("Registered", (Event,), {"kind": Kind.ROOM, "msg_type": "like"})
        assert catalogue == [*before, registered]
        for wrong in ({"kind": Kind.ROOM, "msg_type": "action"}, {"msg_type": "like"}, {"kind": Kind.ROOM}):
            with pytest.raises(TypeError):
                type("Wrong", (Event,), wrong)
        assert catalogue == [*before, registered]
    finally:
        catalogue[:] = before
