"""What a program written with Microsoft's Python SDK does to records, from first to last. Runs against STEPWISE_URL with
STEPWISE_TOKEN; tests/it/clients.rs starts the daemon. Nothing of the client is changed."""

import os
import time

from azure.core.credentials import AccessToken
from PowerPlatform.Dataverse.client import DataverseClient


class Token:
    """The token of the daemon, as the SDK asks for it."""

    def get_token(self, *scopes, **options):
        return AccessToken(os.environ["STEPWISE_TOKEN"], int(time.time()) + 3600)


client = DataverseClient(os.environ["STEPWISE_URL"], Token())


def records(found):
    return [record for record in found]


def creates_updates_and_retrieves():
    contact = client.records.create("contact", {"fullname": "Bea"})
    account = client.records.create(
        "account", {"name": "Ada", "revenue": 19.99, "primarycontactid@odata.bind": f"/contacts({contact})"}
    )
    client.records.update("account", account, {"telephone1": "12", "accountcategorycode": 1})
    found = client.records.retrieve("account", account, select=["name", "telephone1"], expand=["primarycontactid"])
    assert (found["name"], found["telephone1"]) == ("Ada", "12"), found
    assert found["primarycontactid"]["fullname"] == "Bea", found
    assert client.records.retrieve("account", contact) is None


def works_on_many():
    ids = client.records.create("account", [{"name": "Eve"}, {"name": "Fay"}, {"name": "Gil"}])
    assert len(ids) == 3, ids
    client.records.update("account", ids, {"telephone1": "7"})
    found = records(client.records.list("account", filter="telephone1 eq '7'", select=["name"], orderby=["name desc"]))
    assert [record["name"] for record in found] == ["Gil", "Fay", "Eve"], found
    pages = list(client.records.list_pages("account", select=["name"], orderby=["name"], page_size=2))
    assert [len(records(page)) for page in pages] == [2, 2], pages
    client.records.delete("account", ids, use_bulk_delete=False)
    assert len(records(client.records.list("account", filter="telephone1 eq '7'"))) == 0


def batches():
    batch = client.batch.new()
    with batch.changeset() as changes:
        contact = changes.records.create("contact", {"fullname": "Hal"})
        changes.records.create("account", {"name": "Ina", "primarycontactid@odata.bind": contact})
    result = batch.execute()
    assert not result.has_errors, result
    found = records(client.records.list("account", filter="name eq 'Ina'", expand=["primarycontactid"]))
    assert found[0]["primarycontactid"]["fullname"] == "Hal", found


def asks_for_the_schema():
    table = client.tables.get("account")
    assert table["entity_set_name"] == "accounts", table
    assert any(one["LogicalName"] == "account" for one in client.tables.list()), "no account"
    columns = client.tables.list_columns("account")
    assert any(column["LogicalName"] == "name" for column in columns), columns


def tells_what_is_refused():
    try:
        client.records.create("account", {"nothing": 1})
    except Exception as error:
        assert "has no attribute `nothing`" in str(error), error
    else:
        raise AssertionError("an attribute that is not there was written")


for step in [creates_updates_and_retrieves, works_on_many, batches, asks_for_the_schema, tells_what_is_refused]:
    try:
        step()
    except Exception:
        print(f"FAILED: {step.__name__}")
        raise
    print(f"ok: {step.__name__}")
