"""Pages printed by a browser, and photographs of them. A browser is needed to print, so the prints are kept in `files`:
`python -m tests.corpus.unseen.printed` makes them again with Chromium.
"""

from __future__ import annotations

import io
import random
import subprocess
import tempfile
from pathlib import Path

import numpy
import pypdfium2 as pdfium
from PIL import Image, ImageFilter

from tests.corpus.unseen.typed import Made
from tests.corpus.unseen.web import PRINTED

FILES = Path(__file__).parent / "files"
DPI = 170
TABLE = 96  # how dark the table is on which a page lies
PHOTOGRAPHED = ("flowing", "printed_zh", "worked_zh")


def prints() -> list[Made]:
    made = []
    for write in PRINTED:
        _, paper = write()
        made.append(((FILES / f"{paper.name}.pdf").read_bytes(), paper))
    return made


def photographs(content: bytes, seed: int) -> list[bytes]:
    """Each page as a phone sees it: from one side, with the shadow of a hand, on a dark table, compressed."""
    document = pdfium.PdfDocument(content)
    pages = [page.render(scale=DPI / 72, grayscale=True).to_pil().convert("L") for page in document]
    return [_photograph(page, seed + at) for at, page in enumerate(pages)]


def _photograph(page: Image.Image, seed: int) -> bytes:
    dice = random.Random(seed)
    width, height = page.size
    edge = int(0.05 * width)
    frame = (width + 2 * edge, height + 2 * edge)
    corners = [(dice.uniform(0.2, 1.4) * edge, dice.uniform(0.2, 1.4) * edge), (frame[0] - dice.uniform(0.2, 1.4) * edge, dice.uniform(0.2, 1.4) * edge),
               (frame[0] - dice.uniform(0.2, 1.4) * edge, frame[1] - dice.uniform(0.2, 1.4) * edge), (dice.uniform(0.2, 1.4) * edge, frame[1] - dice.uniform(0.2, 1.4) * edge)]  # fmt: skip
    inside = [(0, 0), (width, 0), (width, height), (0, height)]
    seen = page.transform(
        frame, Image.Transform.PERSPECTIVE, _perspective(corners, inside), Image.Resampling.BICUBIC, fillcolor=TABLE
    )
    soft = seen.filter(ImageFilter.GaussianBlur(dice.uniform(0.5, 0.9)))
    rows, columns = numpy.mgrid[0 : soft.height, 0 : soft.width]
    slope = dice.uniform(-1, 1) * columns / soft.width + dice.uniform(-1, 1) * rows / soft.height
    shadow = 1 - 0.3 / (1 + numpy.exp(-(slope - slope.mean()) * 12))
    noise = numpy.random.default_rng(seed).normal(0, dice.uniform(3, 7), (soft.height, soft.width))
    picture = numpy.clip(numpy.asarray(soft, dtype=float) * shadow * 0.93 + noise, 0, 255).astype("uint8")
    stream = io.BytesIO()
    Image.fromarray(picture).convert("RGB").save(stream, "JPEG", quality=dice.randint(55, 80))
    return stream.getvalue()


def _perspective(seen: list[tuple[float, float]], page: list[tuple[int, int]]) -> tuple[float, ...]:
    """The eight numbers by which a place in the photograph is looked up on the page."""
    rows, wanted = [], []
    for (x, y), (u, v) in zip(seen, page, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        wanted += [u, v]
    return tuple(
        float(value) for value in numpy.linalg.solve(numpy.array(rows, dtype=float), numpy.array(wanted, dtype=float))
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for write in PRINTED:
            content, paper = write()
            page = Path(folder) / f"{paper.name}.html"
            page.write_bytes(content)
            target = FILES / f"{paper.name}.pdf"
            subprocess.run(
                [
                    "chromium",
                    "--headless",
                    "--no-sandbox",
                    "--disable-gpu",
                    "--no-pdf-header-footer",
                    f"--print-to-pdf={target}",
                    page.as_uri(),
                ],
                check=True,
            )


if __name__ == "__main__":
    main()
