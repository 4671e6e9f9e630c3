// A browser that signs in: it follows every redirect, keeps the cookies of each site, and ends where nobody sends it on.
// It prints what it found, one JSON object.

const [start, sabotage] = process.argv.slice(2);
const jars = new Map();

const visit = async (address) => {
  const { host } = new URL(address);
  const jar = jars.get(host) ?? new Map();
  jars.set(host, jar);
  const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join("; ");
  const answer = await fetch(address, { redirect: "manual", headers: cookie ? { cookie } : {} });
  for (const line of answer.headers.getSetCookie()) {
    const [name, ...value] = line.split(";")[0].split("=");
    const gone = /max-age=0/i.test(line) || value.join("=") === "";
    if (gone) jar.delete(name); else jar.set(name, value.join("="));
  }
  return answer;
};

let [address, callback] = [start, null];
for (let hops = 0; hops < 20; hops += 1) {
  if (new URL(address).pathname === "/signin/oidc/callback") {
    callback = address;
    if (sabotage === "other-browser") jars.clear();
    if (sabotage === "other-issuer") address = address.replace(/iss=[^&]*/, "iss=https%3A%2F%2Fevil.example");
    if (sabotage === "other-code") address = address.replace(/code=[^&]*/, "code=guess");
  }
  const answer = await visit(address);
  const next = answer.headers.get("location");
  if (!next) {
    const text = await answer.text();
    const replay = callback ? await visit(callback) : null;
    const session = jars.get(new URL(start).host)?.get("stepwise-session");
    const told = { status: answer.status, address, body: text, session };
    console.log(JSON.stringify({ ...told, replay: replay && { status: replay.status, body: await replay.text() } }));
    process.exit(0);
  }
  address = new URL(next, address).href;
}
console.error("it never ends");
process.exit(1);
