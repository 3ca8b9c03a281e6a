// Writes down what it is asked to post, or fails as CML does where GitHub refuses.
const { readFileSync, writeFileSync } = require("node:fs");

const options = process.argv.slice(2);
if (!process.env.ACT_POSTED) process.exit(1);
writeFileSync(
  process.env.ACT_POSTED,
  JSON.stringify({
    options: options.slice(0, -1),
    token: process.env.REPO_TOKEN,
    report: readFileSync(options.at(-1), "utf8"),
  }),
);
