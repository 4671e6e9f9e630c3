// What a program written with dynamics-web-api does to records, from first to last. Runs against STEPWISE_URL with
// STEPWISE_TOKEN; tests/it/clients.rs starts the daemon. Nothing of the client is changed.

import assert from "node:assert/strict";
import { DynamicsWebApi } from "dynamics-web-api";

const api = new DynamicsWebApi({
  serverUrl: process.env.STEPWISE_URL,
  dataApi: { version: "9.2" },
  onTokenRefresh: async () => process.env.STEPWISE_TOKEN,
});

const steps = {
  async "a record is created, with the record as answer or its id"() {
    const id = await api.create({ collection: "contacts", data: { fullname: "Bea", emailaddress1: "bea@example.com" } });
    assert.match(id, /^[0-9a-f-]{36}$/);
    const account = await api.create({
      collection: "accounts",
      data: { name: "Ada", revenue: 19.99, "primarycontactid@odata.bind": `/contacts(${id})` },
      returnRepresentation: true,
      select: ["name", "revenue"],
    });
    assert.equal(account.revenue, 19.99);
    Object.assign(known, { contact: id, account: account.accountid });
  },

  async "a record is retrieved with what is selected and expanded, and not again when it is known"() {
    const request = {
      collection: "accounts",
      key: known.account,
      select: ["name", "createdon", "_primarycontactid_value"],
      expand: [{ property: "primarycontactid", select: ["fullname"] }],
      includeAnnotations: "*",
    };
    const account = await api.retrieve(request);
    assert.equal(account.primarycontactid.fullname, "Bea");
    assert.equal(account["_primarycontactid_value@OData.Community.Display.V1.FormattedValue"], "Bea");
    assert.equal(account["_primarycontactid_value_Formatted"], "Bea");
    assert.ok(account.createdon instanceof Date);
    const again = await api.retrieve({ ...request, ifnonematch: account["@odata.etag"] });
    assert.equal(again, undefined);
    const name = await api.retrieve({ collection: "accounts", key: known.account, select: ["/name"] });
    assert.equal(name.value, "Ada");
    const reference = await api.retrieve({ collection: "accounts", key: known.account, select: ["primarycontactid/$ref"] });
    assert.deepEqual([reference.collection, reference.id], ["contacts", known.contact]);
    const behind = await api.retrieve({ collection: "accounts", key: known.account, navigationProperty: "primarycontactid" });
    assert.equal(behind.fullname, "Bea");
  },

  async "a record is updated, one property too, and guarded by its version"() {
    assert.equal(await api.update({ collection: "accounts", key: known.account, data: { telephone1: "12" } }), true);
    const updated = await api.update({
      collection: "accounts",
      key: known.account,
      data: { telephone1: "13" },
      returnRepresentation: true,
      select: ["telephone1"],
    });
    assert.equal(updated.telephone1, "13");
    const etag = updated["@odata.etag"];
    await api.updateSingleProperty({ collection: "accounts", key: known.account, fieldValuePair: { fax: "7" } });
    assert.equal(await api.update({ collection: "accounts", key: known.account, ifmatch: etag, data: { fax: "8" } }), false);
    await api.deleteRecord({ collection: "accounts", key: known.account, property: "fax" });
    const account = await api.retrieve({ collection: "accounts", key: known.account, select: ["fax", "telephone1"] });
    assert.deepEqual([account.fax, account.telephone1], [null, "13"]);
  },

  async "an upsert updates or creates, as its conditions let it"() {
    const key = "0192f5a0-0000-7000-8000-00000000ffff";
    const upsert = (data, more) => api.upsert({ collection: "contacts", key, data, ...more });
    assert.equal(await upsert({ fullname: "Cid" }, { ifmatch: "*" }).catch((error) => error.status ?? null), null);
    assert.equal(await upsert({ fullname: "Cid" }), key);
    assert.equal(await upsert({ fullname: "Dan" }, { ifnonematch: "*" }), null);
    await upsert({ lastname: "Dane" });
    const contact = await api.retrieve({ collection: "contacts", key, select: ["fullname", "lastname"] });
    assert.deepEqual([contact.fullname, contact.lastname], ["Cid", "Dane"]);
    known.other = key;
  },

  async "records are linked and taken apart"() {
    const list = { collection: "accounts", primaryKey: known.account, relationshipName: "contact_customer_accounts" };
    for (const relatedKey of [known.contact, known.other]) {
      await api.associate({ ...list, relatedCollection: "contacts", relatedKey });
    }
    const both = () => api.retrieve({
      collection: "accounts",
      key: known.account,
      select: ["name"],
      expand: [{ property: "contact_customer_accounts", select: ["fullname"], orderBy: ["fullname desc"], top: 5 }],
    });
    assert.deepEqual((await both()).contact_customer_accounts.map((one) => one.fullname), ["Cid", "Bea"]);
    await api.disassociate({ ...list, relatedKey: known.other });
    assert.deepEqual((await both()).contact_customer_accounts.map((one) => one.fullname), ["Bea"]);
    const lookup = { collection: "accounts", primaryKey: known.account, navigationProperty: "primarycontactid" };
    await api.associateSingleValued({ ...lookup, relatedCollection: "contacts", relatedKey: known.other });
    await api.disassociateSingleValued(lookup);
    const account = await api.retrieve({ collection: "accounts", key: known.account, select: ["_primarycontactid_value"] });
    assert.equal(account._primarycontactid_value, null);
  },

  async "records are filtered, sorted, counted and read page by page"() {
    for (const name of ["Eve", "Fay", "Gil"]) await api.create({ collection: "accounts", data: { name } });
    const found = await api.retrieveMultiple({
      collection: "accounts",
      select: ["name"],
      filter: "contains(name,'a') and statecode eq 0",
      orderBy: ["name desc"],
      count: true,
      top: 5,
    });
    assert.deepEqual([found.oDataCount, found.value.map((one) => one.name)], [2, ["Fay", "Ada"]]);
    const request = { collection: "accounts", select: ["name"], orderBy: ["name"], maxPageSize: 2 };
    const first = await api.retrieveMultiple(request);
    const second = await api.retrieveMultiple(request, first.oDataNextLink);
    assert.deepEqual([...first.value, ...second.value].map((one) => one.name), ["Ada", "Eve", "Fay", "Gil"]);
    assert.equal(second.oDataNextLink, undefined);
    assert.equal((await api.retrieveAll(request)).value.length, 4);
    assert.equal(await api.count({ collection: "accounts" }), 4);
    assert.equal(await api.count({ collection: "accounts", filter: "name eq 'Eve'" }), 1);
    assert.equal(await api.countAll({ collection: "accounts", select: ["name"] }), 4);
  },

  async "an address that is too long goes as a batch of one"() {
    const names = Array.from({ length: 200 }, (_, at) => `name eq 'somebody number ${at}'`);
    const found = await api.retrieveMultiple({ collection: "accounts", filter: [...names.slice(0, 25), "name eq 'Eve'"].join(" or ") });
    assert.equal(found.value.length, 1);
    const values = [...names.map((_, at) => `'name ${at}'`), "'Eve'"].join(",");
    const filter = `Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=[${values}])`;
    assert.equal((await api.retrieveMultiple({ collection: "accounts", filter })).value.length, 1);
  },

  async "a batch is one changeset, and its requests name each other"() {
    api.startBatch();
    api.create({ collection: "contacts", data: { fullname: "Hal" }, contentId: "1" });
    api.create({ collection: "accounts", data: { name: "Ina", "primarycontactid@odata.bind": "$1" }, contentId: "2" });
    api.update({ collection: "$2", data: { telephone1: "99" } });
    api.retrieveMultiple({ collection: "accounts", select: ["name", "telephone1"], filter: "name eq 'Ina'" });
    api.count({ collection: "contacts" });
    const answers = await api.executeBatch();
    assert.equal(answers.length, 5);
    assert.match(answers[0], /^[0-9a-f-]{36}$/);
    assert.equal(answers[3].value[0].telephone1, "99");
    assert.equal(answers[4], 3);
  },

  async "a batch with an error says which, and goes on when it is told to"() {
    api.startBatch();
    api.create({ collection: "accounts", data: { name: "Jan" } });
    api.create({ collection: "accounts", data: { nothing: 1 } });
    await assert.rejects(api.executeBatch(), (errors) => {
      // The client hangs the whole body of an answer within a batch on its error.
      assert.match(errors.at(-1).error.message, /`account` has no attribute `nothing`/);
      return true;
    });
    assert.equal(await api.count({ collection: "accounts", filter: "name eq 'Jan'" }), 0);
    api.startBatch();
    api.create({ collection: "accounts", data: { nothing: 1 }, inChangeSet: false });
    api.create({ collection: "accounts", data: { name: "Jan" }, inChangeSet: false });
    const answers = await api.executeBatch({ continueOnError: true });
    assert.match(answers[0].error.message, /`account` has no attribute `nothing`/);
    assert.match(answers[1], /^[0-9a-f-]{36}$/);
  },

  async "functions and actions are called, bound and unbound"() {
    const me = await api.callFunction("WhoAmI");
    assert.match(me.UserId, /^[0-9a-f-]{36}$/);
    const counts = await api.callFunction({ name: "RetrieveTotalRecordCount", parameters: { EntityNames: ["account"] } });
    assert.deepEqual(counts.EntityRecordCountCollection.Values, [6]);
    const team = await api.create({ collection: "teams", data: { name: "Escalations" } });
    await api.callAction({
      actionName: "Microsoft.Dynamics.CRM.AddMembersTeam",
      collection: "teams",
      key: team,
      action: { Members: [{ "@odata.type": "Microsoft.Dynamics.CRM.systemuser", systemuserid: me.UserId }] },
    });
    const members = await api.retrieveMultiple({ collection: `teams(${team})/teammembership_association`, select: ["fullname"] });
    assert.equal(members.value[0].systemuserid, me.UserId);
  },

  async "the schema is asked, and names of entities do instead of sets"() {
    const entity = await api.retrieveEntity({ key: "LogicalName='account'", select: ["LogicalName", "EntitySetName"] });
    assert.equal(entity.EntitySetName, "accounts");
    const choices = await api.retrieveAttributes({
      entityKey: entity.MetadataId,
      castType: "Microsoft.Dynamics.CRM.PicklistAttributeMetadata",
      select: ["LogicalName"],
      expand: [{ property: "OptionSet", select: ["Options"] }],
    });
    assert.ok(choices.value.every((one) => one.OptionSet.Options.length > 0));
    const csdl = await api.retrieveCsdlMetadata();
    assert.match(csdl, /<EntitySet Name="accounts"/);
    const named = new DynamicsWebApi({
      serverUrl: process.env.STEPWISE_URL,
      dataApi: { version: "9.2" },
      useEntityNames: true,
      onTokenRefresh: async () => process.env.STEPWISE_TOKEN,
    });
    assert.equal(await named.count({ collection: "account", filter: "name eq 'Eve'" }), 1);
  },

  async "what is refused is an error with its code and sentence"() {
    await assert.rejects(api.retrieve({ collection: "accounts", key: known.other }), (error) => {
      assert.equal(error.status, 404);
      assert.match(error.code, /^0x8/);
      assert.match(error.message, /there is no `account`/);
      return true;
    });
    await assert.rejects(api.callFunction("Nothing"), { status: 404 });
  },

  async "a record is deleted, if it still is what it was"() {
    const request = { collection: "accounts", key: known.account };
    assert.equal(await api.deleteRecord({ ...request, ifmatch: 'W/"1"' }), false);
    assert.equal(await api.deleteRecord(request), true);
    await assert.rejects(api.retrieve(request), { status: 404 });
  },
};

const known = {};
for (const [name, step] of Object.entries(steps)) {
  await step().catch((error) => {
    console.error(`FAILED: ${name}`);
    throw error;
  });
  console.log(`ok: ${name}`);
}
