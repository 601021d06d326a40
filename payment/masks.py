"""What is shown of who somebody is: enough to know it again, too little to use it."""


def account(text: str) -> str:
    """`138****5678` or `a***@example.com`."""
    if "@" in text:
        name, host = text.split("@", 1)
        return f"{name[:1]}***@{host}"
    return phone(text)


def phone(text: str) -> str:
    if len(text) >= 11:
        return f"{text[:3]}****{text[-4:]}"
    return f"{text[:1]}***{text[-1:]}" if len(text) > 2 else "***"


def name(text: str) -> str:
    return f"{text[:1]}{'*' * max(1, len(text) - 1)}"


def idcard(text: str) -> str:
    return f"{text[:1]}{'*' * (len(text) - 2)}{text[-1:]}"
