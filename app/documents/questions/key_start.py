"""Where the key at the end of a paper begins, and its lines as a key writes them."""

from __future__ import annotations

import re
from dataclasses import replace

from app.documents.extract.lines import Line
from app.documents.extract.numerals import from_chinese
from app.documents.questions.answers import take_answer
from app.documents.questions.key_shapes import (
    ONE,
    PAIR,
    RUN,
    SECTION,
    START,
    listed_answers,
    split_numbers,
    with_tables,
)
from app.documents.questions.key_tables import NUMBER_WORDS
from app.documents.questions.marks import PATTERNS, Style
from app.documents.questions.sections import LETTERED, is_heading

HEADER = re.compile(
    r"^(?!\s*\d).{0,40}?(?:answer\s*(?:key|s)\b|answers?\s+(?:and|&)\s+\w+|(?:marking|mark)\s+(?:scheme|guide)|(?:(?<=^)|(?<=^\w{5}\s)|(?<=^\w{6}\s))solutions?\b(?!\s+(?:at|of|in|is|with|that|has)\b)|\bsolutions?(?=\W*$)"
    r"|(?:参考|标准|试题)?答案(?!的|填|写|序号|代号|字母|涂)(?:(?:与|及|和)?\s*(?:解析|评分\w*|详解))?|keys?\s*$).{0,24}$",
    re.IGNORECASE,
)
LED = re.compile(
    r"^(?:(?:参考|标准)?答案\s*[(（/]?\s*)?(?:answer\s*keys?|answers|keys?|(?<=案)|(?:参考|标准)?答案)\s*[)）]?\s*[:：]?\s*(?=(?:Q|第)?\d)",
    re.IGNORECASE,
)
# Multiple Answers, Part B: Short answers (5 points each): what follows asks, and is no key.
KIND_OF_ANSWERS = re.compile(
    r"(?:.{0,24}\W)?(?:multiple|short|long|extended|written|brief)[\s-]+answers?(?:\s+questions?)?\s*(?:[（(\[].*|[-–—:].*)?",
    re.IGNORECASE,
)
TOLD = re.compile(
    r"[?？]|\b(?:choose|select|write|circle|tick|give)\b|选[出择]|填[入写在]|写[出在]|完成", re.IGNORECASE
)  # Choose all correct answers.
LONGEST_HEADER = 80
ALONE = re.compile(r"^\s*(?:(?:Question|Problem|Q)\s*\d{1,3}|第\s*\d{1,3}\s*题)\s*[.:：]?\s*$", re.IGNORECASE)
BROKEN = re.compile(r"\s\d{1,3}[.．、:：]\s*$")
NUMBERS = re.compile(r"(?:^|\s|[-–—~～])(?:Q|第)?(\d{1,3})\s?(?:[.．、:：]\s|[A-H]{2,}|\s[A-H]{2,})")


def find_key(lines: list[Line], after: int, first_number: int, style: Style = "dot") -> int | None:
    """Where the key at the end of a paper begins: a heading after which the numbers start again."""
    answered = False  # there are answers below their questions
    for at in range(after + 1, len(lines)):
        text = lines[at].text.strip()
        led = LED.match(text)
        if led and _starts_again([Line(text[led.end() :], "")], first_number) and _says_several(text[led.end() :]):
            return at
        told = take_answer(text)
        short = re.fullmatch(rf"{ONE}\W*", told.answer or "", re.IGNORECASE)
        if not told.text.strip() and (told.solution or (told.answer and (answered or short))):
            answered = True
            continue
        answered |= bool(told.answer)
        if text[:1].islower() and not lines[at].heading and lines[at - 1].text.strip():
            continue  # the end of a sentence: Choose all | correct answers.
        if len(text) > LONGEST_HEADER or not HEADER.match(text) or KIND_OF_ANSWERS.fullmatch(text) or TOLD.search(text):
            continue
        following = [other for other in lines[at + 1 : at + 12] if other.text.strip() and not other.figure]
        following = _counted_alike(_unbroken(following), style)
        if _starts_again(following, first_number):
            return at
    return None


def _counted_alike(lines: list[Line], style: Style) -> list[Line]:
    """A key may count as its paper does, (1) (2) or 一、二、: with a dot behind the number it is like all others."""
    if style not in {"paren", "chinese"}:
        return lines
    found, last = [], 0
    seen: set[int] = set()
    for line in lines:
        text = line.text.strip()
        mark = PATTERNS[style].match(text)
        number = from_chinese(next(group for group in reversed(mark.groups()) if group)) if mark else None
        left_out = number and min(seen, default=last) < number < last and number not in seen  # it has parts
        if mark and number and (number > last or left_out):  # (1) below 10. is a part of it
            last = number
            seen.add(number)
            found.append(replace(line, text=f"{number}. {text[mark.end() :]}"))
            continue
        counted = [int(one) for one in NUMBERS.findall(text)]
        opens = is_heading(line, chinese_is_main=False) or bool(LETTERED.match(text))
        last = 0 if opens else max([last, *counted])
        seen = set() if opens else seen | set(counted)
        found.append(line)
    return found


def key_lines(lines: list[Line], at: int, style: Style = "dot") -> list[Line]:
    """The key without its heading."""
    text = lines[at].text.strip()
    led = LED.match(text)
    rest = (
        [Line(text[led.end() :], lines[at].file, lines[at].page)]
        if led and (START.match(text[led.end() :]) or RUN.match(text[led.end() :]))
        else []
    )
    return rest + _counted_alike(_unbroken(lines[at + 1 :]), style)


def _breaks_off(line: Line) -> bool:
    if ALONE.match(line.text):
        return True
    if line.top is None or line.cells or not BROKEN.search(line.text):
        return False
    return len(list(PAIR.finditer(line.text))) > 1


def _unbroken(lines: list[Line]) -> list[Line]:
    """8. B   9. at the end of a narrow line, or Question 9 alone, and the answer in the next one."""
    found: list[Line] = []
    for line in lines:
        if found and line.text.strip() and _breaks_off(found[-1]):
            found[-1] = replace(found[-1], text=f"{found[-1].text} {line.text.strip()}")
        else:
            found.append(line)
    return found


def _says_several(text: str) -> bool:
    return bool(RUN.search(text)) or len(split_numbers(text, 0)) > 1 or len(listed_answers(text)) > 1


def _starts_again(lines: list[Line], first_number: int) -> bool:
    for line in with_tables(lines):
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
