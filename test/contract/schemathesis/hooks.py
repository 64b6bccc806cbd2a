"""What Schemathesis has to know of Gavel beyond its document.

Requests get a credential of the scope that the document names. Most of them are about something
that is there, since ids that are drawn name nothing, and their times lie ahead of the clock, since
an example's date gets old. The rest stays as it was drawn.
"""

import json
import os
import random
import re
from datetime import datetime, timedelta, timezone

import requests
import schemathesis

URL = os.environ["GAVEL_URL"]
KEYS = json.loads(os.environ["GAVEL_KEYS"])
# Where subscribers may be: nothing is sent to another host.
RECEIVER = os.environ["GAVEL_RECEIVER"]
KNOWN = json.loads(os.environ["GAVEL_KNOWN"])
ANSWERS = os.environ["GAVEL_ANSWERS"]

# Of its own, so that the draws of Hypothesis stay what the seed makes them.
chance = random.Random(1)

schemathesis.serializer.alias("application/x-ndjson", "text/plain")


def keep_empty_segments(prepare_url=requests.PreparedRequest.prepare_url):
    """Records without a key have a path with an empty segment, which Python's urljoin drops."""

    def prepared(self, url, params):
        prepare_url(self, re.sub(r"/parked/(retry|skip)$", r"/parked//\1", url), params)

    requests.PreparedRequest.prepare_url = prepared


keep_empty_segments()


def key_of(operation):
    asked = {scope for entry in operation.get("security", []) for scope in entry.get("credential", [])}
    return KEYS["operator" if "operate" in asked else "trusted"] if asked else None


def ask(method, path, key, body=None):
    headers = {"Authorization": f"Bearer {KEYS[key]}"}
    return requests.request(method, URL + path, headers=headers, json=body, timeout=30)


def new_subscription():
    # There is room for a hundred, and the draws make more.
    for one in ask("GET", "/v1/subscriptions", "operator").json()["subscriptions"]:
        if one["id"] != KNOWN["subscription"]:
            ask("DELETE", f"/v1/subscriptions/{one['id']}", "operator")
    body = {"url": f"{RECEIVER}/fine", "filter": {"types": ["gavel.bidder.won.v1"]}}
    return ask("POST", "/v1/subscriptions", "operator", body).json()["id"]


def new_profile():
    ask("PUT", "/v1/profiles/ben", "operator", {"displayName": "Ben"})
    return "ben"


def new_key():
    return ask("POST", "/v1/keys", "operator", {"scopes": ["read"]}).json()["id"]


def end_replays():
    # Two run at a time, and no more.
    for one in ask("GET", "/v1/replays?limit=100", "operator").json()["replays"]:
        if one["status"] == "running":
            ask("DELETE", f"/v1/replays/{one['id']}", "operator")


def known_parameters(name):
    if name == "deleteSubscription":
        return {"id": new_subscription()}
    if name in ("getSubscription", "postSecret", "postEnable"):
        return {"id": KNOWN["subscription"]}
    if name in ("getReplay", "deleteReplay"):
        return {"id": KNOWN["replay"]}
    if name == "getProfile":
        return {"profileId": new_profile()}
    if name in ("getKey", "deleteKey"):
        return {"keyId": new_key()}
    if name in ("postRetryWithoutKey", "postSkipWithoutKey"):
        return {"group": "notify", "partition": 0}
    if name == "getLineage":
        return {"id": KNOWN["event"]}
    if name in ("postRetry", "postSkip"):
        return {"group": "notify", "partition": 0, "key": chance.choice(KNOWN["keys"])}
    if name == "getAnalysis":
        return {"id": KNOWN["analysis"]}
    if name in ("getItem", "getBids", "withdrawItem"):
        return {"itemId": KNOWN["item"]}
    return {}


def with_times(value):
    """The same with every end of an item within the hour."""
    if isinstance(value, dict):
        ahead = datetime.now(timezone.utc) + timedelta(minutes=chance.randint(1, 60))
        return {
            name: ahead.isoformat(timespec="milliseconds").replace("+00:00", "Z")
            if name == "endsAt" and isinstance(member, str)
            else with_times(member)
            for name, member in value.items()
        }
    return [with_times(entry) for entry in value] if isinstance(value, list) else value


def with_receiver(body):
    if not isinstance(body, dict) or not isinstance(body.get("url"), str):
        return body
    return {**body, "url": f"{RECEIVER}/fine"}


@schemathesis.hook
def before_call(ctx, case, kwargs):
    operation = case.operation.definition.raw
    name = operation["operationId"]
    key = key_of(operation)
    if key is not None:
        case.headers["Authorization"] = f"Bearer {key}"
    as_drawn = chance.random() < 0.25
    if name == "postReplay":
        end_replays()
    # Most waits are for what never comes.
    if str(case.headers.get("Prefer", "")).startswith("wait="):
        case.headers["Prefer"] = "wait=1"
    if as_drawn:
        return
    case.path_parameters.update(known_parameters(name))
    if name == "getLineage":
        case.query.clear()
    if name in ("postItems", "postEvents"):
        case.body = with_times(case.body)
    if name == "postSubscription":
        case.body = with_receiver(case.body)


@schemathesis.hook
def after_call(ctx, case, response):
    operation = case.operation.definition.raw["operationId"]
    with open(ANSWERS, "a", encoding="utf-8") as answers:
        answers.write(json.dumps({"operation": operation, "status": response.status_code}) + "\n")


# What a client may be told to ask again for: the record, or the partition, is not there yet.
TO_BE_ASKED_AGAIN = {"not-yet-applied", "partition-busy"}


@schemathesis.check
def nothing_fails(ctx, response, case):
    """Everything is there: a 5xx is only an answer where the client asked for what takes a while."""
    if response.status_code < 500:
        return
    code = response.json().get("code")
    assert code in TO_BE_ASKED_AGAIN, f"{response.status_code} {code}"
