"""All that the local provider says in its own words."""
# ruff: noqa: RUF001 - Chinese is written with its own punctuation

from __future__ import annotations

from dataclasses import dataclass

from app.llm.port import Language


@dataclass(frozen=True, slots=True)
class Frames:
    opening: str
    closing: str
    nothing_found: str
    no_material: str


FRAMES: dict[Language, Frames] = {
    "en": Frames(
        opening="Your class material says:",
        closing="I only quote what your class material says; I do not reason or add anything to it.",
        nothing_found=(
            "I found nothing about this in your class material, and I can only quote what is written there. "
            "Try the words that your lesson uses, or ask your teacher."
        ),
        no_material=(
            "There is no class material yet that I could look this up in, and I can only quote what is written there. "
            "Please ask your teacher."
        ),
    ),
    "zh": Frames(
        opening="你的课堂资料中写道：",
        closing="我只引用课堂资料里的原文，不会推理，也不会添加内容。",
        nothing_found="我在你的课堂资料里没有找到相关内容，而我只能引用资料里写到的。请换用课文里的词语再问一次，或者问问老师。",
        no_material="现在还没有可以查找的课堂资料，而我只能引用资料里写到的内容。请问问老师。",
    ),
}
