import json
import time
from dataclasses import dataclass, field

import pytest
from websockets.frames import Frame as Data
from websockets.frames import Opcode

from heihei_site.realtime.events import Event, Kind, catalogue, element
from heihei_site.realtime.frames import frames
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


def test_what_stands_beside_the_message_is_not_in_it():
    before = list(catalogue)
    try:

        @dataclass(frozen=True, kw_only=True)
        class Letter(Event):
            kind = Kind.PERSONAL
            msg_type = "text"
            envelope = "IM"

            text: str
            users: dict[str, str] = field(metadata={"beside": True})

    finally:
        catalogue[:] = before
    told = json.loads(element(Letter(text="a", users={"7": "小雨"}, msg_id=5)))
    assert told.pop("timeStamp")
    assert told == {
        "msg": {"msgType": "text", "text": "a", "msgId": 5},
        "msgType": "IM",
        "users": {"7": "小雨"},
    }


def test_what_does_not_apply_is_left_out():
    assert "text" not in Said(room_id=1, text=None).payload()


@pytest.mark.parametrize("count", [1, 3])
def test_elements_share_frames_up_to_the_last_byte(settings, count):
    settings.SOCKET_FRAME_BYTES = 100
    one = b'"' + b"x" * (98 // count - 3) + b'"'
    [frame] = frames([one] * count)
    assert json.loads(frame.text) == [json.loads(one)] * count
    spare = 100 - len(frame.text)
    filled = [*frames([*[one] * (count - 1), one[:-1] + b"y" * spare + b'"'])]
    assert [len(frame.text) for frame in filled] == [100]
    assert len([*frames([*[one] * (count - 1), one[:-1] + b"y" * (spare + 1) + b'"'])]) == min(2, count)


@pytest.mark.parametrize("size", [125, 126, 65535, 65536])
def test_a_frame_carries_the_header_that_the_protocol_wants(size):
    [frame] = frames([b'"' + b"x" * (size - 4) + b'"'])
    assert len(frame.text) == size
    assert frame.wire == Data(Opcode.TEXT, frame.text).serialize(mask=False)


def test_an_element_too_long_for_a_frame_travels_alone(settings):
    settings.SOCKET_FRAME_BYTES = 50
    long = b'"' + b"x" * 100 + b'"'
    assert [frame.text for frame in frames([b"1", long, b"2", b"3"])] == [b"[1]", b"[" + long + b"]", b"[2,3]"]
