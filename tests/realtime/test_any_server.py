"""The application under a server that is not ours: daphne in development."""

import asyncio

from asgiref.sync import sync_to_async
from channels.testing import WebsocketCommunicator

from heihei_site.realtime.routing import application
from tests.realtime.telling import ROOM, end_sessions, note, say


async def dial(query: str) -> WebsocketCommunicator:
    phone = WebsocketCommunicator(application, f"/ws/channel?{query}")
    assert await phone.connect(timeout=5) == (True, None)
    return phone


async def elements(phone: WebsocketCommunicator, count: int) -> list[dict]:
    got: list[dict] = []
    while len(got) < count:
        got += await phone.receive_json_from(timeout=5)
    return got


def do(deed, *args):
    return sync_to_async(deed, thread_sensitive=False)(*args)


def test_room_and_personal_messages_arrive_in_order(people, transactional_db):
    people.sign_in("t", 1, ROOM)

    async def scenario():
        phone = await dial("token=t")
        for text in "abc":
            await do(say, text)
        await do(note, 1, "d")
        assert [one["msg"]["text"] for one in await elements(phone, 4)] == ["a", "b", "c", "d"]
        await phone.disconnect()

    asyncio.run(scenario())


def test_a_hub_for_each_loop_and_none_left_behind(people, transactional_db):
    people.sign_in("t", 1, ROOM)

    async def scenario():
        phone = await dial("token=t")
        await do(say, "a")
        assert len(await elements(phone, 1)) == 1
        await phone.disconnect()

    asyncio.run(scenario())
    asyncio.run(scenario())


def test_what_was_missed_is_replayed(people, transactional_db):
    people.sign_in("t", 1, ROOM)
    note(1, *map(str, range(1, 301)))
    say("in the room")

    async def scenario():
        phone = await dial(f"token=t&since=0&room={ROOM}:0")
        got = await elements(phone, 301)
        assert [one.get("seq") for one in got] == [*range(1, 301), None]
        assert got[-1]["roomSeq"] == 1
        await phone.disconnect()

    asyncio.run(scenario())


def test_a_bad_token_and_an_ended_session_are_closed_with_4401(people, transactional_db):
    people.sign_in("t", 1, ROOM)

    async def scenario():
        stranger = await dial("token=wrong")
        assert (await stranger.receive_output(5)) == {"type": "websocket.close", "code": 4401}
        phone = await dial("token=t")
        await do(end_sessions, [10])
        assert (await phone.receive_output(5)) == {"type": "websocket.close", "code": 4401}

    asyncio.run(scenario())


def test_a_client_frame_is_answered(people, transactional_db):
    people.sign_in("t", 1, ROOM)

    async def scenario():
        phone = await dial("token=t")
        await phone.send_to(text_data='[{"msgType":"?","msg":{"clientMsgId":"k"}}]')
        [refused] = await elements(phone, 1)
        assert (refused["msg"]["action"], refused["msg"]["clientMsgId"]) == ("refused", "k")
        await phone.disconnect()

    asyncio.run(scenario())
