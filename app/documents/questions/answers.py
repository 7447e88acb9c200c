"""Answers and solutions that stand with their question: "Answer: B", 【答案】B, "Solution: ...", 解析：..."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.documents.questions.points import take_points
from app.documents.questions.wording import is_blank, tidy

ANSWER_WORD = (
    r"(?:(?:correct|right|model|sample|expected|suggested)\s+)?answers?(?:\s+key)?|ans\.?|key"
    r"|(?:正确|参考|标准)?答案(?:为|是)?"
)
SOLUTION_WORD = (
    r"(?:worked\s+|model\s+|sample\s+)?solutions?|explanations?|rationale|reasoning|working|feedback|analysis"
    r"|(?:试题)?(?:答案)?解析|分析|详解|解答|点评|解题(?:过程|思路)|评分标准"
)
OTHER_WORD = r"(?:我的|你的|学生|考生)答案|(?:your|student'?s?|given)\s+answer|难易?度|知识点|考点|题目?来源|difficulty"
LABEL = re.compile(
    rf"""(?:
          [【\[](?:(?P<boxed_answer>{ANSWER_WORD})|(?P<boxed_solution>{SOLUTION_WORD}))[】\]]\s*[:：]?
        | (?:^|(?<=\n)|(?<=\s)|(?<=[.。;；?？）)]))[ \t]*
          (?:(?P<answer>{ANSWER_WORD})|(?P<solution>{SOLUTION_WORD}))\s*[:：]
        | (?:(?<=\n)|^)[ \t]*
          (?:(?P<other>{OTHER_WORD})|(?P<stated_answer>(?:the\s+)?(?:correct|right)\s+answers?\s+(?:is|are)))\s*[:：]
        | (?:(?<=\n)|^)[ \t]*(?P<dashed_answer>ans(?:wer)?)\.?
          (?:\s*[-–—=]\s*|\s+(?=[(（]?[A-H1-8][)）]?[.]?[ \t]*(?:\n|$))|(?<=\.)[ \t]+(?=\S)(?!(?:may|will|can)\b))
        | (?:(?<=\n)|^|(?<=\s))[ \t]*(?P<dashed_solution>(?-i:Explanation|Solution|Rationale|Working|EXPLANATION))
          \s+[-–—]\s+
        | (?:(?<=\n)|^)(?:(?P<bare_answer>答)|(?P<bare_solution>解|证明))\s*[:：]
        )[ \t]*""",
    re.IGNORECASE | re.VERBOSE,
)
# [Answer: B], on a line of its own or behind the last option.
BOXED = re.compile(
    rf"\s{{0,40}}[\[【]\s*({ANSWER_WORD}|{SOLUTION_WORD})\s*[:：]\s*([^\[\]【】]{{0,400}}(?:\[[^\[\]\n]*\][^\[\]\n]*)*)[\]】](?=\s*(?:\n|$))",
    re.IGNORECASE,
)
WORKED = re.compile(r"^\W*(?:(?:worked|model|sample)\s+)?solutions?\W*$|^\W*(?:解|解答)\W*$", re.IGNORECASE)
LETTERS = re.compile(
    r"^[（(\[]?\s*([A-H](?:\s*[,，、;；/&和]?\s*(?:and\s+)?[A-H])*)\s*[）)\]]?(?=\s*(?:$|[.。．、,，;；:：)）\n—-]|\s))"
)
SMALL_LETTERS = re.compile(r"[a-h](?:(?:\s*[,，、;/&]\s*(?:and\s+)?|\s+and\s+)[a-h])+\.?")
LETTER_WITH_TEXT = re.compile(r"^[（(\[]?\s*([a-hA-H])\s*[）)\].．、:：]")


@dataclass(slots=True)
class Answered:
    text: str
    answer: str | None = None
    solution: str | None = None
    worked: str | None = None  # the solution, where it is one and no comment on one


def take_answer(text: str) -> Answered:
    """The text up to the first label, and what the labels announce."""
    text = BOXED.sub(r"\n\1: \2", text)
    labels = list(LABEL.finditer(text))
    if not labels:
        return Answered(text)
    found = Answered(text[: labels[0].start()].rstrip())
    ends = [label.start() for label in labels[1:]] + [len(text)]
    for label, end in zip(labels, ends, strict=True):
        said = text[label.end() : end].strip()
        if is_blank(said) or label["other"]:
            continue
        if any(label[group] for group in ("answer", "boxed_answer", "stated_answer", "dashed_answer", "bare_answer")):
            found.answer = found.answer or said
        else:
            found.solution = f"{found.solution}\n{said}" if found.solution else said
            if WORKED.search(label.group()):
                found.worked = f"{found.worked}\n{said}" if found.worked else said
    return found


def clean_answer(answer: str | None, keys: list[str]) -> str | None:
    """The answer as a key would state it: letters for a choice, the text itself otherwise."""
    if answer is None:
        return None
    _, answer = take_points(answer)
    answer = tidy(answer).strip()
    if keys:
        letters = choice_letters(answer, keys)
        if letters:
            return letters
    return answer.rstrip("。；;").strip() or None


def choice_letters(answer: str, keys: list[str]) -> str | None:
    """B from "B", "(B)", "B. Paris"; AC from "A, C" and "AC"; nothing from what names no option."""
    found = LETTERS.match(answer)
    if found:
        letters = "".join(sorted(set(re.findall("[A-H]", found.group(1)))))
        if all(letter in keys for letter in letters):
            return letters
    listed = SMALL_LETTERS.fullmatch(answer)
    if listed and all(letter.upper() in keys for letter in re.findall(r"\b[a-h]\b", answer)):
        return "".join(sorted(set(re.findall(r"\b[a-h]\b", answer)))).upper()
    found = LETTER_WITH_TEXT.match(answer) or re.fullmatch(r"([a-h])", answer)
    if found and found.group(1).upper() in keys:
        return found.group(1).upper()
    return None
