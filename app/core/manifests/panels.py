"""What a dashboard of Grafana is made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.core.manifests.document import Document

COLUMNS = 24
HEIGHT = 7
SOURCE: Document = {"type": "prometheus", "uid": "${source}"}

GREEN, AMBER, RED = "green", "orange", "red"


@dataclass(frozen=True, slots=True)
class Query:
    expr: str
    legend: str


@dataclass(frozen=True, slots=True)
class Panel:
    title: str
    says: str
    queries: Sequence[Query]
    unit: str = "short"
    width: int = 8
    kind: str = "timeseries"
    stacked: bool = False
    steps: Sequence[tuple[str, float | None]] = ((GREEN, None),)

    def document(self, number: int, place: Document) -> Document:
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.says,
            "datasource": SOURCE,
            "gridPos": place,
            "targets": [
                {"refId": chr(ord("A") + index), "datasource": SOURCE, "expr": each.expr, "legendFormat": each.legend}
                for index, each in enumerate(self.queries)
            ],
            "fieldConfig": {"defaults": self._defaults(), "overrides": []},
            "options": _OPTIONS[self.kind],
        }

    def _defaults(self) -> Document:
        defaults: Document = {
            "unit": self.unit,
            "min": 0,
            "thresholds": {
                "mode": "absolute",
                "steps": [{"color": colour, "value": value} for colour, value in self.steps],
            },
        }
        if self.kind == "timeseries":
            defaults["custom"] = {
                "lineWidth": 1,
                "fillOpacity": 25 if self.stacked else 5,
                "showPoints": "never",
                "stacking": {"mode": "normal" if self.stacked else "none", "group": "A"},
            }
        return defaults


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: Sequence[Panel]


_OPTIONS: dict[str, Document] = {
    "timeseries": {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    },
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "background",
        "graphMode": "area",
        "justifyMode": "auto",
        "textMode": "auto",
    },
}


def laid_out(rows: Iterable[Row]) -> list[Document]:
    """Side by side as long as there is room, row by row."""
    documents: list[Document] = []
    top = 0
    for row in rows:
        place = {"h": 1, "w": COLUMNS, "x": 0, "y": top}
        documents.append(
            {
                "id": len(documents) + 1,
                "type": "row",
                "title": row.title,
                "collapsed": False,
                "gridPos": place,
                "panels": [],
            }
        )
        top, left = top + 1, 0
        for panel in row.panels:
            if left + panel.width > COLUMNS:
                top, left = top + HEIGHT, 0
            place = {"h": HEIGHT, "w": panel.width, "x": left, "y": top}
            documents.append(panel.document(len(documents) + 1, place))
            left += panel.width
        top += HEIGHT
    return documents
