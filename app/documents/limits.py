"""What a document may cost before it is refused. One place, so that an operator's settings can replace it."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one parse. The defaults suit a school; none is needed for correctness."""

    # what comes in
    files: int = 20
    file_bytes: int = 20 * MIB
    total_bytes: int = 80 * MIB

    # what it may unfold to
    archive_members: int = 2_000
    archive_bytes: int = 150 * MIB
    archive_ratio: int = 200
    pages: int = 300
    image_pixels: int = 80_000_000
    rows: int = 10_000
    columns: int = 500
    characters: int = 2_000_000

    # what is sent to the text recogniser
    ocr_pages: int = 60
    ocr_dpi: int = 200
    bitmap_pixels: int = 8_000_000
    ocr_page_seconds: float = 90.0
    ocr_resident_bytes: int = 1_500 * MIB

    # what the child process may use
    resident_bytes: int = 700 * MIB
    address_bytes: int = 2_048 * MIB
    cpu_seconds: int = 120
    wall_seconds: float = 600.0
    result_bytes: int = 16 * MIB


DEFAULT = Limits()
