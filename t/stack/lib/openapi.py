"""Whether answers and messages are as the description of the API says: every client of these tests asks here, once use() was called."""
import decimal
import json
import re
import subprocess
import urllib.parse

from jsonschema import Draft202012Validator, ValidationError, validators

# What a web server adds by itself.
GENERAL_HEADERS = {"content-type", "content-length", "connection", "keep-alive", "date", "server", "transfer-encoding", "vary", "x-request-id", "x-content-type-options",
                   "content-security-policy", "referrer-policy"}
METHODS = ("get", "post", "patch", "put", "delete")

_in_force = None


def use(binary):
    """From now on all is judged by the description that this program has."""
    global _in_force
    _in_force = Description(subprocess.run([binary, "openapi"], check=True, capture_output=True, timeout=20).stdout)


def described():
    """The Description that all is judged by."""
    return _in_force


def judge(method, target, headers, body, answer):
    """Fails where the answer (a Response) is not documented; also where a request was accepted that the description calls wrong."""
    path = target.partition("?")[0]
    if _in_force and re.match(r"/(api|healthz|readyz)(/|$)", path):
        _in_force.judge(method, target, headers, body, answer)


def judge_message(value):
    """Fails where a notification is not one of the documented messages."""
    if _in_force:
        _in_force.judge_message(value)


def parse(text):
    return json.loads(text, parse_float=decimal.Decimal)


def _closed(validator, allowed, instance, schema):
    """additionalProperties. What is closed has its members in the order of the description as well."""
    if allowed is not False or not isinstance(instance, dict):
        yield from Draft202012Validator.VALIDATORS["additionalProperties"](validator, allowed, instance, schema)
        return
    known = [name for name in schema["properties"] if name in instance]
    if len(known) < len(instance):
        yield ValidationError(f"undocumented: {sorted(set(instance) - set(known))}")
    elif known != list(instance):
        yield ValidationError(f"the order of members is {list(instance)}, documented is {known}")


class Schemas:
    """Validators of the document's schemas, each made once. What was found good as one of its components is not looked at twice."""

    def __init__(self, document):
        self.document, self.components, self.good = document, {}, set()
        self.kind = validators.extend(Draft202012Validator, {"$ref": self._refer, "additionalProperties": _closed})

    def resolve(self, value):
        """What a reference stands for, or the value itself."""
        while "$ref" in value and len(value) == 1:
            value = self._target(value["$ref"])
        return value

    def _target(self, reference):
        value = self.document
        for name in reference.removeprefix("#/").split("/"):
            value = value[name]
        return value

    def _refer(self, _, reference, instance, __):
        key = hash((reference, repr(instance)))
        if key in self.good:
            return
        if reference not in self.components:
            self.components[reference] = self.kind(self._target(reference))
        errors = list(self.components[reference].iter_errors(instance))
        if not errors:
            self.good.add(key)
        yield from errors

    def validator(self, schema):
        return self.kind(schema)


def faults(validator, value):
    """What is wrong with the value, as text; empty where nothing is."""
    return "; ".join(f"{e.json_path}: {e.message[:500]}" for e in validator.iter_errors(value))


class Expected:
    """One documented answer."""

    def __init__(self, schemas, response):
        self.content = {kind: schemas.validator(media["schema"]) for kind, media in response.get("content", {}).items()}
        self.headers = {}
        for name, header in response.get("headers", {}).items():
            header = schemas.resolve(header)
            self.headers[name.lower()] = (header.get("required", False), schemas.validator(header["schema"]))

    def complaint(self, method, answer):
        return self._about_headers(answer) or (self._about_head(answer) if method == "HEAD" else self._about_body(answer))

    def _about_headers(self, answer):
        for name, (is_required, validator) in self.headers.items():
            values = answer.all(name)
            if len(values) > 1 or (is_required and not values):
                return f"the header {name} comes {len(values)} times"
            if values and (found := faults(validator, values[0])):
                return f"{name}: {found}"
        unknown = {name.lower() for name, _ in answer.headers} - GENERAL_HEADERS - set(self.headers)
        return f"undocumented headers: {unknown}" if unknown else None

    def _about_head(self, answer):
        return "a body for HEAD" if answer.body else None

    def _about_body(self, answer):
        if not self.content:
            return "a body where none is documented" if answer.body or answer.media_type else None
        if answer.media_type not in self.content:
            return f"documented are only {list(self.content)}"
        if not answer.media_type.endswith("json"):
            return None
        value = answer.json()
        if answer.status >= 400 and value.get("status") != answer.status:
            return "the problem's status is not the answer's"
        return faults(self.content[answer.media_type], value)


class Parameter:
    def __init__(self, schemas, parameter):
        self.name, self.where, self.required = parameter["name"], parameter["in"], parameter.get("required", False)
        schema = schemas.resolve(parameter["schema"])
        self.type, self.example = schema.get("type"), parameter.get("example")
        self.validator = schemas.validator(schema)

    def values(self, query, headers):
        """What was sent as this parameter, as the values that its schema speaks of."""
        if self.where == "header":
            return [value for name, value in headers.items() if name.lower() == self.name.lower()]
        texts = [value for name, value in query if name == self.name] if self.where == "query" else []
        if self.type == "array":
            return [texts] if texts else []
        words = {"true": True, "false": False} if self.type == "boolean" else {}
        return [int(text) if self.type == "integer" and text.isdigit() else words.get(text, text) for text in texts]


class Operation:
    """One method of one path."""

    def __init__(self, schemas, path, method, item, operation):
        self.path, self.method, self.operation = path, method.upper(), operation
        self.id, self.security, self.summary = operation["operationId"], operation["security"], operation["summary"]
        self.expected = {status: Expected(schemas, schemas.resolve(response)) for status, response in operation["responses"].items()}
        self.parameters = [Parameter(schemas, schemas.resolve(p)) for p in item.get("parameters", []) + operation.get("parameters", [])]
        content = operation.get("requestBody", {}).get("content", {})
        self.request = schemas.validator(content["application/json"]["schema"]) if "application/json" in content else None
        self.examples = {name: example["value"] for media in content.values() for name, example in media.get("examples", {}).items()}
        self.answer_examples = {}
        for status, response in operation["responses"].items():
            media = schemas.resolve(response).get("content", {}).values() if status.startswith("2") else ()
            self.answer_examples.update({name: example["value"] for m in media for name, example in m.get("examples", {}).items()})

    def address(self, leave=(), other=()):
        """(target, headers) with the examples of the parameters, but for those to be left out and those of another value."""
        path, query, headers = self.path, [], {}
        for parameter in self.parameters:
            value = dict(other).get(parameter.name, parameter.example)
            if value is None or parameter.name in leave:
                continue
            if parameter.where == "path":
                path = path.replace("{" + parameter.name + "}", str(value))
            elif parameter.where == "header":
                headers[parameter.name] = value
            else:
                values = value if isinstance(value, list) else [value]
                query += [(parameter.name, json.dumps(v) if isinstance(v, bool) else v) for v in values]
        return path + ("?" + urllib.parse.urlencode(query) if query else ""), headers

    def complaint(self, method, target, headers, body, answer):
        expected = self.expected.get(str(answer.status)) or (self.expected["default"] if answer.status >= 400 else None)
        if not expected:
            return "this status is not documented"
        return expected.complaint(method, answer) or (self.wrong_request(target, headers, body) if answer.status < 300 else None)

    def wrong_request(self, target, headers, body):
        """Why the description calls a request wrong; None or empty where it is good."""
        query = urllib.parse.parse_qsl(target.partition("?")[2], keep_blank_values=True)
        for parameter in self.parameters:
            for value in parameter.values(query, headers):
                if found := faults(parameter.validator, value):
                    return f"accepted, but documented otherwise: {parameter.name}: {found}"
        found = self.request and body and faults(self.request, parse(body))
        return found and f"accepted, but documented otherwise: {found}"


class Description:
    def __init__(self, text):
        self.document = parse(text)
        self.schemas = Schemas(self.document)
        self.operations = [Operation(self.schemas, path, method, item, item[method])
                           for path, item in self.document["paths"].items() for method in METHODS if method in item]
        # Literal segments count before parameters.
        self.patterns = [(self._pattern(o.path), o) for o in sorted(self.operations, key=lambda o: o.path.count("{"))]
        self.unserved = Expected(self.schemas, {"content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
                                                "headers": {"Allow": {"$ref": "#/components/headers/Allow"},
                                                            "Retry-After": {"schema": {"type": "string"}},
                                                            "WWW-Authenticate": {"schema": {"type": "string"}}}})
        self.messages = {name: self.schemas.validator(hook["post"]["requestBody"]["content"]["application/json"]["schema"])
                         for name, hook in self.document["webhooks"].items()}

    @staticmethod
    def _pattern(path):
        return re.compile("".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path)) + "/?")

    def operation(self, name):
        return next(o for o in self.operations if o.id == name)

    def find(self, method, path):
        """The operation, or None."""
        method, path = "GET" if method == "HEAD" else method, urllib.parse.unquote(path, errors="replace")
        return next((o for pattern, o in self.patterns if o.method == method and pattern.fullmatch(path)), None)

    def judge(self, method, target, headers, body, answer):
        operation = self.find(method, target.partition("?")[0])
        if operation:
            complaint = operation.complaint(method, target, headers, body, answer)
        elif answer.status < 400:
            complaint = "there is no such operation"
        else:
            complaint = self.unserved.complaint(method, answer)
        assert not complaint, f"{method} {target}: not as documented: {complaint}\n{body[:500]!r}\n{answer}"

    def judge_message(self, value):
        assert value["type"] in self.messages, value
        complaint = faults(self.messages[value["type"]], value)
        assert not complaint, f"not as documented: {complaint}\n{value}"
