"""What an app offers its people, by the store it came from and its version (`function` of init)."""

import re

from heihei_site.postgres.kept import Kept
from heihei_site.system.models import MatchingOff
from heihei_site.system.releases import PATTERN, release


@Kept
def off() -> list[MatchingOff]:
    return list(MatchingOff.objects.filter(active=True))


def matching(*, platform: str, channel: str, version: str) -> bool:
    """Whether these phones offer matching (D34). Stores and systems are compared without case; a phone that does not
    say which version it is has the newest (D1)."""
    return not any(_is_meant(rule, platform.lower(), channel.lower(), version) for rule in off())


def _is_meant(rule: MatchingOff, platform: str, channel: str, version: str) -> bool:
    if rule.platform not in ("", platform) or rule.channel.lower() not in ("", channel):
        return False
    if not re.match(PATTERN, version):
        return not rule.last_version
    have = release(version)
    after = not rule.first_version or release(rule.first_version) <= have
    return after and (not rule.last_version or have <= release(rule.last_version))
