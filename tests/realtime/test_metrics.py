"""`/metrics`: that the figures move, and who may see them."""

import http.client
import time

import pytest
from django.test import Client
from prometheus_client.parser import text_string_to_metric_families

from heihei_site.asgi import application
from heihei_site.realtime import hub
from tests.realtime.conftest import Server, in_the_room, wait_until
from tests.realtime.telling import note, say


@pytest.fixture
def server(people, transactional_db, monkeypatch):
    """With everything else that a web process serves."""
    monkeypatch.setattr(hub, "BEACON_SECONDS", 0.2)
    server = Server(application)
    yield server
    server.stop()


def get(server: Server, **headers: str) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("GET", "/metrics", headers=headers)
    answer = connection.getresponse()
    found = answer.status, answer.headers["Content-Type"], answer.read().decode()
    connection.close()
    return found


def numbers(server: Server) -> dict[str, float]:
    status, _, text = get(server)
    assert status == 200
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {sample.name + "".join(f" {value}" for value in sample.labels.values()): sample.value for sample in samples}


def moved(server: Server, before: dict[str, float], name: str) -> float:
    return numbers(server)[name] - before[name]


def test_prometheus_reads_them(server):
    status, kind, text = get(server)
    assert (status, kind) == (200, "text/plain; version=0.0.4; charset=utf-8")
    ours = [family for family in text_string_to_metric_families(text) if family.name.startswith("heihei_")]
    assert len(ours) > 12
    assert all(family.documentation for family in ours)


def test_sockets_people_and_rooms_are_counted(server, people):
    people.sign_in("a", 1, 5, 6)
    phones = [server.phone("a"), in_the_room(server, people, "b", 2), in_the_room(server, people, "b2", 2)]
    counted = ("heihei_sockets", "heihei_socket_people", "heihei_socket_rooms")
    wait_until(lambda: [numbers(server)[name] for name in counted] == [3, 2, 3])
    assert numbers(server)["heihei_bus_up"] == 1
    for phone in phones:
        phone.drop()
    wait_until(lambda: [numbers(server)[name] for name in counted] == [0, 0, 0])


def test_every_delivery_and_how_long_it_took_is_counted(server, people):
    phones = [in_the_room(server, people, f"t{n}", n) for n in range(1, 4)]
    before = numbers(server)
    say("a")
    note(1, "b")
    assert phones[0].texts(2) == ["a", "b"]
    wait_until(lambda: moved(server, before, "heihei_socket_deliveries_total") == 4)
    assert moved(server, before, "heihei_socket_delivery_seconds_count") == 2
    assert 0 < moved(server, before, "heihei_socket_delivery_seconds_sum") < 1
    wait_until(lambda: moved(server, before, "heihei_bus_lag_seconds_count") >= 2)


def test_resumes_and_resyncs_are_counted(server, people):
    before = numbers(server)
    people.sign_in("t", 1)
    server.phone("t", since=0)
    assert server.phone("t", since=99).message()["action"] == "resync"
    assert moved(server, before, "heihei_socket_resumes_total") == 2
    assert moved(server, before, "heihei_socket_resyncs_total") == 1


def test_what_waits_and_who_is_closed_for_not_reading_are_counted(server, people):
    before = numbers(server)
    slow = in_the_room(server, people, "slow", 1, receive_buffer=4096)
    for number in range(100):
        say(f"{number} " + "x" * 4000)
    wait_until(lambda: numbers(server)["heihei_socket_queue_bytes"] > 50_000)
    assert numbers(server)["heihei_socket_queue_longest_bytes"] == numbers(server)["heihei_socket_queue_bytes"]
    for number in range(200):
        say(f"{number} " + "x" * 4000)
    wait_until(lambda: moved(server, before, "heihei_socket_closes_total 4429") == 1)
    assert moved(server, before, "heihei_socket_closes_total 4401") == 0
    wait_until(lambda: numbers(server)["heihei_socket_queue_bytes"] == 0)
    slow.drop()


def test_a_lost_bus_is_counted_and_shown(server, people, valkey):
    phone = in_the_room(server, people, "t", 1)
    before = numbers(server)
    valkey.kill()
    wait_until(lambda: numbers(server)["heihei_bus_up"] == 0)
    time.sleep(1)
    note(1, "a")
    assert moved(server, before, "heihei_bus_losses_total") == 1
    assert moved(server, before, "heihei_bus_lost_publishes_total") == 1
    valkey.start()
    assert phone.texts(1, seconds=10) == ["a"]
    assert numbers(server)["heihei_bus_up"] == 1
    assert moved(server, before, "heihei_bus_gaps_total") >= 1


def test_who_asks_through_a_proxy_finds_nothing(server):
    """Whether the proxy is trusted, and its word for the address is taken, or not."""
    for forwarded in ("8.8.8.8", "10.0.0.7", "127.0.0.1"):
        assert get(server, **{"X-Forwarded-For": forwarded})[0] == 404
    assert get(server, Forwarded="for=10.0.0.7")[0] == 404


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888", "::ffff:8.8.8.8", "100.64.0.1", "", "unix:"])
def test_nobody_outside_sees_them(address):
    assert Client().get("/metrics", REMOTE_ADDR=address).status_code == 404


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["127.0.0.1", "127.3.2.1", "10.1.2.3", "172.18.0.2", "192.168.1.9", "::1", "fd00::1"]
)
def test_the_machine_itself_and_private_networks_see_them(address):
    answer = Client().get("/metrics", REMOTE_ADDR=address)
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert b"heihei_sockets " in answer.content


@pytest.mark.django_db
def test_they_cost_little():
    client = Client()
    client.get("/metrics")
    start = time.monotonic()
    for _ in range(20):
        client.get("/metrics")
    assert (time.monotonic() - start) / 20 < 0.2
