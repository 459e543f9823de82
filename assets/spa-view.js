// What the page /spa shows of the client in spa.js: its messages, its checks, what came of them. All texts stand in the
// page, in the visitor's language; what comes over the wire is only ever put into the page as text, never as HTML.

const part = (id) => document.getElementById(id);
const page = part("spa").dataset;

/** An element with attributes and what is in it. */
function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

/** A copy of what the server wrote under this name, or under the other one. */
function written(kind, name, otherwise) {
  const all = part(kind).content;
  const one = (name) => name && all.querySelector(`[data-name="${CSS.escape(name)}"]`);
  return (one(name) ?? one(otherwise))?.cloneNode(true) ?? document.createTextNode(name);
}

function icon(name) {
  const copy = written("icons", "icon");
  copy.querySelector("use").setAttribute("href", `#i-${name}`);
  return copy;
}

// ------------------------------------------------------------------------------ what was said and checked

let items = [];
let list; // the list on the page that is being written
let spans = 0;
const trace = hex(16);
// The IdP's record of these is joined to ours (W3C Trace Context), where it keeps one; for the others nobody looks.
const TRACED = ["token", "userinfo", "refresh", "api", "revoke"];
let isTraced = false;
const TO_THE_RP = ["callback", "logout_done"];

function hex(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (it) => it.toString(16).padStart(2, "0")).join("");
}

/** What the IdP says of itself. Another one may refuse a header that it does not know to scripts (CORS). */
export function knows(metadata) {
  isTraced = !!page.told && !!metadata.flow_recording_endpoint;
}

/** A request that leaves this browser. What it returns takes the answer, and has the headers to send. */
export function sends(exchange, method, address, headers, body = "") {
  const url = new URL(address);
  const span = hex(8);
  const sent = { ...headers };
  if (isTraced && TRACED.includes(exchange)) sent.traceparent = `00-${trace}-${span}-01`;
  const isScripts = Object.keys(headers).length > 0;
  const known = { host: url.host, ...(isScripts && { origin: location.origin }), ...sent };
  const item = { exchange, method, target: url.pathname + url.search, headers: Object.entries(known).sort(), body, span };
  remember(item);
  const to = TO_THE_RP.includes(exchange) ? "rp" : "idp";
  const line = { request: { method, target: item.target } };
  note({ message: { exchange, from: "browser", to, line, headers: item.headers, body, cut: 0, span } }, span);
  const answered = (answer, text) => {
    const names = ["cache-control", "content-type", "www-authenticate"];
    const headers = names.map((name) => [name, answer.headers.get(name)]).filter(([, value]) => value !== null);
    item.answer = { status: answer.status, headers, body: text.slice(0, 20_000) };
    showAnswer(item);
    const cut = Math.max(0, text.length - 20_000);
    const message = { exchange, from: "idp", to: "browser", line: { status: answer.status }, headers, span };
    note({ message: { ...message, body: item.answer.body, cut } }, span);
  };
  return { headers: sent, answered };
}

/** The request that brought the browser back, as the address bar had it. */
const arrival = location.pathname + location.search;

export function came(exchange) {
  sends(exchange, "GET", location.origin + arrival, {});
}

/** Words of the catalogue, with a value in them. */
export function words(id, value = "") {
  return { words: id, value: String(value) };
}

function shown(value) {
  if (value === undefined || value === null) return words("absent");
  if (value.words) return value;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return { words: null, value: text.slice(0, 200) };
}

/** A check, with its verdict: passed, failed or not_applicable. */
export function judge(rule, expected, actual, verdict) {
  const check = { rule, expected: shown(expected), actual: shown(actual), verdict };
  remember({ check });
  const last = items.findLast((item) => item.exchange && item.exchange !== "keys");
  const isLater = ["refresh", "logout_done"].includes(last?.exchange);
  note({ check }, isLater ? last.span : "");
}

/** What happens to values in a step. */
export function lives(step, values, ...turns) {
  const last = items.findLast((item) => item.exchange && item.exchange !== "keys");
  const within = last?.exchange === "refresh" ? last.span : "";
  for (const value of values) for (const turn of turns) note({ life: { value, turn, step } }, within);
}

function remember(item) {
  items.push(item);
  show(item);
}

/** What was said before the browser left, to be kept until it is back. */
export function said() {
  return items;
}

export function restore(before = []) {
  items = before ?? [];
  part("story").replaceChildren();
  items.forEach(show);
}

export function startOver() {
  restore();
  flow = undefined;
  document.querySelectorAll('[id^="token-"]').forEach((row) => row.replaceChildren());
}

// ------------------------------------------------------------------------------------------ how it looks

function show(item) {
  part("nothing").hidden = true;
  if (item.check) {
    if (!list) part("story").append(el("li", {}, (list = el("ol", { class: "checks" }))));
    list.append(checkOf(item.check));
    return;
  }
  list = null;
  const card = written("shapes", TO_THE_RP.includes(item.exchange) ? "to_rp" : "to_idp");
  card.id = `said-${(spans += 1)}`;
  item.card = card.id;
  const slot = (name) => card.querySelector(`[data-slot="${name}"]`);
  slot("title").append(written("messages", `${item.exchange}.request`));
  slot("line").append(`${item.method} ${item.target.split("?")[0]}`);
  slot("request").append(...lines(`${item.method} ${item.target}`, item.headers, item.body));
  slot("sight").append(written("sights", item.exchange, "direct"));
  parameters(slot("parameters"), [
    ...new URLSearchParams(item.target.split("?")[1] ?? ""),
    ...new URLSearchParams(item.body),
    ...item.headers.filter(([name]) => name === "authorization").map(([, value]) => ["authorization_bearer", value]),
  ]);
  part("story").append(card);
  if (item.answer) showAnswer(item);
}

function showAnswer({ card: id, exchange, answer }) {
  const card = part(id);
  const slot = (name) => card.querySelector(`[data-slot="${name}"]`);
  slot("answer-title").replaceChildren(written("messages", `${exchange}.response`));
  slot("answer").replaceChildren(...lines(`HTTP ${answer.status}`, answer.headers, pretty(answer.body)));
  const verdict = answer.status < 400 ? "passed" : "failed";
  slot("status").className = `verdict ${verdict}`;
  slot("status").replaceChildren(icon(verdict), String(answer.status));
  // The members of the two documents are explained in the viewer: there are many.
  if (["discovery", "keys"].includes(exchange)) return;
  try {
    const members = Object.entries(JSON.parse(answer.body)).map(([name, value]) => [name, String(value)]);
    parameters(slot("parameters"), members.filter(([name]) => part("parameters").content.querySelector(`[data-name="${CSS.escape(name)}"]`)));
  } catch {
    // no JSON, no members
  }
}

/** A message line by line, as the viewer writes it: a parameter on each. */
function lines(first, headers, body) {
  const line = (...content) => el("span", { class: "wire" }, ...content);
  const pairs = (text, sign) =>
    text.split("&").map((pair, at) => {
      const [name, ...value] = pair.split("=");
      return line(at ? "&" : sign, el("b", {}, name), value.length ? `=${value.join("=")}` : "");
    });
  const [start, query] = first.split("?");
  const all = [line(start), ...(query ? pairs(query, "?") : [])];
  all.push(...headers.map(([name, value]) => line(`${name}: ${value}`)));
  if (body) {
    all.push(el("span", { class: "wire gap" }));
    all.push(...(/^[\w.]+=/.test(body) ? pairs(body, "") : body.split("\n").map((text) => line(text))));
  }
  return all;
}

function pretty(body) {
  try {
    return JSON.stringify(JSON.parse(body), null, 2).replaceAll("  ", "\u00a0\u00a0");
  } catch {
    return body;
  }
}

function parameters(table, pairs) {
  for (const [name, value] of pairs) {
    const about = el("small", {}, written("parameters", name, "other"));
    table.append(el("tr", {}, el("th", { scope: "row" }, el("code", {}, name), about), el("td", {}, el("code", {}, value))));
  }
  table.closest("details").hidden = !table.rows.length;
}

function checkOf({ rule, expected, actual, verdict }) {
  const check = written("rules", rule);
  check.classList.add(verdict);
  check.prepend(icon(verdict));
  const slot = (name) => check.querySelector(`[data-slot="${name}"]`);
  slot("verdict").className = `verdict ${verdict}`;
  slot("verdict").append(written("verdicts", verdict));
  slot("expected").append(valueOf(expected));
  slot("actual").append(verdict === "failed" ? el("mark", {}, valueOf(actual)) : valueOf(actual));
  return check;
}

function valueOf({ words, value }) {
  if (!words) return el("code", {}, value);
  const text = written("words", words);
  // Where the value belongs the server left a mark.
  const place = document.createTreeWalker(text, NodeFilter.SHOW_TEXT);
  while (place.nextNode()) place.currentNode.data = place.currentNode.data.replace("\u2603", () => value);
  return text;
}

// ------------------------------------------------------------------------------- where the client has come to

/** The switch of the language leads to this page, and not back into a login that is over. */
export function start() {
  for (const link of document.querySelectorAll(".langs a")) link.search = `?lang=${link.lang}`;
  part("client").hidden = false;
  // A page that the browser kept, and shows again after "back", goes on where it was.
  addEventListener("pageshow", (event) => event.persisted && ends(null));
}

/** Nobody is signed in, and why, if there is something to say. */
export function signedOut(why) {
  part("signed_in").hidden = true;
  part("signed_out").hidden = false;
  part("why").replaceChildren(...(why ? [written("texts", why)] : []));
}

export function signedIn({ claims, scope }, userinfo) {
  part("signed_out").hidden = true;
  part("signed_in").hidden = false;
  part("who").replaceChildren(userinfo.name ?? claims.sub);
  part("sub").replaceChildren(claims.sub);
  part("scope").replaceChildren(scope ?? page.scope);
}

export function begins(deed) {
  document.querySelectorAll("#client button").forEach((button) => (button.disabled = true));
  part("spa").ariaBusy = "true";
  if (deed !== "signedOut") part("done").replaceChildren();
}

/** Which buttons are of use now, and how the tokens look. */
export function ends(tokens) {
  document.querySelectorAll("#client button").forEach((button) => (button.disabled = false));
  part("spa").ariaBusy = "false";
  if (!tokens) return;
  part("refresh").hidden = !tokens.refresh_token;
  part("no_refresh").hidden = !!tokens.refresh_token;
  part("replay").hidden = !tokens.used;
  for (const name of ["access_token", "id_token", "refresh_token"]) {
    const row = part(`token-${name}`);
    row.closest("div").hidden = !tokens[name];
    const isNew = tokens.used && row.textContent && row.textContent !== tokens[name];
    row.replaceChildren(tokens[name] ?? "");
    row.closest("div").querySelector(".changed").hidden = !isNew;
  }
}

export function done(deed) {
  outcome("passed", "done", written("texts", deed));
}

export function failed(how, code) {
  const because = code ? [el("code", {}, code), " ", written("errors", code, "other")] : [];
  outcome("failed", "failed", written("texts", how), ...because);
  const refused = document.querySelector(".check.failed");
  if (how === "refused" && refused) {
    refused.id = "refused";
    part("done").append(" ", el("a", { href: "#refused" }, written("texts", "to_check")));
  }
}

/** How a deed came out. The words of checks are not for it: what a check says passes or fails, a deed is done. */
function outcome(verdict, word, ...words) {
  part("done").replaceChildren(el("span", { class: `verdict ${verdict}` }, icon(verdict), written("verdicts", word)), " ", ...words);
}

// -------------------------------------------------------------- what the server behind this page is told

let events = [];
let flow; // the flow's name there: its state

function note(event, within) {
  events.push({ at: Date.now(), within, event });
}

/** Tells the RP's flow viewer, if flows are recorded there, and learns where they are shown. It is no part of the login. */
export async function tell(state) {
  flow = state ?? flow;
  if (!page.told || !flow || !events.length) return;
  const told = events.map(({ at, within, event }) => ({ ago: Math.max(0, Date.now() - at), within, event }));
  events = [];
  try {
    const body = new URLSearchParams({ state: flow, told: JSON.stringify(told) });
    const answer = await fetch(page.told, { method: "POST", body });
    if (!answer.ok) return;
    part("flow").href = (await answer.json()).flow;
    part("flow").hidden = false;
  } catch {
    // nobody looks on, then
  }
}
