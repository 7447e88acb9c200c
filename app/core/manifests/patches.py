"""Kustomize's patches: documents within a document, as text."""

from __future__ import annotations

from app.core.manifests.document import Document, literal


def json_patch(patch: Document | list[Document]) -> str:
    """RFC 6902, or a document that says `$patch: delete`."""
    return literal(patch)


def deployment(component: str) -> Document:
    return {"kind": "Deployment", "name": f"homeroom-{component}"}


def without_replicas(component: str) -> Document:
    """Their number is an autoscaler's to say: an apply would reset it."""
    return {"target": deployment(component), "patch": json_patch([{"op": "remove", "path": "/spec/replicas"}])}
