"""An ordinary successful call of every endpoint: what must be there, who calls, with what.

Query counts, the examples of the reference and the matrices of who may call what are made of them. A new endpoint needs
one here, in the module of its app.
"""

from tests.scenarios import calls, letters, lives, money, people, voices
from tests.scenarios.registry import Params, answer_to, scenarios

__all__ = ["Params", "answer_to", "calls", "letters", "lives", "money", "people", "scenarios", "voices"]
