"""Files that people upload (D38): who may write which one, what it is, who uses it (ADR 0018)."""
