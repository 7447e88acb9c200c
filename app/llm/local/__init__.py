"""The provider without a model: it quotes what the class's material says about a question, and says that it does so.

Its whole output is quotations and the fixed sentences of `frames.py`. Nothing that a user writes comes back out of it,
and no instruction can reach anything, since nothing here follows instructions.
"""

from app.llm.local.provider import LocalProvider

__all__ = ["LocalProvider"]
