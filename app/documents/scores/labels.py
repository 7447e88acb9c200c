"""What a column is for, by the words at its top, in English and Chinese."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Role = Literal[
    "name",
    "id",
    "class",
    "order",
    "rank",
    "total",
    "question",
    "subject",
    "item",
    "topic",
    "mark",
    "subtotal",
    "other",
    "empty",
]


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


RANK = _words(r"排名|名次|位次|班次|校次|年级次|\brank(?:ing)?\b|\bposition\b|\bpercentile\b|\bgrade$|等级|等第|letter")
NAME = _words(
    r"^(?:姓\s*名|(?:考生|学生)(?:姓名)?|名字|(?:s_?|student'?s?\s*|pupil\s*|full\s*|candidate\s*)?names?|students?|pupils?|candidates?|learner|name\s+of\s+(?:the\s+)?(?:student|candidate|pupil))$"
)
GIVEN = _words(r"^(?:first|given|last|family|sur)\s*_?names?$|^surname$")
ID = _words(
    r"^(?:自定义)?(?:准考证号?|考\s*号|考生号|学\s*号|学生(?:编号|id)|学籍号|编号|(?:student|candidate|pupil|exam|roll|admission|adm\.?|registration|reg\.?|index|seat)\s*_?-?"
    r"(?:id|no\.?|number|code|\#)|id(?:\s*(?:no\.?|number))?|sid|uid|roll|matric(?:ulation)?(?:\s*(?:no\.?|number))?|student\s*\#)$"
)
CLASS = _words(r"^(?:班\s*级|行政班|教学班|班别|班|class(?:\s*name)?|form|homeroom|group|年级|grade\s*level)$")
ORDER = _words(r"^(?:序\s*号|编?次|no\.?|n[ºo°]\.?|s/?n|sl\.?\s*no\.?|sr\.?\s*no\.?|\#|row|座号|座位号?|考场|seat)$")
TOTAL = _words(
    r"^(?:总\s*分|总成绩|总得分|合计|卷面(?:总)?分|(?:grand\s+|overall\s+)?totals?(?:\s*(?:scores?|marks?|points?))?|sum|final\s*(?:score|mark)|overall|grade\s*/)"
)
MARK = _words(
    r"^(?:得\s*分|(?:考试|测试|期[中末]|月考|卷面)?(?:分\s*数|成\s*绩)|科目(?:分数|成绩)|scores?|marks?(?:\s*(?:obtained|scored|awarded|secured))?|points?|result|points?\s*(?:earned|awarded)|(?:exam|test)\s*(?:score|mark)s?)\s*(?:[（(/].*)?$"
)
ITEM = _words(
    r"^(?:题\s*号|题目|小题(?:号)?|questions?(?:\s*(?:no\.?|number|id|\#))?|items?(?:\s*no\.?)?|q(?:\s*no\.?)?|problem)$"
)
TOPIC = _words(r"^(?:科目(?:名称)?|学科|选考?科目?|subjects?(?:\s*name)?|course|module)$")
SUBTOTAL = _words(
    r"客观|主观|选择题?(?:总?得?分|小计)?$|填空题?(?:总?得?分|小计)?$|解答题?(?:总?得?分|小计)?$|小计|sub-?\s*total|第?[ⅠⅡI一二]+卷|objective|section|part\s+[A-Z]\b"
)
IGNORED = _words(
    r"备注|说明|性别|日期|出生|手机|电话|remarks?|comments?|notes?|gender|sex|date|birth|e-?mail|phone|percent(?:age)?|%|状态|status|签名|学校|school|average|平均|^max(?:imum)?\.?\s*(?:points?|scores?|marks?)$"
)
SUBJECT = _words(
    r"^(语文|数学|英语|外语|物理|化学|生物|政治|道德与法治|思想?品?德?|历史|地理|科学|体育|音乐|美术|信息(?:技术)?|通用技术|理综|文综|综合"
    r"|chinese|math(?:ematic)?s?|english|physics|chemistry|biology|history|geography|politics|science|economics|literature|music|art|p\.?e\.?"
    r"|computer\s*science|french|german|spanish|latin|ict|social\s*studies|civics|algebra|geometry|reading|writing|language\s*arts)"
    r"\s*(?:成绩|分数|得分|scores?|marks?|paper)?\s*(?:[（(\[]?\s*/?\s*(?:满分|max\.?|out\s+of)?\s*[:：]?\s*(\d{2,3})\s*(?:分|points?|pts?\.?|marks?)?\s*[）)\]]?)?$"
)
QUESTION = _words(
    r"^(?:Q(?:uestion)?|第|T(?:ask)?|Item|题|Problem|Prob|P|Ex(?:ercise)?|\#)?\s*[.#_-]?\s*(?P<number>[1-9]\d{0,2})"
    r"(?P<part>(?:\s*[（(]\s*(?:[a-z]{1,4}|\d{1,2})\s*[）)]|\s?[a-z]{1,4}(?![a-z])|[-_.]\s?(?:\d{1,2}|[a-z]{1,3})(?!\d))*)"
    r"\s*(?:小?题)?\s*(?:[（(\[/]\s*(?:满分|max\.?|out\s+of|/)?\s*:?\s*(?P<max>\d{1,3}(?:\.\d+)?)\s*(?P<unit>分|points?|pts?\.?|marks?|m|p)?\s*[）)\]]?)?"
    r"\s*(?:得分|score|marks?|分|[（(]\d{4,}[）)])?$"
)
TITLED = _words(
    r"^(?:(?:Q(?:uestion)?|第)\s*|(?=\d{1,3}\s?[.:、)].*\[(?:score|points?)\]$))(?P<number>[1-9]\d{0,2})\s*题?\b\s*[:：.、)-]?\s*[^\d\s(（].*?"
    r"(?:[（(]\s*(?P<max>\d{1,3}(?:\.\d+)?)\s*(?:分|points?|pts?\.?|marks?)?\s*[）)])?$"
)
MAX_ROW = _words(
    r"^(?:(?:总|题目|各题|小题|卷面|试题)?(?:满\s*分|分\s*值)值?|max(?:imum)?\.?(?:\s*(?:score|mark|point)s?)?|full\s*(?:score|mark)s?|out\s+of|(?:points?|marks?)\s*(?:possible|available)|possible(?:\s*points)?|points)\s*[:：]?$"
)
KEY_ROW = _words(r"^(?:(?:正确|参考|标准)?答案|(?:answer\s*)?key|correct(?:\s*answers?)?|answers?)\s*[:：]?$")
FOOTER = _words(
    r"^(?:(?:班级|年级|全班|全体|总)?\s*(?:平均|均)\s*(?:分|值|得分)?|最\s*高\s*分?|最\s*低\s*分?|及格[率人]|优秀[率人]|得分率|难度|区分度|标准差|方差|中位数|合\s*计|总\s*计|人数|参考人数|应考|实考"
    r"|(?:class\s+|overall\s+|grand\s+)?(?:averages?|avg\.?|means?|median|mode|std\.?(?:\s*dev\.?)?|st\.?\s*dev\.?p?|s\.d\.|standard\s+deviation|variance|minimum|min\.?|highest|lowest|count|pass\s*rate"
    r"|total|totals|sum|max\.?|maximum|difficulty|discrimination|n\s*=.*)|制表|审核|备注|注[:：]|notes?:|legend|printed|generated|签字|班主任|任课教师|制表人|(?:class\s+)?teacher(?:'?s)?|principal|head(?:master|mistress|teacher)|signature|signed"
    r"|(?:prepared|checked|marked)\s+by)(?![a-z])",
)


@dataclass(frozen=True, slots=True)
class Label:
    role: Role
    text: str
    number: int | None = None
    part: str = ""
    bracket: str = ""  # a bare number in brackets: a part, or what the question is out of
    max_score: float | None = None


def label_of(text: str) -> Label:  # noqa: PLR0911 - a list of decisions, taken from the top
    text = re.sub(r"\s+", " ", text).strip().strip("*：:")
    if not text:
        return Label("empty", "")
    question = QUESTION.match(text)
    if question:
        return _question(text, question)
    titled = TITLED.match(text)
    if titled:  # Q1 Stress and strain (12)
        most = float(titled["max"]) if titled["max"] else None
        return Label("question", text, int(titled["number"]), max_score=most)
    compact = re.sub(r"\s*[（(\[【].*?[）)\]】]\s*$", "", text)
    for role, pattern in (
        ("rank", RANK),
        ("total", TOTAL),
        ("name", NAME),
        ("id", ID),
        ("class", CLASS),
        ("order", ORDER),
    ):
        if pattern.search(compact):
            return Label(role, text, max_score=_max_in(text) if role == "total" else None)  # type: ignore[arg-type]
    if GIVEN.match(compact):
        return Label("name", text)
    subject = SUBJECT.match(text)
    if subject:
        return Label("subject", subject.group(1), max_score=float(subject.group(2)) if subject.group(2) else None)
    for role, pattern in (("topic", TOPIC), ("item", ITEM), ("mark", MARK), ("subtotal", SUBTOTAL), ("other", IGNORED)):
        if pattern.search(compact):
            return Label(role, text, max_score=_max_in(text) if role == "mark" else None)  # type: ignore[arg-type]
    return Label("other", text)


def _question(text: str, found: re.Match[str]) -> Label:
    part, bracket, most = found["part"] or "", "", found["max"]
    only = re.fullmatch(r"\s*[（(]\s*(\d{1,2})\s*[）)]", part)
    if only:
        part, bracket = "", only.group(1)
    return Label("question", text, int(found["number"]), part_id(part), bracket, float(most) if most else None)


def part_id(text: str) -> str:
    pieces = re.findall(r"[a-z]+|\d+", text.lower())
    return "".join(f"({piece})" if piece.isdigit() else piece for piece in pieces)


def _max_in(text: str) -> float | None:
    found = re.search(r"[（(\[/]\s*(?:满分|max\.?|out\s+of|/)?\s*:?\s*(\d{1,4})", text, re.IGNORECASE)
    return float(found.group(1)) if found else None
