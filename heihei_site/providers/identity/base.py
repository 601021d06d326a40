from dataclasses import dataclass
from typing import ClassVar, Protocol


@dataclass(frozen=True)
class Account:
    """Somebody's account elsewhere, vouched for by `source`.

    `open_id` names the person to one app of ours, `union_id` ("" where there is none) to all of them.
    """

    source: str
    open_id: str
    union_id: str = ""


class Identity(Protocol):
    development_only: ClassVar[bool]

    def account(self, *, token: str, open_id: str, union_id: str) -> Account:
        """Whose token this is. What the phone says of itself is compared, never believed: WeiboTokenInvalid (of any
        vendor), OpenIdInvalid. IdentityUnreachable where the vendor does not tell in time."""
        ...
