"""Answer keys: "1 A", "1-5 ABCDA", "12(1) B", "3(b)(ii) 4 cm", tables, and worked answers one after another."""

from __future__ import annotations

import re
from dataclasses import replace

from app.documents.extract.lines import GAP, Line
from app.documents.questions.answers import LABEL, take_answer
from app.documents.questions.key_tables import (
    NUMBER_WORDS,
    Entry,
    compact,
    entries_of_table,
    is_table_header,
    part_label,
    with_points_apart,
)
from app.documents.questions.marks import CHINESE
from app.documents.questions.parts import cut, find_answer_parts
from app.documents.questions.points import take_points
from app.documents.questions.sections import is_heading
from app.documents.questions.wording import joined, tidy

HEADER = re.compile(
    r"^(?!\s*\d).{0,40}?(?:answer\s*(?:key|s)\b|answers?\s+(?:and|&)\s+\w+|(?:marking|mark)\s+(?:scheme|guide)|solutions?\b"
    r"|(?:参考|标准|试题)?答案(?!的|填|写|序号|代号|字母|涂)(?:(?:与|及|和)?\s*(?:解析|评分\w*|详解))?|keys?\s*$).{0,24}$",
    re.IGNORECASE,
)
LED = re.compile(
    r"^(?:(?:参考|标准)?答案\s*[(（/]?\s*)?(?:answer\s*keys?|answers|keys?|(?<=案)|(?:参考|标准)?答案)\s*[)）]?\s*[:：]?\s*(?=(?:Q|第)?\d)",
    re.IGNORECASE,
)
LONGEST_HEADER = 80
FURTHEST = 12  # a key may leave out what has no short answer
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
    r"^(?:Question|Q|第)?\s*(?P<number>\d{1,3})\s*(?:题)?(?P<part>(?:\s?[（(]\s?(?:[a-z]|\d{1,2}|[ivx]{1,4})\s?[）)]|(?<=\d)[a-h](?![a-zA-Z]))*)"
    r"\s*(?P<stop>[.．:：、)）]|[-–=](?!\d)|\s{1,}(?=\S)|(?<=[)）])(?=\S)|(?=[【A-H√×]))\s*",
    re.IGNORECASE,
)
INNER = re.compile(r"(?:\s{2,}|[;；。，,]\s*|\s)(?=(\d{1,3})\s?(?:[.．、:：)）]|[-–=](?=[^\d\s])))")
SECTION = re.compile(rf"^{CHINESE}\s*[、.．:：]\s*(?:(?!\d)[^\d]{{0,30}}?[:：]?\s*)?(?=\d)")
LETTER_PART = re.compile(r"^[（(]\s?([a-z]|\d{1,2}|[ivx]{1,4})\s?[）)]\s*", re.IGNORECASE)


def find_key(lines: list[Line], after: int, first_number: int) -> int | None:
    """Where the key at the end of a paper begins: a heading after which the numbers start again."""
    for at in range(after + 1, len(lines)):
        text = lines[at].text.strip()
        led = LED.match(text)
        if led and _starts_again([Line(text[led.end() :], "")], first_number) and _says_several(text[led.end() :]):
            return at
        if len(text) > LONGEST_HEADER or not HEADER.match(text):
            continue
        following = [other for other in lines[at + 1 : at + 12] if other.text.strip() and not other.figure]
        if _starts_again(following, first_number):
            return at
    return None


def key_lines(lines: list[Line], at: int) -> list[Line]:
    """The key without its heading."""
    text = lines[at].text.strip()
    led = LED.match(text)
    rest = (
        [Line(text[led.end() :], lines[at].file, lines[at].page)]
        if led and (START.match(text[led.end() :]) or RUN.match(text[led.end() :]))
        else []
    )
    return rest + lines[at + 1 :]


def _says_several(text: str) -> bool:
    return bool(RUN.search(text)) or len(_split_numbers(text, 0)) > 1 or len(_listed(text)) > 1


def _starts_again(lines: list[Line], first_number: int) -> bool:
    for line in _with_tables(lines):
        if line.cells and any(NUMBER_WORDS.match(cell) for cell in line.cells):
            return True
        text = line.text.strip()
        opened = SECTION.match(text)
        text = text[opened.end() :] if opened else text
        run, start, pair = RUN.search(text), START.match(text), PAIR.search(text)
        found = run or start or pair
        if found:
            return int(found.group(1) if run else found["number"]) == first_number
    return False


def parse_key(lines: list[Line]) -> list[Entry]:
    """Every answer that these lines state, in their order."""
    walk = _Walk()
    table: list[list[str]] = []
    for line in [*_with_tables(lines), Line("", "")]:
        if line.cells:
            table.append(line.cells)
            continue
        if table:
            walk.close()
            walk.extend(entries_of_table(table))
            table = []
        if line.text.strip() and not line.figure:
            walk.take(line)
    walk.close()
    return walk.entries


def _with_tables(lines: list[Line]) -> list[Line]:
    """A printed table is lines of texts set apart; its header tells that they are cells."""
    found: list[Line] = []
    header: list[str] = []
    for line in lines:
        cells = line.cells or [cell.strip() for cell in line.text.split(GAP) if cell.strip()]
        if is_table_header(cells):
            header = cells
        elif len(cells) <= 1:
            header = []
        found.append(replace(line, cells=with_points_apart(cells, header)) if header else line)
    return found


class _Walk:
    """Down a key, counting: an answer goes on until a higher number begins, a group until the numbers begin again."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._group = 0
        self._last = 0
        self._fresh = False  # a section heading was just seen
        self._open: list[Line] = []

    def take(self, line: Line) -> None:
        text = line.text.strip()
        opened = SECTION.match(text)
        if opened and (START.match(text[opened.end() :]) or RUN.match(text[opened.end() :])):  # 二、4. 2   5. 3
            self._fresh, text = True, text[opened.end() :]
        elif is_heading(line, chinese_is_main=False) and not RUN.search(text) and not PAIR.search(text):
            self.close()
            self._fresh = True
            return
        listed = _listed(text)
        if listed:
            self.close()
            self.extend(listed)
            return
        for piece in _split_numbers(text, self._last):
            start = START.match(piece)
            if start and self._begins(start, piece):
                self.close()
                self._count(int(start["number"]))
            self._open.append(Line(piece, line.file, line.page))

    def extend(self, entries: list[Entry]) -> None:
        for entry in entries:
            self._count(entry.number)
            entry.group = self._group
        self.entries += entries

    def close(self) -> None:
        """What was collected so far is one worked answer."""
        worked = _worked(self._open) if self._open else []
        for entry in worked:
            entry.group = self._group
        self.entries += worked
        self._open = []

    def _begins(self, start: re.Match[str], text: str) -> bool:
        number = int(start["number"])
        if start["stop"] == "." and text[start.end("stop") :][:1].isdigit():  # 4.2 is a number, unless 4 is awaited
            return number == self._last + 1
        again = number == 1 and self._fresh
        continued = bool(start["part"]) and number == self._last
        return again or continued or self._last < number <= self._last + FURTHEST or not self._last

    def _count(self, number: int) -> None:
        if number == 1 and self._last > 1:
            self._group += 1
        self._last = number
        self._fresh = False


def _listed(text: str) -> list[Entry]:
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


def _split_numbers(text: str, last: int) -> list[str]:
    """11. 5   12. -3   13. x = 2: the numbers count, so each begins an answer of its own."""
    pieces: list[str] = []
    start = START.match(text)
    expected = int(start["number"]) + 1 if start else last + 1
    at = 0
    for found in INNER.finditer(text):
        if int(found.group(1)) == expected and found.start() > 0:
            pieces.append(text[at : found.start()])
            at = found.end()
            expected += 1
    pieces.append(text[at:])
    return [piece.strip() for piece in pieces if piece.strip()]


def _worked(lines: list[Line]) -> list[Entry]:
    """One answer with whatever explains it, and with the parts that it names."""
    start = START.match(lines[0].text)
    if start is None:
        return []
    first = Line(lines[0].text[start.end() :], lines[0].file, lines[0].page)
    text = joined([first, *lines[1:]])
    text = re.sub(r"^(?:解|答|证明|solution|answer)\s*[:：]\s*(?=[（(]\s?[a-z1-9])", "", text, flags=re.IGNORECASE)
    number, part = int(start["number"]), part_label(start["part"] or "")
    inner = LETTER_PART.match(text)
    if inner and not part:
        entries = _parts(number, text)
        if entries:
            return entries
    return [_entry(number, part if not inner else "", text)]


def _parts(number: int, text: str) -> list[Entry]:
    parts = find_answer_parts(text)
    return [_entry(number, part.label, piece) for part, piece in zip(parts, cut(text, parts), strict=True)]


def _entry(number: int, part: str, text: str) -> Entry:
    if LABEL.search(text):
        said = take_answer(text)
        answer, solution = said.answer or tidy(said.text), said.solution
        if not answer and said.worked and "\n" not in said.worked:
            answer, solution = tidy(said.worked), None  # 9. 解：x = 7
    else:
        answer, _, solution = (tidy(piece) for piece in text.partition("\n"))
    points, answer = take_points(answer)
    letter = re.match(r"^([A-H]{1,8})(?:[.。．:：]?\s+|[.。．,，;；:：]\s*)(?=\S)", answer)
    if (
        letter
        and not solution
        and re.match(r"^[A-H]{1,8}\s*[-–—:：(（]|^[A-H]{1,8}[.。]?\s+(?:because|since|因)", answer, re.IGNORECASE)
    ):
        answer, solution = letter.group(1), answer[letter.end() :]
    return Entry(0, number, part, answer.strip().rstrip("。；;"), (solution or "").strip() or None, points)
