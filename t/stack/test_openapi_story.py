"""Every example of the API's description, run as it stands there: they tell one story, from two people who register to an order that is picked up."""
import json

import pytest

from lib import openapi, photos, proc


class Step:
    """One request of the story: an operation with the examples of all its parameters, and that example of its body."""

    def __init__(self, operation, example=None, who=None, leave=(), photo=None, **other):
        """who: whose token, by the name of the example that signed in; leave: parameters that are left out here; photo: the body, where that is one;
        other: parameters of another value than their example's."""
        self.operation, self.example, self.who, self.leave, self.photo, self.other = operation, example, who, leave, photo, other

    def __repr__(self):
        return " ".join(filter(None, (self.operation, self.example)))


STORY = [
    Step("getHealth"), Step("getReadiness"), Step("getDescription"),
    Step("register", "shopkeeper"), Step("register", "customer"), Step("register", "helper"), Step("login", "shopkeeper"), Step("login", "customer"),
    Step("getTicket", who="customer"),
    Step("uploadPhoto", who="customer", photo=photos.JPEG), Step("getPhoto", who="customer", name=None),
    Step("createShop", "corner", "shopkeeper"),
    Step("createProduct", "counted", "shopkeeper"), Step("createProduct", "not_counted", "shopkeeper"),
    Step("listShops"), Step("listMyShops", who="shopkeeper"), Step("getShop"), Step("listProducts", leave=["include_inactive"]), Step("getProduct"),
    Step("placeOrder", "instant", "customer", leave=["Idempotency-Key"]),
    Step("changeShop", "hours", "shopkeeper"), Step("changeShop", "slots", "shopkeeper"), Step("changeShop", "kitchen", "shopkeeper"),
    Step("listSlots"),
    Step("changeShop", "pause", "shopkeeper"), Step("placeOrder", "pre_order", "customer"), Step("changeShop", "go_on", "shopkeeper"),
    Step("placeOrder", "pre_order", "customer"), Step("changeOrder", "cancel", "shopkeeper", order_id=1),
    Step("placeOrder", "shopping_list", "customer", leave=["Idempotency-Key"]), Step("changeOrder", "price", "shopkeeper", order_id=3),
    Step("addStaff", "by_id", "shopkeeper"), Step("addStaff", "by_phone_number", "shopkeeper"), Step("listStaff", who="shopkeeper"),
    Step("removeStaff", who="shopkeeper"), Step("removeStaff", "by_phone_number", "shopkeeper", leave=["user_id"]),
    Step("removeStaffMember", who="shopkeeper"),
    Step("listShopOrders", who="shopkeeper"), Step("exportShopOrders", who="shopkeeper"),
    Step("listMyOrders", who="customer"), Step("getOrder", who="customer"),
    Step("changeOrder", "confirm", "shopkeeper"), Step("changeOrder", "ready", "shopkeeper"), Step("changeOrder", "picked_up", "shopkeeper"),
    Step("getHistory", who="customer"), Step("getHistory", who="shopkeeper"),
    Step("listShopEvents", who="shopkeeper"), Step("listCustomerEvents", who="customer"),
    Step("changeProduct", "price", "shopkeeper"), Step("changeProduct", "off_sale", "shopkeeper"), Step("listProducts", who="shopkeeper"),
    Step("changePassword", "customer", "customer"), Step("logoutAll", who="customer"),
]


@pytest.fixture(scope="module")
def described(binary):
    return openapi.described()


@pytest.fixture(scope="module")
def told(make_api, described):
    """The story, told to a fresh database; gives the answers by step."""
    api = make_api("story")
    answers, tokens = {}, {}
    proc.wait_for(lambda: api.call("GET", "/readyz").status == 200, 10, "the relay")
    for step in STORY:
        operation = described.operation(step.operation)
        if step.operation == "listShopEvents":
            proc.wait_for(lambda: api.db.sql("SELECT COUNT(*) FROM outbox") == [["0"]], 10, "all messages to be numbered")
        if step.operation == "getPhoto":
            step.other["name"] = answers["uploadPhoto"].json()["list_image_url"].rpartition("/")[2]
        target, headers = operation.address(step.leave, step.other)
        answer = api.call(operation.method, target, tokens.get(step.who), body=body_of(operation, step, answers), headers=headers)
        assert 200 <= answer.status < 300, (step, answer)
        if step.operation in ("login", "changePassword"):
            tokens[step.example] = answer.json()["access_token"]
        answers.setdefault(str(step), answer)
    return answers


def body_of(operation, step, answers):
    """The example, with the photo that was uploaded: its name is another one each time."""
    if step.example is None:
        return step.photo
    value = dict(operation.examples[step.example])
    if "list_image_url" in value:
        value["list_image_url"] = answers["uploadPhoto"].json()["list_image_url"]
    return json.dumps(value, default=float).encode()


def test_it_uses_every_example(described):
    for operation in described.operations:
        steps = [s for s in STORY if s.operation == operation.id]
        assert steps, f"{operation.id} is not in the story"
        assert {s.example for s in steps} - {None} == set(operation.examples), operation.id
        for parameter in operation.parameters:
            used = [s for s in steps if parameter.name not in s.leave and parameter.name not in s.other]
            # A cursor is whatever a Link header said, a photo's name whatever the upload did.
            assert (parameter.example is not None and used) or parameter.name in ("cursor", "name"), (operation.id, parameter.name)


def test_each_is_answered_as_documented(told):
    """That the answers' form is the documented one was judged with each of them."""
    assert len(told) == len({str(s) for s in STORY})
    assert told["placeOrder pre_order"].json()["total_amount"] == 120


VOLATILE = {"access_token", "ticket", "created_at", "updated_at", "at", "added_at", "accept_by"}


def timeless(value):
    """Without what is another one each time."""
    if isinstance(value, dict):
        return {n: value is not None if n in VOLATILE else timeless(v) for n, v in value.items()}
    return [timeless(v) for v in value] if isinstance(value, list) else value


def test_answers_are_as_in_the_examples(told, described):
    compared = 0
    for operation in described.operations:
        for name, example in operation.answer_examples.items():
            answer = told.get(f"{operation.id} {name}") or told[operation.id]
            assert timeless(answer.json()) == timeless(example), operation.id
            compared += 1
    assert compared >= 6


def test_messages_are_as_in_the_examples(told, described):
    shop, customer = ([e["message"] for e in told[name].json()["events"]] for name in ("listShopEvents", "listCustomerEvents"))
    examples = {name: next(iter(hook["post"]["requestBody"]["content"]["application/json"]["examples"].values()))["value"]
                for name, hook in described.document["webhooks"].items()}
    assert examples["new_order"] in shop and examples["pickup_ready"] in customer
    assert timeless(examples["order_update"]) in timeless(customer)
