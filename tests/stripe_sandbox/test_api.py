"""How the API behaves whatever is called: who may call, what is refused, and in which words."""

import pytest
import stripe as stripe_library

from tests.stripe_sandbox.conftest import make_customer


def test_answers_with_the_version_and_a_request_id(sandbox):
    answer = sandbox.call("GET", "/v1/account")
    assert answer.status_code == 200
    assert answer.headers["Stripe-Version"] == "2026-10-28.endive"
    assert answer.headers["Request-Id"].startswith("req_")


def test_echoes_the_version_it_was_asked_for(sandbox):
    headers = {"Authorization": "Bearer sk_test_a", "Stripe-Version": "2025-03-31.basil"}
    assert sandbox.http.get("/v1/account", headers=headers).headers["Stripe-Version"] == "2025-03-31.basil"


@pytest.mark.parametrize(
    ("authorization", "message"),
    [
        (None, "You did not provide an API key."),
        ("Bearer nonsense", "Invalid API Key provided: nonsense"),
        ("Bearer sk_test_", "Invalid API Key provided"),
        ("Bearer pk_test_abc", "Invalid API Key provided"),
        ("Bearer sk_live_abc", "it takes no live key"),
        ("Basic !!!", "You did not provide an API key."),
    ],
)
def test_refuses_a_caller_without_a_test_key(sandbox, authorization, message):
    headers = {"Authorization": authorization} if authorization else {}
    answer = sandbox.http.get("/v1/account", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="Stripe"'
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert message in answer.json()["error"]["message"]


@pytest.mark.parametrize("auth", [("sk_test_abc", ""), ("rk_test_abc", "")])
def test_takes_a_key_as_the_user_of_basic_authentication(sandbox, auth):
    assert sandbox.http.get("/v1/account", auth=auth).status_code == 200


def test_answers_404_to_an_unknown_route(sandbox):
    answer = sandbox.call("GET", "/v1/nothing")
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "Unrecognized request URL (GET: /v1/nothing)."


def test_refuses_another_host_name(sandbox):
    answer = sandbox.http.get("/v1/account", headers={"Authorization": "Bearer sk_test_a", "Host": "example.com"})
    assert answer.status_code == 400


@pytest.mark.parametrize("escaped", [True, False])
def test_reads_nested_forms_with_raw_and_escaped_brackets(sandbox, escaped):
    body = "metadata[a]=1&metadata[b]=2&preferred_locales[0]=fr&preferred_locales[]=en&email=a%40b.c&address[city]=Lyon"
    headers = {"Authorization": "Bearer sk_test_a", "Content-Type": "application/x-www-form-urlencoded"}
    content = body.replace("[", "%5B").replace("]", "%5D") if escaped else body
    customer = sandbox.http.post("/v1/customers", content=content, headers=headers).json()
    assert customer["metadata"] == {"a": "1", "b": "2"}
    assert customer["preferred_locales"] == ["fr", "en"]
    assert (customer["email"], customer["address"]["city"]) == ("a@b.c", "Lyon")


def test_an_empty_string_clears(sandbox, stripe):
    customer = stripe.customers.create({"name": "Ana", "metadata": {"a": "1", "b": "2"}})
    sandbox.call("POST", f"/v1/customers/{customer.id}", {"name": "", "metadata[a]": ""})
    after = stripe.customers.retrieve(customer.id)
    assert (after.name, after.metadata.to_dict()) == (None, {"b": "2"})
    sandbox.call("POST", f"/v1/customers/{customer.id}", {"metadata": ""})
    assert stripe.customers.retrieve(customer.id).metadata.to_dict() == {}


@pytest.mark.parametrize(
    ("path", "fields", "code", "param", "message"),
    [
        ("customers", {"foo": "1"}, "parameter_unknown", "foo", "Received unknown parameter: foo"),
        (
            "customers",
            {"address[street]": "1"},
            "parameter_unknown",
            "address[street]",
            "Received unknown parameter: address[street]",
        ),
        ("prices", {}, "parameter_missing", "currency", "Missing required param: currency."),
        ("products", {"name": ""}, "parameter_invalid_empty", "name", "You passed an empty string for 'name'."),
        ("products", {"name": "A", "active": "yes"}, None, "active", "Invalid boolean: yes"),
        ("customers", {"balance": "much"}, "parameter_invalid_integer", "balance", "Invalid integer: much"),
        (
            "customers",
            {"tax_exempt": "perhaps"},
            None,
            "tax_exempt",
            "Invalid tax_exempt: must be one of exempt, none or reverse",
        ),
        ("customers", {"metadata": "text"}, None, "metadata", "Invalid hash"),
        (
            "checkout/sessions",
            {"mode": "subscription", "success_url": "http://x", "line_items[0][quantity]": "1"},
            None,
            "line_items[0]",
            "You must specify either `price` or `price_data` when creating line_items[0].",
        ),
    ],
)
def test_refuses_parameters_in_stripes_words(sandbox, path, fields, code, param, message):
    answer = sandbox.call("POST", f"/v1/{path}", fields)
    error = answer.json()["error"]
    assert answer.status_code == 400
    assert (error["type"], error.get("code"), error["param"]) == ("invalid_request_error", code, param)
    assert error["message"].startswith(message)
    assert sandbox.objects("customer") == sandbox.objects("product") == sandbox.objects("checkout.session") == []


def test_an_unknown_parameter_of_a_list_is_refused_too(sandbox):
    assert sandbox.call("GET", "/v1/customers?colour=red").json()["error"]["code"] == "parameter_unknown"


def test_a_missing_object_in_the_path_is_404(stripe):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.customers.retrieve("cus_x")
    assert (refusal.value.http_status, refusal.value.code, refusal.value.param) == (404, "resource_missing", "id")
    assert refusal.value.user_message == "No such customer: 'cus_x'"


def test_a_missing_object_in_a_parameter_is_400(stripe, premium):
    customer = make_customer(stripe)
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.subscriptions.create({"customer": customer.id, "items": [{"price": "price_x"}]})
    assert (refusal.value.http_status, refusal.value.param) == (400, "items[0][price]")


def test_an_unknown_customer_on_subscription_create_is_404(stripe, premium):
    with pytest.raises(stripe_library.InvalidRequestError) as refusal:
        stripe.subscriptions.create({"customer": "cus_x", "items": [{"price": premium.id}]})
    assert (refusal.value.http_status, refusal.value.param) == (404, "customer")


def test_ids_have_stripes_prefixes_and_lengths(stripe, premium):
    customer = make_customer(stripe, card=None)
    assert customer.id.startswith("cus_")
    assert len(customer.id) == len("cus_") + 14
    assert len(premium.id) == len("price_") + 24
    assert customer.livemode is False


@pytest.mark.parametrize(
    ("path", "fields", "param"),
    [
        ("products", {"name": "A", **{f"metadata[k{n}]": "1" for n in range(51)}}, "metadata"),
        ("products", {"name": "A", "metadata[k]": "x" * 501}, "metadata"),
        ("prices", {"currency": "dollars", "unit_amount": "1"}, "currency"),
        ("prices", {"currency": "usd", "unit_amount": "-1"}, "unit_amount"),
        ("test_helpers/test_clocks", {"frozen_time": "99999999999999"}, "frozen_time"),
        (
            "subscriptions",
            {"customer": "cus_x", "items[0][price]": "p", "items[0][quantity]": "-1"},
            "items[0][quantity]",
        ),
        ("subscriptions", {"customer": "cus_x", "items": "text"}, "items"),
        ("subscriptions", {"customer": "cus_x", "items[0]": "text"}, "items[0]"),
    ],
)
def test_refuses_values_that_make_no_sense(sandbox, path, fields, param):
    answer = sandbox.call("POST", f"/v1/{path}", fields)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_refuses_a_body_that_is_no_text_and_one_that_is_too_large(sandbox):
    headers = {"Authorization": "Bearer sk_test_a"}
    assert sandbox.http.post("/v1/customers", content=b"name=\xff\xfe", headers=headers).status_code == 400
    assert sandbox.http.post("/v1/customers", content=b"name=" + b"x" * 1_100_000, headers=headers).status_code == 413
    assert sandbox.objects("customer") == []
