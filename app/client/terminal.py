"""From the command line to a conversation and back to an exit code."""

from __future__ import annotations

import argparse
import sys

import httpx

from app.client.api import Api, ApiError
from app.client.chat import DONE, FAILED, Conversation
from app.client.place import NoPlace, find_place

GREETING = "Session of {role} {person}. Ctrl-C cancels a reply; Ctrl-D or /quit ends."


def run_chat(options: argparse.Namespace) -> int:
    try:
        place = find_place(options.url, options.key, options.ready_file)
    except NoPlace as error:
        return _complain(error)
    role = "teacher" if options.teacher else "student"
    api = Api(place.url, place.key)
    talk = Conversation(api, role, options.teacher or options.student or "guest", options.session, options.agent)
    try:
        return _ask_once(talk, options.once) if options.once is not None else _converse(talk)
    except (ApiError, httpx.TransportError) as error:
        return _complain(error)
    except KeyboardInterrupt:
        return 130
    finally:
        api.close()


def _ask_once(talk: Conversation, question: str) -> int:
    return talk.say(sys.stdin.read() if question == "-" else question)


def _converse(talk: Conversation) -> int:
    _tell(GREETING.format(role=talk.role, person=talk.person))
    while True:
        try:
            text = input("> ").strip()
        except (EOFError, KeyboardInterrupt):
            _tell("")
            return DONE
        if text == "/quit":
            return DONE
        if text:
            try:
                talk.say(text)
            except ApiError as error:  # a turn that was refused does not end the conversation
                _complain(error)


def _complain(error: Exception) -> int:
    _tell(f"homeroom chat: {error}")
    return FAILED


def _tell(text: str) -> None:
    sys.stderr.write(f"{text}\n")
