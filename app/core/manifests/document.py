"""Documents as text: YAML with a word about itself at its head."""

from __future__ import annotations

import io
import textwrap
from typing import Any, TypeAlias

from app.kit.errors import ConfigurationError

Document: TypeAlias = dict[str, Any]

RENDERED = "# Rendered by `homeroom manifests`"
WIDTH = 120


def yaml(says: str, *documents: Document) -> str:
    """A stream of documents. `says` tells a reader what it is for and why it is so."""
    return f"{head(says)}\n{_dumped(documents)}"


def literal(document: Document | list[Document]) -> str:
    """A document as a block of text within another."""
    from ruamel.yaml.scalarstring import LiteralScalarString  # noqa: PLC0415 - see _writer

    # A list begins at the margin, or Kustomize does not see that it is one.
    block: str = LiteralScalarString(_dumped((document,), sequence=2, offset=0))
    return block


def head(says: str) -> str:
    """The comment that a rendered file begins with: paragraphs are filled, indented ones stay as they are."""
    source = f"{RENDERED} from the workloads' specs; change those or app/core/manifests."
    lines = [source]
    for paragraph in says.strip().split("\n\n"):
        whole = paragraph.startswith(" ")
        lines += ["", *(paragraph.splitlines() if whole else textwrap.wrap(paragraph, WIDTH - 2))]
    return "\n".join(["#" if not line else line if line is source else f"# {line}" for line in lines])


def _dumped(documents: tuple[Any, ...], **indent: int) -> str:
    writer = _writer()
    writer.indent(**({"mapping": 2, "sequence": 4, "offset": 2} | indent))
    writer.explicit_start = len(documents) > 1
    stream = io.StringIO()
    writer.dump_all(documents, stream)
    return stream.getvalue()


def _writer() -> Any:
    try:
        from ruamel.yaml import YAML  # noqa: PLC0415 - development's: who serves renders nothing
    except ModuleNotFoundError:
        raise ConfigurationError(
            "Manifests are rendered from a checkout with its development tools.", cure="make install"
        ) from None
    writer = YAML()
    writer.width = WIDTH
    writer.representer.ignore_aliases = lambda _data: True  # what two documents share is told twice
    return writer
