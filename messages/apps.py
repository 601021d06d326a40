from django.apps import AppConfig


class MessagesConfig(AppConfig):
    name = "messages"
    label = "inbox"  # `messages` is the label of django.contrib.messages (ADR 0004)
    verbose_name = "消息"
