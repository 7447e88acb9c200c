"""What the corpus asks: questions in English and Chinese, with everything that is true about them."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Item:
    """A question as its author knows it. A question with parts has no answer of its own."""

    type: str
    stem: str
    options: tuple[str, ...] = ()
    answer: str = ""
    points: int = 2
    solution: str = ""
    parts: tuple[Item, ...] = field(default=())


ENGLISH = {
    "single": (
        Item("single", "Which planet is closest to the Sun?", ("Venus", "Mercury", "Mars", "Earth"), "B", 2, "Mercury orbits at 0.39 AU."),
        Item("single", "What is the SI unit of force?", ("newton", "joule", "watt", "pascal"), "A", 2, "F = ma, so 1 N = 1 kg m/s2."),
        Item("single", "The chemical symbol for sodium is", ("S", "So", "Na", "Sd"), "C", 2, "From the Latin natrium."),
        Item("single", "A triangle has angles of 35 and 65 degrees. The third angle measures",
             ("80 degrees", "90 degrees", "100 degrees", "70 degrees"), "A", 3, "Angles of a triangle add up to 180 degrees."),
        Item("single", "Which word is a synonym of \"rapid\"?", ("slow", "quick", "late", "calm"), "B", 1, "Both mean fast."),
        Item("single", "Who wrote the play Hamlet?", ("Christopher Marlowe", "Ben Jonson", "William Shakespeare", "John Milton"), "C", 2,
             "It was written around 1600."),
        Item("single", "If f(x) = 3x - 4, what is f(5)?", ("11", "15", "19", "7"), "A", 2, "3 times 5 minus 4 is 11."),
        Item("single", "Which gas do green plants take in during photosynthesis, and which gas do they give off as a by-product of it?",
             ("They take in oxygen and give off nitrogen", "They take in carbon dioxide and give off oxygen",
              "They take in hydrogen and give off carbon dioxide", "They take in nitrogen and give off water vapour"), "B", 3, ""),
    ),
    "multiple": (
        Item("multiple", "Which of these are prime numbers? Select all that apply.", ("2", "9", "11", "15"), "AC", 4, "9 and 15 are divisible by 3."),
        Item("multiple", "Which of the following are vector quantities? Select all that apply.", ("velocity", "mass", "force", "temperature"), "AC", 4, ""),
        Item("multiple", "Which countries border France? Select all that apply.", ("Spain", "Portugal", "Germany", "Belgium", "Norway"), "ACD", 4, ""),
    ),
    "true_false": (
        Item("true_false", "Water boils at a lower temperature on a high mountain.", (), "True", 1, "Air pressure is lower there."),
        Item("true_false", "The square root of 2 is a rational number.", (), "False", 1, "It cannot be written as a fraction."),
        Item("true_false", "Photosynthesis takes place in the mitochondria.", (), "False", 1, ""),
    ),
    "blank": (
        Item("blank", "The capital of Australia is ________.", (), "Canberra", 2, ""),
        Item("blank", "Light travels in a vacuum at about ________ km per second.", (), "300000", 2, ""),
        Item("blank", "The past tense of \"go\" is ________.", (), "went", 1, "It is irregular."),
    ),
    "short": (
        Item("short", "Why does a metal spoon feel colder than a wooden one at the same temperature?", (),
             "Metal conducts heat away from the hand faster", 4, ""),
        Item("short", "Name two causes of the First World War.", (), "Militarism and alliances", 4, ""),
        Item("short", "Explain what is meant by the term biodiversity.", (), "The variety of living things in an area", 3, ""),
    ),
    "calculation": (
        Item("calculation", "Solve the equation 3x + 5 = 20.", (), "x = 5", 4, "Subtract 5, then divide by 3."),
        Item("calculation", "Calculate the area of a circle with a radius of 7 cm.", (), "154 square cm", 4, "Use pi = 22/7."),
        Item("calculation", "A train leaves at 9:40 and travels 150 km at a constant speed of 60 km/h.", (), "", 9, "", (
            Item("calculation", "Calculate how long the journey takes.", (), "2.5 hours", 4),
            Item("short", "State the time at which the train arrives.", (), "12:10", 2),
            Item("short", "Explain why a real train would need more time.", (), "It must speed up and slow down", 3),
        )),
        Item("calculation", "The table shows the rainfall in a town. In March it was 48 mm, in April 62 mm.", (), "", 6, "", (
            Item("calculation", "Calculate the mean rainfall of the two months.", (), "55 mm", 2),
            Item("calculation", "Calculate the increase from March to April as a percentage.", (), "29.2%", 4),
        )),
    ),
    "essay": (
        Item("essay", "Write an essay on how the railway changed daily life in the nineteenth century.", (), "", 20, ""),
        Item("essay", "Discuss whether school uniforms should be compulsory.", (), "", 15, ""),
    ),
}  # fmt: skip

CHINESE = {
    "single": (
        Item("single", "下列物质中，属于纯净物的是（  ）", ("空气", "蒸馏水", "海水", "牛奶"), "B", 3, "蒸馏水只含一种物质。"),
        Item("single", "中国的首都是（  ）", ("上海", "广州", "北京", "南京"), "C", 2, ""),
        Item("single", "计算3+5×2的结果是（  ）", ("16", "13", "11", "10"), "B", 3, "先乘除，后加减。"),
        Item("single", "下列词语中，没有错别字的一项是（  ）", ("再接再厉", "迫不急待", "谈笑风声", "一愁莫展"), "A", 3, ""),
        Item("single", "光在真空中的传播速度约为（  ）", ("340m/s", "3000km/s", "300000km/s", "30000km/s"), "C", 3, ""),
        Item("single", "一个三角形的两个内角分别是50°和60°，则它的第三个内角的度数是（  ）", ("60°", "70°", "80°", "90°"), "B", 3,
             "三角形内角和为180°。"),
        Item("single", "我国古代四大发明中，对世界文化的传播贡献最大的是（  ）", ("火药和指南针", "造纸术和印刷术", "火药和造纸术", "指南针和印刷术"), "B", 2, ""),
    ),
    "multiple": (
        Item("multiple", "下列各数中，是质数的有（  ）", ("2", "9", "11", "15"), "AC", 4, "9和15能被3整除。"),
        Item("multiple", "下列物理量中，属于矢量的有（  ）", ("速度", "质量", "力", "温度"), "AC", 4, ""),
    ),
    "true_false": (
        Item("true_false", "地球绕着太阳公转。（  ）", (), "对", 2, ""),
        Item("true_false", "植物的呼吸作用只在夜间进行。（  ）", (), "错", 2, "呼吸作用昼夜都进行。"),
    ),
    "blank": (
        Item("blank", "水的化学式是________。", (), "H2O", 2, ""),
        Item("blank", "若x+3=10，则x=________。", (), "7", 3, ""),
        Item("blank", "我国最长的河流是________。", (), "长江", 2, ""),
    ),
    "short": (
        Item("short", "简述光合作用的意义。", (), "制造有机物并释放氧气", 5, ""),
        Item("short", "为什么夏天在室内洒水会感到凉快？", (), "水蒸发吸热", 4, ""),
    ),
    "calculation": (
        Item("calculation", "解方程：2x-4=10。", (), "x=7", 5, "移项得2x=14。"),
        Item("calculation", "计算：12÷3+4×2。", (), "12", 4, ""),
        Item("calculation", "一辆汽车以每小时60千米的速度行驶了2.5小时。", (), "", 9, "", (
            Item("calculation", "求汽车行驶的路程。", (), "150千米", 4),
            Item("calculation", "如果速度提高20%，求行驶同样路程所需的时间。", (), "约2.1小时", 5),
        )),
        Item("calculation", "已知一次函数的图象经过两点，坐标分别为（0，1）和（2，5）。", (), "", 10, "", (
            Item("calculation", "求这个函数的解析式。", (), "y=2x+1", 6),
            Item("calculation", "求当x=3时函数的值。", (), "7", 4),
        )),
    ),
    "essay": (
        Item("essay", "请以“我的老师”为题，写一篇不少于600字的作文。", (), "", 40, ""),
    ),
}  # fmt: skip
BANKS = {"en": ENGLISH, "zh": CHINESE}
