from typing import ClassVar

from django.utils import timezone

from heihei_site.providers import outbox


class OutboxSms:
    """The development twin: the text message goes to `outbox/sms.jsonl`."""

    development_only: ClassVar[bool] = True

    def send_code(self, phone: str, code: str) -> None:
        time = timezone.localtime().isoformat(timespec="milliseconds")
        text = f"【黑黑】验证码{code}，10分钟内有效，请勿告诉他人。"
        outbox.append("sms", {"time": time, "phone": phone, "code": code, "text": text})
