"use strict";
// All that comes from the server is put into the page as text, never as markup.
const at = (id) => document.getElementById(id);
const POLL_MILLISECONDS = 2000;
const whole = new Intl.NumberFormat("en", {maximumFractionDigits: 0});
const short = new Intl.NumberFormat("en", {maximumSignificantDigits: 3});
const share = new Intl.NumberFormat("en", {style: "percent", minimumFractionDigits: 1, maximumFractionDigits: 1});

function make(tag, text, className) {
  const element = document.createElement(tag);
  if (text !== undefined) element.textContent = text;
  if (className) element.className = className;
  return element;
}

function show(id, text) {
  at(id).textContent = text ?? "";
  at(id).hidden = !text;
}

// ---- live numbers

function seconds(value) {
  if (value === null || value === undefined) return "–";
  return value < 1 ? `${short.format(value * 1000)} ms` : `${short.format(value)} s`;
}

function sum(counts) {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

function state(text, tone) {
  if (at("state").textContent !== text) at("state").textContent = text;
  at("state").className = `badge ${tone}`;
}

function fill(id, rows) {
  at(id).tBodies[0].replaceChildren(...rows);
  at(id).hidden = rows.length === 0;
  at(`${id}-none`).hidden = rows.length > 0;
}

function line(name, ...cells) {
  const row = make("tr");
  const head = make("th", name);
  head.scope = "row";
  row.append(head, ...cells);
  return row;
}

function driftTone(index) {
  if (index >= 0.25) return "fail";
  return index >= 0.1 ? "warn" : "pass";
}

function driftLine({feature, psi}, greatest) {
  const meter = make("td", undefined, "meter");
  const bar = make("span", undefined, `bar ${driftTone(psi)}`);
  bar.style.inlineSize = `${(psi / Math.max(greatest, 0.5)) * 100}%`;
  meter.append(bar);
  return line(feature, meter, make("td", psi.toFixed(3), "numeric"));
}

function showStatus(status) {
  at("rate").textContent = short.format(status.requests_per_second);
  at("p50").textContent = seconds(status.p50_seconds);
  at("p99").textContent = seconds(status.p99_seconds);
  at("requests").textContent = whole.format(status.requests);
  at("refused").textContent = whole.format(sum(status.refusals));
  const greatest = Math.max(0, ...status.drift.map(({psi}) => psi));
  fill("drift", status.drift.slice(0, 5).map((feature) => driftLine(feature, greatest)));
  const refusals = Object.entries(status.refusals).filter(([, count]) => count > 0).sort((a, b) => b[1] - a[1]);
  fill("refusals", refusals.map(([reason, count]) => line(reason, make("td", whole.format(count), "numeric"))));
}

async function poll() {
  try {
    const response = await fetch("v1/status", {cache: "no-store"});
    if (response.ok) {
      const status = await response.json();
      if ("requests" in status) showStatus(status);
      state("requests" in status ? "serving" : "serving, not monitored", "pass");
    } else {
      state(`answers ${response.status}`, "warn");
    }
  } catch {
    state("no answer", "fail");
  }
}

async function follow() {
  if (!document.hidden) await poll();
  setTimeout(follow, POLL_MILLISECONDS);
}

// ---- the form

const fields = Array.from(document.querySelectorAll(".field[data-column]"), (element) => ({
  element,
  column: element.dataset.column,
  type: element.dataset.type,
  input: element.querySelector("input, select"),
  error: element.querySelector(".error"),
}));

function value({type, input}) {
  if (input.type === "checkbox") return input.checked;
  if (input.value === "") return null;
  if (type === "category") return input.value;
  return type === "boolean" ? input.value === "true" : Number(input.value);
}

function body() {
  return JSON.stringify({rows: [Object.fromEntries(fields.map((field) => [field.column, value(field)]))]});
}

function complain(field, message) {
  field.error.textContent = message ?? "";
  field.error.hidden = !message;
  field.input.setAttribute("aria-invalid", String(Boolean(message)));
}

function showCommand() {
  const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;
  const url = new URL("v1/predict", document.baseURI).href;
  at("curl").textContent =
    `curl ${quoted(url)} \\\n  --header 'Content-Type: application/json' \\\n  --data ${quoted(body())}`;
}

function shareLine(label, probability) {
  const row = make("div", undefined, "share");
  const track = make("span", undefined, "track");
  const bar = make("span", undefined, "bar");
  bar.style.inlineSize = `${Math.min(Math.max(probability, 0), 1) * 100}%`;
  track.append(bar);
  row.append(make("span", label), track, make("span", share.format(probability), "numeric"));
  return row;
}

function shares(prediction) {
  if (prediction.probabilities) {
    const all = Object.entries(prediction.probabilities).sort((a, b) => b[1] - a[1]);
    return all.slice(0, 10).map(([label, probability]) => shareLine(label, probability));
  }
  if (prediction.probability === undefined) return [];
  return [shareLine(`probability of ${document.body.dataset.positive}`, prediction.probability)];
}

function showAnswer(answer, milliseconds) {
  const [prediction] = answer.predictions;
  at("prediction").textContent = String(prediction.prediction);
  at("shares").replaceChildren(...shares(prediction));
  at("took").textContent = `${short.format(milliseconds)} ms with the way there and back · request ${answer.id}`;
  at("answer").hidden = false;
}

function showRefusal(refusal) {
  const found = (refusal.errors ?? []).map((error) => [fields.find((field) => field.column === error.column), error]);
  for (const [field, error] of found) if (field) complain(field, error.message);
  found.find(([field]) => field)?.[0].input.focus();
  const count = found.filter(([field]) => field).length;
  const marked = count === 1 ? "1 column is marked." : `${count} columns are marked.`;
  show("answer-error", count > 0 ? `The row was refused: ${marked}` : refusal.error);
}

async function ask() {
  const started = performance.now();
  const response = await fetch("v1/predict", {
    method: "POST", headers: {"Content-Type": "application/json"}, body: body(),
  });
  const answer = await response.json();
  if (response.ok) showAnswer(answer, performance.now() - started);
  else showRefusal(answer);
}

async function submit(event) {
  event.preventDefault();
  at("answer").hidden = at("answer-none").hidden = true;
  show("answer-error");
  for (const field of fields) complain(field);
  const unreadable = fields.filter((field) => field.input.validity.badInput);
  for (const field of unreadable) complain(field, "this is no number");
  if (unreadable.length > 0) {
    unreadable[0].input.focus();
    return;
  }
  try {
    await ask();
  } catch {
    show("answer-error", "The server did not answer. Is it still running?");
  }
}

at("row").addEventListener("submit", submit);
at("row").addEventListener("input", showCommand);
at("row").addEventListener("reset", () => {
  for (const field of fields) complain(field);
  setTimeout(showCommand);
});
showCommand();
follow();
