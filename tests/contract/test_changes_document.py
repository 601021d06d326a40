"""docs/reference/changes.md tells client developers what differs: nothing that is not there, and all that is new."""

import re

from heihei_site import urls  # noqa: F401  (brings every endpoint)
from heihei_site.system.reference import pages
from tests.contract.test_contract import DEPARTURES, ENDPOINTS
from tests.processes import ROOT

TEXT = (ROOT / "docs" / "reference" / "changes.md").read_text()
NAMED = set(re.findall(r"`((?:user|live|chat|msg|payment|topic|record|sys|sms)/[\w-]+)`", TEXT))
SERVED = set(re.findall(r"^### (\S+/\S+)$", pages()["endpoints.md"], re.MULTILINE))
OURS = {"payment/applecallback"}  # called by Apple


def test_what_it_names_is_served():
    assert NAMED and set() == NAMED - SERVED


def test_what_the_documents_do_not_know_is_named():
    documented = {path.removeprefix("/api/") for path in ENDPOINTS}
    for_phones = {path for path in SERVED - OURS if not path.endswith(".action")}  # those are for other servers
    assert for_phones - documented - NAMED == set()


def test_what_departs_from_the_documents_is_named():
    assert {path.removeprefix("/api/") for path in DEPARTURES["endpoints"]} <= NAMED
    new = [name.removeprefix("action/") for name, what in DEPARTURES["messages"].items() if "new" in what]
    assert new and [name for name in new if f"`{name}`" not in TEXT] == []
