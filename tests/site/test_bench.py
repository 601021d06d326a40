"""`make bench` cannot be run within the suite, but it can be seen to start."""

import os
import subprocess
import sys

from tests.bench.__main__ import SECTIONS
from tests.processes import ROOT


def test_no_section_reads_settings_before_there_is_an_instance_to_measure():
    """They would be those of no database at all, and nothing could be measured."""
    asked = "from django.conf import settings; assert not settings.configured, 'read too early'"
    imports = "; ".join(f"import {module}" for module in SECTIONS.values())
    bare = {"PATH": os.environ["PATH"], "DJANGO_SETTINGS_MODULE": "heihei_site.settings"}
    done = subprocess.run([sys.executable, "-c", f"{imports}; {asked}"], cwd=ROOT, env=bare, capture_output=True)
    assert done.returncode == 0, done.stderr.decode()
