/**
 * Makes an API key: `npm run api-key -- --id app --scopes bids:write,read [--subject ada]`.
 *
 * Prints the key, which only its bearer should keep, and the entry of the secret `API_KEYS`, which
 * holds the key's hash in its place. For the first key, and for one that works while the database is
 * away; with it, `npm run gavel -- keys create` makes the others.
 */
import { createHash } from "node:crypto";
import { parseArgs } from "node:util";
import { idPattern } from "../src/auction/events.ts";
import { scopes } from "../src/config.ts";
import { keyIdPattern, makeKey } from "../src/credentials/api-key.ts";

const { values } = parseArgs({
  options: {
    id: { type: "string" },
    scopes: { type: "string", default: "items:write,bids:write,read" },
    subject: { type: "string" },
  },
});

if (values.id === undefined || !keyIdPattern.test(values.id)) {
  refuse("Say which key it is: --id <1 to 64 letters, digits, dots or hyphens, neither . nor ..>");
}
const unknown = values.scopes.split(",").filter((scope) => !(scopes as readonly string[]).includes(scope));
if (unknown.length > 0) refuse(`No scope is named ${unknown.join(", ")}; there are ${scopes.join(", ")}`);
if (values.subject !== undefined && !idPattern.test(values.subject)) {
  refuse("A subject is the id of a bidder or seller: 1 to 64 letters, digits or ._:~-");
}

const key = makeKey(values.id);
const entry = {
  id: values.id,
  sha256: createHash("sha256").update(key).digest("hex"),
  scopes: values.scopes.split(","),
  ...(values.subject === undefined ? {} : { subject: values.subject }),
};
process.stdout.write(`key:   ${key}\nentry: ${JSON.stringify(entry)}\n`);

function refuse(sentence: string): never {
  process.stderr.write(`${sentence}\n`);
  process.exit(1);
}
