"""As much of Kustomize as our kustomizations use. What it does not know it refuses, so nothing is passed over.

`kubectl kustomize` is not on every machine; where it is, a test holds the two against each other.
"""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

Document = dict[str, Any]

KNOWN = {"apiVersion", "kind", "namespace", "resources", "components", "configMapGenerator", "patches"}


def documents(text: str) -> list[Document]:
    return [each for each in YAML(typ="safe", pure=True).load_all(text) if each is not None]


def build(folder: Path) -> list[Document]:
    """Every document of an overlay. Generated ConfigMaps keep their name, without the hash that Kustomize adds."""
    return _accumulate(folder.resolve(), [])


def _accumulate(folder: Path, found: list[Document]) -> list[Document]:
    (kustomization,) = documents((folder / "kustomization.yaml").read_text())
    unknown = kustomization.keys() - KNOWN
    assert not unknown, f"{folder}: the reader does not know {unknown}"
    for name in kustomization.get("resources", []):
        path = folder / name
        found += _accumulate(path.resolve(), []) if path.is_dir() else documents(path.read_text())
    for each in kustomization.get("configMapGenerator", []):
        _generate(each, found)
    for name in kustomization.get("components", []):
        found = _accumulate((folder / name).resolve(), found)
    for each in kustomization.get("patches", []):
        found = _patched(each, found)
    if namespace := kustomization.get("namespace"):
        for each in found:
            if each["kind"] != "Namespace":
                each["metadata"]["namespace"] = namespace
    return found


def _generate(generator: Document, found: list[Document]) -> None:
    data = dict(literal.split("=", 1) for literal in generator["literals"])
    if generator.get("behavior") == "merge":
        (target,) = _named(found, "ConfigMap", generator["name"])
        target["data"] |= data
    else:
        metadata = {"name": generator["name"]}
        found.append({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": data})


def _patched(entry: Document, found: list[Document]) -> list[Document]:
    (patch,) = documents(entry["patch"])
    targets = _named(found, entry["target"]["kind"], entry["target"]["name"])
    assert targets, f"nothing is {entry['target']}"
    if isinstance(patch, dict):
        assert patch.pop("$patch") == "delete"
        return [each for each in found if each not in targets]
    for target in targets:
        for operation in patch:
            _operate(target, **copy.deepcopy(operation))
    return found


def _operate(document: Any, op: str, path: str, value: Any = None) -> None:
    *parents, last = path.strip("/").split("/")
    for part in parents:
        document = document[int(part) if isinstance(document, list) else part]
    key: Any = int(last) if isinstance(document, list) else last
    document[key]  # Kustomize refuses to touch what is not there
    if op == "replace":
        document[key] = value
    else:
        assert op == "remove"
        del document[key]


def _named(found: list[Document], kind: str, name: str) -> list[Document]:
    return [each for each in found if (each["kind"], each["metadata"]["name"]) == (kind, name)]
