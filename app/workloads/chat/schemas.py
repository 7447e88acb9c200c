"""What comes in, and what comes back."""

from __future__ import annotations

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

MOST_MESSAGES = 200
LONGEST_MESSAGE = 32_000
LONGEST_CONVERSATION = 200_000  # characters of all messages together

# Names become parts of a lane's name, `student:{id}:{session}`, and of addresses: what separates those is not for them.
Part: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=80, pattern=r"^[^\x00-\x20\x7f-\xa0:/?#%\\]+$")
]
Text: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_MESSAGE, pattern=r"^[^\x00]*$")]
AgentName: TypeAlias = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
RequestName: TypeAlias = Annotated[str, StringConstraints(min_length=1, max_length=200, pattern=r"^[\x20-\x7e]+$")]
ChatRole: TypeAlias = Literal["student", "teacher"]


class ChatMessageIn(BaseModel):
    """Something that was said. System prompts are the deployment's: see `agent`."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["user", "assistant"]
    content: Text


class ChatRequest(BaseModel):
    """One turn of a conversation."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "messages": [{"role": "user", "content": "What is photosynthesis?"}],
                    "role": "student",
                    "student_id": "s1",
                    "session_id": "main",
                }
            ]
        },
    )

    messages: Annotated[
        list[ChatMessageIn],
        Field(
            min_length=1,
            max_length=MOST_MESSAGES,
            description="The last one is the user's turn. Those before it count only for a session that is new here: "
            "of one that exists, what is stored is the history.",
        ),
    ]
    role: Annotated[ChatRole, Field(description="Who asks")]
    student_id: Annotated[Part | None, Field(description="Who asks, of a student; whom it is about, of a teacher")] = (
        None
    )
    teacher_id: Part | None = None
    session_id: Annotated[
        Part | None, Field(description="Default: a teacher's `main`, a student's assignment or `general_{date}`")
    ] = None
    assignment_id: Part | None = None
    agent: Annotated[AgentName | None, Field(description="One of /v1/agents; without one, the deployment's tutor")] = (
        None
    )
    request_id: Annotated[
        RequestName | None, Field(description="The same one never does the work twice, as an Idempotency-Key")
    ] = None

    @model_validator(mode="after")
    def _is_whole(self) -> ChatRequest:
        if self.person_id is None:
            raise PydanticCustomError("missing_person", "A {role} needs a {role}_id", {"role": self.role})
        if self.messages[-1].role != "user":
            raise PydanticCustomError("no_question", "The last message must be the user's")
        if sum(len(message.content) for message in self.messages) > LONGEST_CONVERSATION:
            raise PydanticCustomError("too_long", "The messages are too long together")
        return self

    @property
    def person_id(self) -> str | None:
        return self.student_id if self.role == "student" else self.teacher_id


class ReplySource(BaseModel):
    """Material that the reply quotes."""

    id: str
    title: str
    quote: str
    locator: str | None = None


class ReplyUsage(BaseModel):
    input_tokens: int
    output_tokens: int
    estimated: Annotated[bool, Field(description="The provider counted nothing; this is our estimate")]


class ChatReply(BaseModel):
    """A reply. `partial`: it was cancelled after this much."""

    role: Literal["assistant"] = "assistant"
    reply: str
    session_id: str
    turn: int
    partial: bool = False
    finish_reason: Literal["stop", "length", "filter", "cancelled"]
    sources: list[ReplySource]
    provider: str
    model: str | None
    agent: str | None = None
    usage: ReplyUsage


def stored(reply: ChatReply) -> dict[str, Any]:
    """As a job's result."""
    return reply.model_dump(mode="json")
