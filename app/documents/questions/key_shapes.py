"""How a line of a key may look: short answers side by side, numbers before answers, a printed table."""

from __future__ import annotations

import re
from dataclasses import replace

from app.documents.extract.lines import GAP, Line
from app.documents.questions.answers import LABEL
from app.documents.questions.key_tables import Entry, compact, is_table_header, part_label, with_points_apart
from app.documents.questions.marks import CHINESE

ONE = r"(?:[A-H]{1,8}(?![A-Za-z])|[TF](?![A-Za-z])|true|false|[√×✓✗✔✘]|正确|错误|对|错)"
RUN = re.compile(
    r"(\d{1,3})\s*(?:[-–—~～]{1,2}|至|到|to)\s*(\d{1,3})\s*[.:：、)）]?\s*((?:[A-HTF√×✓✗✔✘对错](?:[\s,，、;；]*))+)(?![a-z])"
)
PAIR = re.compile(
    rf"(?:^|(?<=[\s,，;；|。.]))(?:Q|第)?\s*(?P<number>\d{{1,3}})(?P<part>(?:\s?[（(]\s?(?:[a-z]|\d{{1,2}}|[ivx]+)\s?[）)]|[a-z](?![a-z]))*)\s*题?"
    rf"\s*[.．:：、)）\-–=]?\s*[（(]?(?P<answer>{ONE}(?:\s*[,，、]\s*[A-H](?![A-Za-z]))*)[）)]?(?=$|[\s,，;；|。.])",
    re.IGNORECASE,
)
START = re.compile(
    r"^(?:Question|Problem|Exercise|Q|第)?\s*(?P<number>\d{1,3})\s*(?:题)?(?P<part>(?:\s?[（(]\s?(?:(?-i:[a-z])|\d{1,2}|[ivx]{1,4})\s?[）)]|(?<=\d)[a-h](?![a-zA-Z])|(?<=\d)[①-⑳])*)"
    r"\s*(?P<stop>[.．:：、)）]|[-–=](?!\d)|\s{1,}(?=\S)|(?<=[)）①-⑳])(?=\S)|(?=[【A-H√×]))\s*",
    re.IGNORECASE,
)
INNER = re.compile(r"(?:\s{2,}|[;；。，,]\s*|\s)(?=(?:Q|第)?(\d{1,3})\s?(?:[.．、:：)）]|[-–=](?=[^\d\s])))")
SECTION = re.compile(rf"^{CHINESE}\s*[、.．:：]\s*(?:(?!\d)[^\d]{{0,30}}?[:：]?\s*)?(?=\d)")
DOTTED = re.compile(r"^(?:Q|第)?\d{1,3}\s?(?:[.．、)）]|题)")
LETTER_PART = re.compile(
    r"^(?:[（(]\s?(?:[a-z]|\d{1,2}|[ivx]{1,4})\s?[）)]|[①-⑳]|(?:[a-h]|[ivx]{1,4})[.)]\s)\s*", re.IGNORECASE
)


def with_tables(lines: list[Line]) -> list[Line]:
    """A printed table is lines of texts set apart; its header tells that they are cells."""
    found: list[Line] = []
    header: list[str] = []
    for line in lines:
        cells = line.cells or [cell.strip() for cell in line.text.split(GAP) if cell.strip()]
        if is_table_header(cells):
            header = cells
        elif header and not cells:
            continue  # a page ends between two rows
        elif len(cells) <= 1 or (not line.cells and DOTTED.match(cells[0])):
            header = []  # below a table, answers in lines of their own
        found.append(replace(line, cells=with_points_apart(cells, header)) if header else line)
    return found


def listed_answers(text: str) -> list[Entry]:
    """A line that holds nothing but short answers."""
    runs = list(RUN.finditer(text))
    if runs:
        entries = []
        for run in runs:
            first, last = int(run.group(1)), int(run.group(2))
            answers = re.findall(r"[A-HTF√×✓✗✔✘对错]+", run.group(3))
            if len(answers) != last - first + 1:
                answers = list("".join(answers))
            if len(answers) == last - first + 1:
                entries += [Entry(0, first + index, "", answer) for index, answer in enumerate(answers)]
        return entries
    pairs = list(PAIR.finditer(text))
    left = PAIR.sub("", text)
    if pairs and not re.search(r"[\w\u4e00-\u9fff]", left):
        return [
            Entry(0, int(pair["number"]), part_label(pair["part"] or ""), compact(pair["answer"])) for pair in pairs
        ]
    return []


def split_numbers(text: str, last: int) -> list[str]:
    """11. 5   12. -3   13. x = 2: the numbers count, so each begins an answer of its own."""
    pieces: list[str] = []
    start = START.match(text)
    expected = int(start["number"]) + 1 if start else last + 1
    at = 0
    close = re.match(r"\d{1,3}\.\S", text)  # 1.B  2.AC  3.4 cm
    explained = next((label.start() for label in LABEL.finditer(text)), len(text))
    for found in INNER.finditer(text):
        decimal = text[found.end(1) :][:1] == "." and text[found.end(1) + 1 :][:1].isdigit()
        last_words = (
            found.start() > explained and not text[found.end(1) + 1 :].strip()
        )  # 1. C  Explanation: divide by 2.
        before = text[at : found.start()]
        within = before.count("(") > before.count(")") or before.count("（") > before.count("）")  # (x - 1)(x - 3)
        if int(found.group(1)) == expected and before and (close or not decimal) and not last_words and not within:
            pieces.append(text[at : found.start()])
            at = found.end()
            expected += 1
    pieces.append(text[at:])
    return [piece.strip() for piece in pieces if piece.strip()]
