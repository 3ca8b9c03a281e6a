// Reads a JSON list of diagrams from the standard input; prints, for each reader, what it says to each of them.
import { readFileSync } from "node:fs";
import { JSDOM } from "jsdom";

// Mermaid cleans titles through the browser's document, which has to be there before it is loaded.
globalThis.window = new JSDOM("").window;
globalThis.document = globalThis.window.document;
const { default: current } = await import("mermaid");
const { default: old } = await import("mermaid-10");

async function read(mermaid, diagram) {
  try {
    await mermaid.parse(diagram);
    return "ok";
  } catch (error) {
    return String(error.message ?? error);
  }
}

const diagrams = JSON.parse(readFileSync(0, "utf8"));
const answers = [];
for (const diagram of diagrams) {
  answers.push([await read(current, diagram), await read(old, diagram)]);
}
console.log(JSON.stringify(answers));
