"""What an OpenAPI 3.1 document has to be, as far as that can be told without its specification's own schema; and
whether a value is what a schema of it says."""
import re

METHODS = {"get", "put", "post", "delete", "options", "head", "patch", "trace"}
# field: whether it must be there; "x-" fields may be anywhere.
OBJECTS = {
    "document": {"openapi": True, "info": True, "jsonSchemaDialect": False, "servers": False, "paths": False, "webhooks": False,
                 "components": False, "security": False, "tags": False, "externalDocs": False},
    "info": {"title": True, "version": True, "summary": False, "description": False, "termsOfService": False,
             "contact": False, "license": False},
    "server": {"url": True, "description": False, "variables": False},
    "operation": {"operationId": False, "summary": False, "description": False, "tags": False, "externalDocs": False,
                  "parameters": False, "requestBody": False, "responses": False, "callbacks": False,
                  "deprecated": False, "security": False, "servers": False},
    "parameter": {"name": True, "in": True, "description": False, "required": False, "deprecated": False, "schema": False,
                  "content": False, "style": False, "explode": False, "example": False, "examples": False},
    "requestBody": {"content": True, "description": False, "required": False},
    "response": {"description": True, "headers": False, "content": False, "links": False},
    "media": {"schema": False, "example": False, "examples": False, "encoding": False},
    "components": {"schemas": False, "responses": False, "parameters": False, "examples": False, "requestBodies": False,
                   "headers": False, "securitySchemes": False, "links": False, "callbacks": False, "pathItems": False},
    "securityScheme": {"type": True, "description": False, "name": False, "in": False, "scheme": False,
                       "bearerFormat": False, "flows": False, "openIdConnectUrl": False},
}
# Those of JSON Schema 2020-12 that check() below knows.
KEYWORDS = {"type", "properties", "required", "additionalProperties", "items", "enum", "pattern", "minLength", "maxLength",
            "minimum", "maximum", "maxItems", "$ref", "description", "format", "default"}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
         "null": type(None)}


def problems_of(document):
    """[what breaks a rule of OpenAPI 3.1, with the place]; empty: nothing was found."""
    return Examination(document).found


class Examination:
    def __init__(self, document):
        self.document, self.found, self.ids, self.templates = document, [], set(), set()
        self.object("document", document, "#")
        self.rule(re.fullmatch(r"3\.1\.\d+", str(document.get("openapi"))), "#", "the version is 3.1.x")
        self.object("info", document.get("info", {}), "#/info")
        for server in document.get("servers", []):
            self.object("server", server, "#/servers")
        self.rule("paths" in document or "components" in document or "webhooks" in document, "#", "there is something in it")
        components = document.get("components", {})
        self.object("components", components, "#/components")
        for name, scheme in components.get("securitySchemes", {}).items():
            self.scheme(scheme, f"#/components/securitySchemes/{name}")
        for name, schema in components.get("schemas", {}).items():
            self.rule(re.fullmatch(r"[a-zA-Z0-9._-]+", name), "#/components/schemas", f"{name!r} is a name")
            self.schema(schema, f"#/components/schemas/{name}")
        self.security(document.get("security", []), "#")
        for path, item in document.get("paths", {}).items():
            self.path(path, item)

    def rule(self, holds, place, what):
        if not holds:
            self.found.append(f"{place}: not so: {what}")

    def object(self, kind, value, place):
        self.rule(isinstance(value, dict), place, f"it is an object ({kind})")
        if not isinstance(value, dict):
            return
        fields = OBJECTS[kind]
        for name in value:
            self.rule(name in fields or name.startswith("x-"), place, f"{name!r} is a field of {kind}")
        for name, needed in fields.items():
            self.rule(name in value or not needed, place, f"{kind} has {name!r}")

    def scheme(self, scheme, place):
        self.object("securityScheme", scheme, place)
        needs = {"apiKey": ("name", "in"), "http": ("scheme",), "mutualTLS": (), "oauth2": ("flows",),
                 "openIdConnect": ("openIdConnectUrl",)}
        self.rule(scheme.get("type") in needs, place, "its type is one of the five")
        for name in needs.get(scheme.get("type"), ()):
            self.rule(name in scheme, place, f"it has {name!r}")

    def security(self, requirements, place):
        schemes = self.document.get("components", {}).get("securitySchemes", {})
        for each in requirements:
            for name, scopes in each.items():
                self.rule(name in schemes and isinstance(scopes, list), place, f"security {name!r} is a scheme")

    def path(self, path, item):
        place = f"#/paths/{path}"
        self.rule(path.startswith("/"), place, "a path begins with a slash")
        template = re.sub(r"\{[^}]*\}", "{}", path)
        self.rule(template not in self.templates, place, "no other path has the same form")
        self.templates.add(template)
        for method, operation in item.items():
            self.rule(method in METHODS, place, f"{method!r} is a method")
            self.operation(path, operation, f"{place}/{method}")

    def operation(self, path, operation, place):
        self.object("operation", operation, place)
        name = operation.get("operationId")
        self.rule(name and name not in self.ids, place, "it has an id of its own")
        self.ids.add(name)
        self.security(operation.get("security", []), place)
        seen = set()
        for each in operation.get("parameters", []):
            self.parameter(each, place)
            key = (each.get("name"), each.get("in"))
            self.rule(key not in seen, place, f"the parameter {key} stands once")
            seen.add(key)
        in_path = {name for name, where in seen if where == "path"}
        self.rule(in_path == set(re.findall(r"\{([^}]*)\}", path)), place, "its path parameters are those of the path")
        if "requestBody" in operation:
            self.object("requestBody", operation["requestBody"], place + "/requestBody")
            self.content(operation["requestBody"].get("content", {}), place + "/requestBody")
        self.rule(operation.get("responses"), place, "it has a response")
        for status, response in operation.get("responses", {}).items():
            self.rule(re.fullmatch(r"[1-5](\d\d|XX)|default", status), place, f"{status!r} is a status")
            self.object("response", response, f"{place}/responses/{status}")
            self.content(response.get("content", {}), f"{place}/responses/{status}")

    def parameter(self, each, place):
        place = f"{place}/parameters/{each.get('name')}"
        self.object("parameter", each, place)
        self.rule(each.get("in") in ("path", "query", "header", "cookie"), place, "'in' is one of the four")
        self.rule(each.get("in") != "path" or each.get("required") is True, place, "of a path it is required")
        self.rule(("schema" in each) != ("content" in each), place, "it has a schema or content")
        ignored = each.get("in") == "header" and each.get("name", "").lower() in ("accept", "content-type", "authorization")
        self.rule(not ignored, place, "it is no header that is ignored")
        self.schema(each.get("schema", {}), place)

    def content(self, content, place):
        for kind, media in content.items():
            self.rule(re.fullmatch(r"[\w.+*-]+/[\w.+*-]+", kind), place, f"{kind!r} is a media type")
            self.object("media", media, place)
            self.schema(media.get("schema", {}), place)

    def schema(self, schema, place):
        if isinstance(schema, bool):
            return
        self.rule(isinstance(schema, dict), place, "a schema is an object")
        for keyword in schema:
            self.rule(keyword in KEYWORDS, place, f"{keyword!r} is a known keyword")
        if "$ref" in schema:
            self.rule(resolve(self.document, schema["$ref"]) is not None, place, f"{schema['$ref']} leads somewhere")
        for kind in types_of(schema):
            self.rule(kind in TYPES, place, f"{kind!r} is a type")
        if "pattern" in schema:
            re.compile(schema["pattern"])
        properties = schema.get("properties", {})
        for name in schema.get("required", []):
            self.rule(name in properties, place, f"{name!r}, which is required, is described")
        for name, each in properties.items():
            self.schema(each, f"{place}/{name}")
        for keyword in ("items", "additionalProperties"):
            if keyword in schema:
                self.schema(schema[keyword], f"{place}/{keyword}")


def types_of(schema):
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else kind


def resolve(document, reference):
    value = document
    for part in reference.removeprefix("#/").split("/"):
        value = value.get(part) if isinstance(value, dict) else None
    return value if reference.startswith("#/") else None


def check(document, schema, value, place="the value"):
    """[how `value` differs from what `schema` of `document` says]"""
    if schema is True or schema == {}:
        return []
    if schema is False:
        return [f"{place} may not be there"]
    if "$ref" in schema:
        return check(document, resolve(document, schema["$ref"]), value, place)
    found = []
    kinds = types_of(schema)
    is_a = lambda kind: isinstance(value, TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))  # noqa: E731
    if kinds and not any(is_a(kind) for kind in kinds):
        return [f"{place} is {value!r}, not of type {kinds}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{place} is {value!r}, none of {schema['enum']}")
    if isinstance(value, str):
        if "pattern" in schema and not re.search(schema["pattern"], value):
            found.append(f"{place} is {value!r}, not like {schema['pattern']}")
        if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
            found.append(f"{place} has {len(value)} characters")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not schema.get("minimum", value) <= value <= schema.get("maximum", value):
            found.append(f"{place} is {value}, out of bounds")
    if isinstance(value, list):
        for i, each in enumerate(value):
            found += check(document, schema.get("items", True), each, f"{place}[{i}]")
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        found += [f"{place} has no {name!r}" for name in schema.get("required", []) if name not in value]
        for name, each in value.items():
            found += check(document, properties.get(name, schema.get("additionalProperties", True)), each, f"{place}.{name}")
    return found
