"""Leaves three stamps in each hook: what lies before the first is entering, behind the last leaving."""
import lingate


def request():
    lingate.log.debug("enter")
    lingate.log.debug("stamp")
    lingate.log.debug("exit")


response = request
