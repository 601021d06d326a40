"""The page on which operators write a tip."""

from typing import Any, ClassVar

from django import forms
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from users.events import Tip, TipButton

LINK = 255  # characters of one


def _line(label: str, length: int, help_text: str = "") -> forms.CharField:
    return forms.CharField(
        label=label, max_length=length, required=False, help_text=help_text, widget=UnfoldAdminTextInputWidget
    )


class TipForm(forms.Form):
    KINDS: ClassVar = [("alert", "对话框"), ("toast", "短提示"), ("image", "图片")]

    type = forms.ChoiceField(label="类型", choices=KINDS, widget=UnfoldAdminSelectWidget)
    title = _line("标题", 64)
    desc = forms.CharField(label="内容", max_length=500, required=False, widget=UnfoldAdminTextareaWidget)
    image = _line("图片地址", LINK, "类型为图片时必填，http(s)://…")
    jump = _line("点击后打开", LINK, "wmlives_heihei://… 或 http(s)://…，可不填")
    timeout = forms.IntegerField(
        label="显示秒数", min_value=1, max_value=60, initial=5, widget=UnfoldAdminIntegerFieldWidget
    )
    button = _line("按钮文字", 16, "可不填；另有“关闭”按钮")
    link = _line("按钮打开", LINK)  # not `action`: the console has its own parameter of that name

    def clean(self) -> dict[str, Any]:
        said = super().clean() or {}
        if said.get("type") == "image":
            if not str(said.get("image", "")).startswith(("http://", "https://")):
                self.add_error("image", "请填 http(s) 开头的图片地址")
        elif not (said.get("title") or said.get("desc")):
            self.add_error("desc", "标题和内容不能都为空")
        if said.get("link") and not said.get("button"):
            self.add_error("button", "请填按钮文字")
        return said


def tip_of(said: dict[str, Any]) -> Tip:
    """Of what was said in the form."""
    buttons: list[TipButton] = []
    if said["button"]:
        buttons.append({"title": said["button"], "action": said["link"], "jump": ""})
    if said["type"] == "alert":
        buttons.append({"title": "关闭", "action": "", "jump": ""})
    return {
        "type": said["type"],
        "title": said["title"],
        "desc": said["desc"],
        "jump": said["jump"],
        "timeout": said["timeout"],
        "image": said["image"],
        "buttons": buttons,
    }
