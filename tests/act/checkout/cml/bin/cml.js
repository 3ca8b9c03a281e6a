// Runs the CML at $ACT_CML; where there is none, does of `cml comment update` what GitHub sees of it.
const { readFileSync } = require("node:fs");
const { join } = require("node:path");

async function main() {
  const options = Object.fromEntries(process.argv.slice(4).map((word) => word.replace(/^--/, "").split("=")));
  const { origin, pathname } = new URL(options.repo);
  const repository = `${origin}/api/v3/repos${pathname}/issues`;
  const mark = `"CML watermark ${options["watermark-title"]}")`;
  const comments = `${repository}/${options.target.replace("pr/", "")}/comments`;
  const ours = (await call("GET", comments)).reverse().find((comment) => comment.body.includes(mark));
  const report = readFileSync(process.argv.at(-1), "utf8");
  const body = `${report}\n\n![](https://cml.dev/watermark.png#${process.env.GITHUB_SHA} ${mark}`;
  await (ours ? call("PATCH", `${repository}/comments/${ours.id}`, { body }) : call("POST", comments, { body }));
}

async function call(method, address, document) {
  const headers = { authorization: `token ${process.env.REPO_TOKEN}`, "content-type": "application/json" };
  const answer = await fetch(address, { method, headers, body: document && JSON.stringify(document) });
  if (!answer.ok) throw new Error(`${method} ${address}: ${answer.status}`);
  return answer.json();
}

if (process.env.ACT_CML) require(join(process.env.ACT_CML, "bin/cml.js"));
else main().catch((error) => { console.error(error.message); process.exit(1); });
