"""D1: which generation is asking, and what depends on it."""

import pytest

from heihei_site.api.clients import NEWEST, Client
from tests import factories
from users.models import Session

pytestmark = pytest.mark.urls("tests.api.kit")


@pytest.mark.parametrize(
    ("version", "generation"),
    [
        ("1.1.2", (1, 1)),
        ("1.1", (1, 1)),
        ("1", (1, 0)),
        ("1.2.0", (1, 2)),
        ("1.10", (1, 10)),
        ("2.0.0", (2, 0)),
        ("2.0.0-beta", (2, 0)),
        ("1120", (1120, 0)),
        ("", NEWEST),
        ("v2", NEWEST),
        (".5", NEWEST),
        ("nonsense", NEWEST),
        ("-1.1", NEWEST),
        ("99999999999999999999", (9999, 0)),
    ],
)
def test_a_version_text_names_a_generation(call, version, generation):
    assert call("kit/generation", version=version)["generation"] == list(generation)


@pytest.mark.parametrize(
    ("generation", "keeps", "reads_status", "must_be_inside", "audience"),
    [
        ((1, 0), True, True, False, True),
        ((1, 1), True, True, False, True),
        ((1, 2), False, False, False, True),
        ((1, 4), False, False, False, True),
        ((1, 5), False, False, True, False),
        ((2, 0), False, False, True, False),
        (NEWEST, False, False, True, False),
    ],
)
def test_the_rules_of_each_generation(generation, keeps, reads_status, must_be_inside, audience):
    client = Client(generation)
    assert client.empty_description_means_keep is keeps
    assert client.reads_ended_live_from_status is reads_status
    assert client.must_be_inside_to_get_live is must_be_inside
    assert client.opens_audience is audience


def test_who_says_nothing_is_the_newest(call):
    assert call("kit/generation")["generation"] == list(NEWEST)


def test_the_header_goes_before_the_parameter(call):
    assert call("kit/generation", "version=1.5", version="1.1.2")["generation"] == [1, 1]
    assert call("kit/generation", "version=1.5")["generation"] == [1, 5]
    assert call("kit/generation", "version=1.5", version="nonsense")["generation"] == [1, 5]


@pytest.mark.django_db
def test_a_call_without_headers_is_judged_by_what_the_session_last_sent(call):
    """The 1.1 app sends gifts and room texts without any of its headers."""
    token = f"token={factories.token(factories.person())}"
    assert call("kit/generation", token)["generation"] == list(NEWEST)
    call("kit/generation", token, version="1.1.2")
    assert call("kit/generation", token)["generation"] == [1, 1]
    call("kit/generation", token, version="2.0.0")
    assert call("kit/generation", token)["generation"] == [2, 0]


@pytest.mark.django_db
def test_init_tells_the_generation_by_its_parameter(call):
    token = f"token={factories.token(factories.person())}"
    call("init", f"{token}&ap=heihei&version=1.1.2")
    assert call("kit/generation", token)["generation"] == [1, 1]


@pytest.mark.django_db
def test_what_one_session_sent_says_nothing_about_another(call):
    call("kit/generation", f"token={factories.token(factories.person())}", version="1.1.2")
    assert call("kit/generation", f"token={factories.token(factories.person())}")["generation"] == list(NEWEST)


@pytest.mark.django_db
@pytest.mark.parametrize("version", ["nonsense", "", "99.0.1", "x" * 5000, "1.1" + "x" * 5000])
def test_an_odd_version_harms_nobody(call, version):
    token = f"token={factories.token(factories.person())}"
    assert call("kit/generation", token, version=version)["errorcode"] == 0
    assert len(Session.objects.get().client_version) <= 32
