"""Numbers and tables as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.figures import Figure, Figures

HUNDRED, TEN = 100, 10


def number(value: float) -> str:
    """Three digits, or all of them before the point."""
    if abs(value) >= HUNDRED or not value:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= TEN else f"{value:.2f}"


def spread(figure: Figure | None) -> str:
    """min / **median** / max, or what there is to say instead."""
    if figure is None:
        return ""
    if figure.note.startswith("not "):
        return figure.note
    if len(figure.values) == 1:
        return f"**{number(figure.values[0])}**"
    least, median, most = figure.spread()
    return f"{number(least)} / **{number(median)}** / {number(most)}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The first column is text, the others are numbers."""
    marks = ["---", *["---:"] * (len(header) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in (header, marks, *rows))


def pivot(figures: Figures, part: str, *, best_first: bool | None = None) -> str:
    """A row for each contestant, a column for each quantity; `best_first`: most first, or least first if False."""
    names = list(dict.fromkeys(each.who for each in figures.of(part)))
    columns = list(dict.fromkeys(each.what for each in figures.of(part)))
    units = {each.what: each.unit for each in figures.of(part)}
    if best_first is not None:

        def rank(name: str) -> float:
            figure = figures.find(part, name, columns[0])
            return float("inf") if figure is None else figure.median * (-1 if best_first else 1)

        names.sort(key=rank)
    header = ["", *(f"{what}, {units[what]}" if units[what] else what for what in columns)]
    if len(columns) == 1:
        header[1] = units[columns[0]] or columns[0]
    return table(header, ([name, *(spread(figures.find(part, name, what)) for what in columns)] for name in names))
