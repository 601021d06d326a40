"""What the wire shows of the catalogue, in snake case (`heihei_site.api.wire` spells it)."""

from typing import TypedDict


class GiftInfo(TypedDict):
    id: int
    name: str
    gold: int
    exp: int
    cl: list[int]
    image: str
    icon: str
    type: int


class GiftFile(TypedDict):
    id: int
    attr_file: str
    file_md5: str


class GiftFiles(TypedDict):
    """`resources` animate what can be given; `history_gift_res` is what replays still show."""

    resources: list[GiftFile]
    history_gift_res: list[GiftFile]
