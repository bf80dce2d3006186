"""Answers without the upstream."""
import lingate

BODY = "x" * 128


def request():
    return lingate.respond(200, BODY)
