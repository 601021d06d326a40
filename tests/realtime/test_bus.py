import asyncio

from channels.layers import get_channel_layer

from heihei_site.realtime import bus


def test_our_publisher_writes_what_the_layer_would(plain_redis):
    """`bus.wire_form` rebuilds what is private to channels-redis; an upgrade that changes it fails here."""
    acts = [{"do": "tell", "to": [[2, 2**52, 7]], "element": b'{"msg":{}}', "needs": 0, "expires": None}]
    listener = plain_redis.pubsub(ignore_subscribe_messages=True)
    listener.psubscribe("*")
    listener.get_message(timeout=1)

    message = {"acts": acts, "at": 1234.5}
    asyncio.run(get_channel_layer().group_send(bus.GROUP, message))
    bus.send(acts, at=1234.5)

    theirs, ours = listener.get_message(timeout=1), listener.get_message(timeout=1)
    assert ours == theirs
    assert get_channel_layer().deserialize(ours["data"]) == message
