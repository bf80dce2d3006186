"""Decodes a JSON body, adds a member, encodes it."""
import lingate


def request(req):
    order = req.json()
    order["gateway_user"] = "user-42"
    req.body = lingate.json.encode(order)
