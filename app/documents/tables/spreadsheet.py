"""xlsx and xls."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from io import BytesIO
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from app.documents.extract.source import Source
from app.documents.failures import DocumentFailure
from app.documents.limits import Limits
from app.documents.tables.table import Cell, Table, make_table

MERGED_AREA = 20_000


def tables(source: Source) -> list[Table]:
    """Every visible sheet, merged cells filled with what they show."""
    try:
        with CalamineWorkbook.from_filelike(BytesIO(source.content)) as workbook:
            shown = [
                sheet.name
                for sheet in workbook.sheets_metadata
                if sheet.typ == SheetTypeEnum.WorkSheet and sheet.visible == SheetVisibleEnum.Visible
            ]
            return [_sheet(source.name, workbook.get_sheet_by_name(sheet), source.limits) for sheet in shown]
    except CalamineError as error:
        code = "encrypted" if "password" in str(error).lower() or "encrypt" in str(error).lower() else "damaged"
        raise DocumentFailure(code, f"the workbook cannot be read: {error}", file=source.name) from error


def _sheet(file: str, sheet: Any, limits: Limits) -> Table:
    if sheet.total_height > 2 * limits.rows:  # empty rows may stand between; the rows that count are counted later
        raise DocumentFailure("too_many_rows", f"“{sheet.name}” has {sheet.total_height} rows", file=file)
    rows = [[_cell(value) for value in row] for row in sheet.to_python(skip_empty_area=False)]
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        if top < len(rows) and (bottom - top + 1) * (right - left + 1) <= MERGED_AREA:
            _fill(rows, top, left, bottom, right)
    return make_table(file, sheet.name, rows, limits)


def _fill(rows: list[list[Cell]], top: int, left: int, bottom: int, right: int) -> None:
    value = rows[top][left] if left < len(rows[top]) else None
    for row in rows[top : bottom + 1]:
        for at in range(left, min(right + 1, len(row))):
            row[at] = value


def _cell(value: Any) -> Cell:
    if isinstance(value, bool):
        return "T" if value else "F"
    if isinstance(value, (int, float)):
        return float(value)
    if isinstance(value, (date, datetime, time, timedelta)):
        return value.isoformat() if not isinstance(value, timedelta) else str(value)
    return str(value) or None
