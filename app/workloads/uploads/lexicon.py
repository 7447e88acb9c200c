"""Terms of the curriculum that name one subject and mean one thing, in English and Chinese.

A question that uses such a term is about it, so no model is needed to say so. Words with an everyday meaning (force,
power, root, cell) are left out: a wrong knowledge point is worse than none. A line is a term with its other spellings;
`english = 中文`, and of several spellings on a side the first is the name that is shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Literal

Subject = Literal[
    "mathematics",
    "physics",
    "chemistry",
    "biology",
    "science",
    "geography",
    "history",
    "english",
    "chinese",
    "computing",
    "politics",
]

NAMES: dict[Subject, tuple[str, str]] = {
    "mathematics": ("Mathematics", "数学"),
    "physics": ("Physics", "物理"),
    "chemistry": ("Chemistry", "化学"),
    "biology": ("Biology", "生物"),
    "science": ("Science", "科学"),
    "geography": ("Geography", "地理"),
    "history": ("History", "历史"),
    "english": ("English", "英语"),
    "chinese": ("Chinese", "语文"),
    "computing": ("Computing", "信息技术"),
    "politics": ("Politics", "道德与法治"),
}

_TERMS: dict[Subject, str] = {
    "mathematics": """
        quadratic equation = 一元二次方程
        simultaneous equations, system of equations = 二元一次方程组
        linear equation = 一元一次方程
        solving equations = 解方程
        inequality = 不等式
        quadratic function, parabola = 二次函数, 抛物线
        linear function = 一次函数
        trigonometric function = 三角函数
        exponential function = 指数函数
        logarithm, logarithmic = 对数函数
        arithmetic sequence, arithmetic progression = 等差数列
        geometric sequence, geometric progression = 等比数列
        Pythagorean theorem, Pythagoras' theorem = 勾股定理
        similar triangles = 相似三角形
        congruent triangles = 全等三角形
        factorisation, factorization, factorise, factorize = 因式分解
        prime number = 质数
        least common multiple, lowest common multiple = 最小公倍数
        greatest common divisor, highest common factor = 最大公约数, 最大公因数
        decimal places = 小数
        numerator and denominator, common denominator = 通分
        percentage = 百分数, 百分比
        probability = 概率
        standard deviation = 标准差
        derivative, differentiate = 导数
        definite integral, indefinite integral = 定积分
        complex number = 复数
        perimeter = 周长
        circumference = 圆周长
        area of a circle = 圆的面积
        area of a triangle = 三角形的面积
        angles of a triangle = 三角形内角和
        irrational number = 无理数
        order of operations = 四则运算
    """,
    "physics": """
        Ohm's law = 欧姆定律
        Newton's second law = 牛顿第二定律
        Newton's first law = 牛顿第一定律
        Newton's third law = 牛顿第三定律
        buoyancy, buoyant force, Archimedes' principle = 浮力, 阿基米德原理
        kinetic energy = 动能
        potential energy = 势能
        conservation of energy = 能量守恒
        conservation of momentum = 动量守恒
        friction = 摩擦力
        centripetal force = 向心力
        free fall = 自由落体
        refraction = 光的折射, 折射
        total internal reflection = 全反射
        convex lens, converging lens = 凸透镜
        electromagnetic induction = 电磁感应
        series circuit = 串联电路
        parallel circuit = 并联电路
        atmospheric pressure = 大气压强, 大气压
        specific heat capacity = 比热容
        speed of light = 光速
        vector quantity, vector quantities = 矢量
        projectile motion = 平抛运动
        heat conduction, conducts heat = 热传导
    """,
    "chemistry": """
        periodic table = 元素周期表
        chemical equation = 化学方程式
        chemical formula = 化学式
        chemical symbol = 元素符号
        valency, oxidation state, oxidation number = 化合价
        redox reaction = 氧化还原反应
        neutralisation, neutralization = 中和反应
        covalent bond = 共价键
        ionic bond = 离子键
        catalyst = 催化剂
        electrolysis = 电解
        molar mass = 摩尔质量
        solubility = 溶解度
        pure substance = 纯净物
        isotope = 同位素
        alkane = 烷烃
        displacement reaction = 置换反应
    """,
    "biology": """
        photosynthesis = 光合作用
        cellular respiration = 细胞呼吸, 呼吸作用
        mitochondria, mitochondrion = 线粒体
        chloroplast = 叶绿体
        cell membrane = 细胞膜
        mitosis = 有丝分裂
        meiosis = 减数分裂
        food chain = 食物链
        ecosystem = 生态系统
        biodiversity = 生物多样性
        natural selection = 自然选择
        chromosome = 染色体
        DNA replication = DNA复制
        osmosis = 渗透作用
        transpiration = 蒸腾作用
        enzyme = 酶
        homeostasis = 稳态
    """,
    "geography": """
        plate tectonics = 板块构造
        latitude and longitude = 经纬度
        contour line = 等高线
        monsoon = 季风
        greenhouse effect = 温室效应
        urbanisation, urbanization = 城市化
        population density = 人口密度
        water cycle = 水循环
        time zone = 时区
    """,
    "history": """
        First World War, World War I = 第一次世界大战
        Second World War, World War II = 第二次世界大战
        French Revolution = 法国大革命
        Industrial Revolution = 工业革命
        Renaissance = 文艺复兴
        Cold War = 冷战
        Opium War = 鸦片战争
        Xinhai Revolution = 辛亥革命
        May Fourth Movement = 五四运动
        Silk Road = 丝绸之路
        four great inventions = 四大发明
    """,
    "english": """
        past tense, simple past = 一般过去时
        present perfect = 现在完成时
        passive voice = 被动语态
        relative clause, attributive clause = 定语从句
        subjunctive mood = 虚拟语气
        reported speech, indirect speech = 间接引语
        synonym = 同义词
        antonym = 反义词
        irregular verb = 不规则动词
    """,
    "chinese": """
        classical Chinese = 文言文
        metaphor = 比喻
        personification = 拟人
        parallelism = 排比
        wrongly written characters = 错别字
        idiom = 成语
        faulty sentence = 病句
        reading comprehension = 阅读理解
    """,
    "computing": """
        binary number = 二进制
        bubble sort = 冒泡排序
        flowchart = 流程图
        relational database = 关系数据库
        recursion = 递归
    """,
    "politics": """
        rule of law = 依法治国
        socialist core values = 社会主义核心价值观
        constitution = 宪法
    """,
}


@dataclass(frozen=True, slots=True)
class Term:
    """A term as it was found: the subject that it belongs to, and its name in the language of the text."""

    subject: Subject
    name: str
    at: int


def terms_in(text: str) -> list[Term]:
    """The terms that stand in the text, each once, in their order."""
    pattern, names = _compiled()
    found: dict[str, Term] = {}
    for match in pattern.finditer(text):
        subject, name = names[" ".join(match.group().lower().replace("\u2019", "'").split())]
        found.setdefault(name, Term(subject, name, match.start()))
    return sorted(found.values(), key=lambda term: term.at)


@cache
def _compiled() -> tuple[re.Pattern[str], dict[str, tuple[Subject, str]]]:
    names: dict[str, tuple[Subject, str]] = {}
    spellings: list[str] = []
    for subject, lines in _TERMS.items():
        for line in filter(None, map(str.strip, lines.splitlines())):
            for side in line.split("="):
                several = [spelling.strip() for spelling in side.split(",")]
                for spelling in several:
                    for form in _forms(spelling):
                        names[form.lower()] = (subject, several[0])
                        spellings.append(form)
    # The longest first, so that a longer term is not broken by a shorter one inside it.
    ways = (_way(form) for form in sorted(spellings, key=len, reverse=True))
    return re.compile("|".join(ways), re.IGNORECASE), names


def _forms(spelling: str) -> list[str]:
    """The term and its plural."""
    if not spelling.isascii():
        return [spelling]
    if spelling.endswith("y"):
        return [spelling, f"{spelling[:-1]}ies"]
    return [spelling] if spelling.endswith("s") else [spelling, f"{spelling}s"]


def _way(form: str) -> str:
    if not form.isascii():
        return re.escape(form)
    words = r"\s+".join(re.escape(word).replace("'", "['\u2019]") for word in form.split())
    return rf"\b{words}(?!\w)"
