"""The reference at /api/schema, made from the same declarations that serve the requests."""

from io import StringIO

import pytest
import yaml
from django.core.management import call_command
from django.test import Client
from drf_spectacular.drainage import GENERATOR_STATS

from heihei_site.api.callbacks import Callbacks
from heihei_site.api.endpoints import Endpoints


@pytest.fixture(scope="module")
def schema() -> dict:
    return Client().get("/api/schema?format=json", headers={"host": "localhost"}).json()


def test_it_is_valid_and_made_without_warnings(tmp_path):
    GENERATOR_STATS.reset()
    call_command(
        "spectacular", "--validate", "--fail-on-warn", "--file", str(tmp_path / "schema.yaml"), stderr=StringIO()
    )


def test_it_needs_no_sign_in_and_comes_as_yaml_or_json():
    as_yaml, as_json = Client().get("/api/schema"), Client().get("/api/schema?format=json")
    assert as_yaml.status_code == as_json.status_code == 200
    assert yaml.safe_load(as_yaml.content) == as_json.json()
    assert as_json.json()["openapi"].startswith("3.")


def test_every_endpoint_is_in_it_with_get_and_post(schema):
    paths = {f"/{found.root}/{path}" for found in Endpoints.registry for path in (found.path, *found.also)}
    assert set(schema["paths"]) == paths | {f"/api/{found.path}" for found in Callbacks.registry}
    assert all({"get", "post"} == set(operations) for operations in schema["paths"].values())


def test_every_operation_has_a_name_of_its_own(schema):
    names = [operation["operationId"] for path in schema["paths"].values() for operation in path.values()]
    assert len(set(names)) == len(names)


def test_an_operation_says_what_it_does_and_what_it_refuses(schema):
    operation = schema["paths"]["/api/live/buy-gift"]["post"]
    assert operation["summary"] == "Gives the owner one gift."
    assert "* `740` 余额不足" in operation["description"]
    assert "* `731` 无效的直播" in operation["description"]


def test_every_operation_is_summed_up_in_a_whole_sentence(schema):
    """The page shows it on one line, as it is."""
    for path, operations in schema["paths"].items():
        for operation in operations.values():
            assert operation["summary"].endswith((".", "?")), path
            assert "`" not in operation["summary"], path
    assert schema["paths"]["/api/user/user-gold"]["get"]["summary"].startswith("What the caller has: gold, point (what")


def test_a_body_may_come_in_three_encodings(schema):
    body = schema["paths"]["/api/live/buy-gift"]["post"]["requestBody"]["content"]
    assert set(body) == {"application/x-www-form-urlencoded", "application/json", "multipart/form-data"}


def test_the_documentation_page_loads_nothing_from_elsewhere():
    page = Client().get("/api/docs")
    assert page.status_code == 200
    addresses = [word for word in page.content.decode().replace('"', " ").replace("'", " ").split() if "//" in word]
    assert not [
        address for address in addresses if address.startswith(("http://", "https://", "//")) and "." in address
    ]
    assert b"/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js" in page.content
