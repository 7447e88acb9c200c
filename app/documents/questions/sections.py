"""Headings that divide a paper: what kind of questions follow, what each is worth, how many there should be."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from app.documents.extract.lines import Line
from app.documents.questions.marks import CHINESE
from app.documents.questions.points import points_each
from app.documents.values import QuestionType

WORDS: dict[QuestionType, tuple[str, ...]] = {
    "multiple": (
        r"多项?选|不定项|select\s+all",
        r"multiple[\s-]+(?:answers?|response|select)",
        r"more\s+than\s+one\s+(?:correct|answer)",
        r"one\s+or\s+more\s+(?:correct|answers?)",
    ),
    "true_false": (r"判断|是非|判一判|true\s*(?:/|or|-|and)\s*false|\bT\s*/\s*F\b|right\s+or\s+wrong",),
    "single": (
        r"(?<!非)选择题|单选|单项|选一选|multiple[\s-]+choice|single[\s-]+choice|choose\s+the\s+(?:best|correct)|\bMCQs?\b",
    ),
    "blank": (
        r"填空|填一填|fill[\s-]+in|fill[\s-]+the[\s-]+(?:blank|gap|missing)|completion|complete\s+the\s+(?:sentences?|blanks?)|cloze",
    ),
    "essay": (r"作文|写作|论述|书面表达|essays?|composition|\bwriting\b|extended\s+response|long[\s-]+answer",),
    "calculation": (
        r"计算|算一算|解方程|解答题|应用题|calculations?|computations?|numerical|problem[\s-]+solving|word\s+problems",
    ),
    "short": (
        r"简答|问答|实验题|探究|材料|阅读|名词解释|short[\s-]+(?:answer|response)|structured|free[\s-]+response",
        r"open[\s-]+ended|definitions?|reading",
    ),
}
KINDS = {kind: re.compile("|".join(words), re.IGNORECASE) for kind, words in WORDS.items()}
NAMED = re.compile(
    r"^\W*(?:section|part|paper|unit|chapter)\s+(?:[A-Z]|[IVX]{1,5}|\d{1,2}|one|two|three|four|five|six)\b\W*",
    re.IGNORECASE,
)
NUMBERED = re.compile(
    rf"^(?:第\s*(?:{CHINESE}|[IVX]+|\d)\s*(?:部分|卷|大题|节)|{CHINESE}\s*[、.．:：]|[（(]{CHINESE}[）)]|[IVX]{{1,4}}\s*[.．、)]\s)"
)
LETTERED = re.compile(r"^[A-H]\s*[.．、)）:]\s+")
LISTED = re.compile(r"^[\W_]*(?:\d|(?:[ivx]{1,4}|[a-z])\s?[.)）])")  # an item of a list, not a heading
INSTRUCTIONS = re.compile(
    r"^\W*(?:(?:general\s+)?(?:instructions?|directions?|notes?)\b|(?:instructions?|information)\s+(?:to|for)\s+(?:students|candidates)"
    r"|read\s+these\s+instructions|(?:learning\s+)?(?:objectives?|goals|outcomes|aims)\W*$|materials\W*$|rules\W*$|(?:学习|教学)目标|注意事项|考生(?:须知|注意)|答题(?:须知|说明)|说明)",
    re.IGNORECASE,
)
LED = re.compile(r"^[A-Za-z][A-Za-z /-]{3,30}[:：]\s")
BONUS = re.compile(r"^\W*(?:bonus|extra\s+credit|附加题|选做题)", re.IGNORECASE)
SHORT_HEADING, SHORTEST_HEADING = 70, 32
SENTENCE = re.compile(r"[?？]|\b(?:is|are|was|were|which|what|why|how)\b", re.IGNORECASE)


@dataclass(slots=True)
class Section:
    title: str
    number: int
    kind: QuestionType | None
    preamble: list[Line] = field(default_factory=list)
    blocks: int = 0  # how many questions it holds

    @property
    def words(self) -> str:
        return "\n".join([self.title, *(line.text for line in self.preamble)])


def kind_in(text: str) -> QuestionType | None:
    """The first kind of question that a heading names; with several, the one it begins with."""
    found = [
        (match.start(), rank, kind)
        for rank, (kind, pattern) in enumerate(KINDS.items())
        if (match := pattern.search(text))
    ]
    if not found:
        return None
    kinds = {kind for _, _, kind in found}
    if {"multiple", "single"} <= kinds:  # 多项选择题 also says 选择题
        kinds_in_order = [kind for _, _, kind in sorted(found) if kind != "single"]
        return (
            kinds_in_order[0]
            if re.search(r"多项?选|不定项|select\s+all|more\s+than", text, re.IGNORECASE)
            else "single"
        )
    return min(found)[2]


def is_heading(line: Line, *, chinese_is_main: bool) -> bool:  # noqa: PLR0911 - a list of decisions, taken from the top
    """Whether the line opens a section, rather than asking something."""
    text = line.text.strip()
    if not text or line.figure or len(text) > 4 * SHORT_HEADING:
        return False
    if BONUS.match(text):
        return True
    if NAMED.match(text):
        return len(text) <= 2 * SHORT_HEADING and not text.endswith(("?", "？"))
    if NUMBERED.match(text):
        if re.match(rf"^{CHINESE}\s*[、.．:：]", text):
            return not chinese_is_main
        worth = points_each(text) is not None
        return kind_in(text) is not None or text.startswith("第") or line.heading or worth
    if LETTERED.match(text):
        return line.heading and kind_in(text) is not None
    named = kind_in(text) is not None and not LISTED.match(text)
    if line.heading:
        return named or bool(re.search(r"\d\s*(?:分|points|marks)", text))
    if (
        named
        and (points_each(text) or LED.match(text))
        and len(text) <= 2 * SHORT_HEADING
        and not text.endswith(("?", "？"))
    ):
        return True
    bare = re.sub(r"[（(\[].*?(?:[）)\]]|$)", "", text).strip(" :：.-–—")
    return (
        named
        and kind_in(bare) is not None
        and len(bare) <= SHORTEST_HEADING
        and not SENTENCE.search(bare)
        and not re.search(r"[，。；]", bare)
    )
