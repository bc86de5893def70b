/**
 * The inspector's page. It has no state but what is shown: the list on the left, one actor on the right, which a live
 * connection keeps up to date. Everything that comes from an actor becomes text, never markup.
 */
const $ = (id) => document.getElementById(id);
let token = "";
let chosen;
let live;
let view = { overview: {}, state: {}, calls: [] };
let tab = "state";
let listed = 0;

/** An element with attributes and children; children that aren't elements become text. */
function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "onclick") made.onclick = value;
    else if (value !== undefined && value !== false) made.setAttribute(name, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** Asks the API. Rejects with the error's code and words. */
async function ask(path, body) {
  const response = await fetch(`/inspector${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${token}` },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = await response.json();
  if (answer.error !== undefined)
    throw Object.assign(new Error(`${answer.error.group}.${answer.error.code}: ${answer.error.message}`), {
      status: response.status,
    });
  return answer;
}

const at = (ms) => new Date(ms).toLocaleTimeString();
const ms = (value) => value.toFixed(value < 10 ? 2 : 0);
const keyText = (key) => key.join("/") || "(no key)";

async function list(after) {
  listed += 1;
  const mine = listed;
  const query = new URLSearchParams({ limit: "100" });
  if ($("name").value) query.set("name", $("name").value);
  if ($("prefix").value) query.set("prefix", $("prefix").value);
  if (after) query.set("after", after);
  const { names, actors, next } = await ask(`/actors?${query}`);
  if (mine !== listed) return;
  if ($("name").options.length !== names.length + 1) {
    $("name").replaceChildren(
      el("option", { value: "" }, "All actors"),
      ...names.map((n) => el("option", {}, n)),
    );
  }
  const items = actors.map(({ id, name, key, phase }) =>
    el(
      "li",
      {},
      el(
        "button",
        { "aria-current": id === chosen, "data-id": id, onclick: () => choose(id) },
        el("span", { class: `dot ${phase}`, title: phase }),
        el("span", { class: "key" }, keyText(key)),
        el("span", { class: "quiet" }, name),
      ),
    ),
  );
  if (after) $("actors").append(...items);
  else $("actors").replaceChildren(...items);
  $("more").hidden = next === undefined;
  $("more").onclick = () => list(next).catch(show);
}

function choose(id) {
  chosen = id;
  for (const button of $("actors").querySelectorAll("button"))
    button.toggleAttribute("aria-current", button.dataset.id === id);
  watch(id);
}

/** A live connection; one that breaks is made again while its actor is looked at. */
function watch(id) {
  live?.close();
  const secret = btoa(String.fromCharCode(...new TextEncoder().encode(token)));
  const url = `${location.origin.replace("http", "ws")}/inspector/actors/${encodeURIComponent(id)}/live`;
  const name = `troupe.token.${secret.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
  const socket = new WebSocket(url, ["troupe", name]);
  live = socket;
  socket.onmessage = ({ data }) => socket === live && heard(JSON.parse(data));
  socket.onclose = ({ code }) => {
    if (socket === live && code !== 1000) setTimeout(() => socket === live && watch(id), 1_000);
  };
}

function heard(event) {
  let fresh = [];
  switch (event.kind) {
    case "snapshot":
      view = { overview: event.overview, state: event.state, calls: event.calls };
      return draw();
    case "overview":
      view.overview = event.overview;
      break;
    case "phase":
      view.overview.phase = event.phase;
      list().catch(show);
      break;
    case "state":
      Object.assign(view.state, event.set);
      for (const name of event.removed) delete view.state[name];
      fresh = Object.keys(event.set);
      break;
    case "call":
      view.calls = [event.call, ...view.calls].slice(0, 128);
      break;
    case "end":
      view.overview.phase = event.reason;
      break;
  }
  head();
  if (["state", "calls", "connections", "options"].includes(tab)) body(fresh);
}

function draw() {
  const tabs = [
    "state",
    "calls",
    "connections",
    ...view.overview.sections.filter((name) => name !== "state"),
  ];
  if (view.overview.database) tabs.push("database");
  tabs.push("options");
  if (!tabs.includes(tab)) tab = "state";
  const tablist = el(
    "div",
    { role: "tablist" },
    ...tabs.map((name) =>
      el(
        "button",
        {
          role: "tab",
          "aria-selected": String(name === tab),
          onclick: () => {
            tab = name;
            draw();
          },
        },
        name,
      ),
    ),
  );
  $("actor").replaceChildren(
    el("header", { id: "head" }),
    el("p", { class: "facts", id: "facts" }),
    tablist,
    el("div", { id: "body", role: "tabpanel" }),
  );
  head();
  body([]);
}

function head() {
  const { name, key, id, phase, createdAt, awakeReasons = [], alarmAt } = view.overview;
  $("head").replaceChildren(
    el("span", { class: `dot ${phase}` }),
    el("h2", {}, `${name} ${keyText(key)}`),
    el("span", { class: "quiet", id: "phase" }, phase),
    el("code", { class: "quiet" }, id),
  );
  const facts = [`made ${new Date(createdAt).toLocaleString()}`];
  if (awakeReasons.length > 0) facts.push(`awake for ${awakeReasons.join(", ")}`);
  if (typeof alarmAt === "number") facts.push(`wakes at ${at(alarmAt)}`);
  $("facts").textContent = facts.join(" · ");
}

function body(fresh) {
  const shown = {
    state: () =>
      table(
        ["property", "value"],
        Object.entries(view.state).map(([name, value]) => [name, json(value)]),
        fresh,
      ),
    calls: () => callTable(view.calls),
    connections: () =>
      table(
        ["id", "encoding", "parameters", "listens to"],
        (view.overview.connections ?? []).map((one) => [
          one.id,
          one.encoding,
          json(one.params),
          one.subscriptions.join(", "),
        ]),
      ),
    options: () =>
      table(
        ["option", "value"],
        Object.entries(view.overview.options).map(([name, value]) => [name, json(value)]),
      ),
    database: () => database(),
  }[tab];
  if (shown !== undefined) $("body").replaceChildren(shown());
  else section(tab).catch(show);
}

/** A section that is read when it is looked at. One with rows of its own shows its first list as a table. */
async function section(name) {
  const answer = await ask(`/actors/${chosen}/${name}`);
  if (tab !== name) return;
  const [rows = []] = Object.values(answer).filter(Array.isArray);
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  $("body").replaceChildren(
    rows.length === 0
      ? el("p", { class: "quiet" }, "Nothing here.")
      : table(
          columns,
          rows.map((row) => columns.map((column) => cell(column, row[column]))),
        ),
  );
}

function cell(column, value) {
  if (column.endsWith("At") && typeof value === "number") return new Date(value).toLocaleString();
  if (value?.text !== undefined) return value.text;
  if (value?.hex !== undefined) return `0x${value.hex}`;
  return typeof value === "string" ? value : json(value);
}

const json = (value) => el("pre", {}, JSON.stringify(value, null, 1) ?? "");

function table(columns, rows, fresh = []) {
  if (rows.length === 0) return el("p", { class: "quiet" }, "Nothing here.");
  return el(
    "table",
    {},
    el("thead", {}, el("tr", {}, ...columns.map((name) => el("th", { scope: "col" }, name)))),
    el(
      "tbody",
      {},
      ...rows.map((cells) =>
        el(
          "tr",
          { class: fresh.includes(cells[0]) ? "fresh" : undefined },
          ...cells.map((one) => el("td", {}, one)),
        ),
      ),
    ),
  );
}

function callTable(calls) {
  if (calls.length === 0) return el("p", { class: "quiet" }, "No calls yet.");
  const columns = ["queue", "run", "gate", "storage"];
  return el(
    "table",
    {},
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        ...["at", "action", "outcome"].map((n) => el("th", { scope: "col" }, n)),
        ...columns.map((n) => el("th", { scope: "col", class: "number" }, `${n} ms`)),
      ),
    ),
    el(
      "tbody",
      {},
      ...calls.map((call) =>
        el(
          "tr",
          {},
          el("td", {}, at(call.at)),
          el("td", {}, call.action),
          el("td", { class: call.outcome === "ok" ? "quiet" : "bad" }, call.outcome),
          ...columns.map((name) => el("td", { class: "number" }, ms(call[`${name}Ms`]))),
        ),
      ),
    ),
  );
}

function database() {
  const text = el("textarea", { "aria-label": "SQL", spellcheck: "false" });
  text.value = "SELECT name, sql FROM sqlite_schema WHERE type = 'table'";
  const result = el("div", {});
  const run = async () => {
    const { columns, rows } = await ask(`/actors/${chosen}/sql`, { sql: text.value });
    result.replaceChildren(
      table(
        columns,
        rows.slice(0, 200).map((row) => row.map((value) => String(value))),
      ),
    );
  };
  const button = el(
    "button",
    {
      onclick: () => run().catch((error) => result.replaceChildren(el("p", { class: "bad" }, error.message))),
    },
    "Run",
  );
  return el("div", {}, text, button, result);
}

function show(error) {
  if (error.status === 401) return door(error.message);
  if (chosen !== undefined && $("body")) $("body").replaceChildren(el("p", { class: "bad" }, error.message));
}

function door(why = "") {
  live?.close();
  live = undefined;
  sessionStorage.removeItem("token");
  $("refused").textContent = why;
  $("house").hidden = true;
  $("door").hidden = false;
  $("token").focus();
}

async function enter(with_) {
  token = with_;
  await list();
  sessionStorage.setItem("token", token);
  $("door").hidden = true;
  $("house").hidden = false;
}

$("door").onsubmit = (event) => {
  event.preventDefault();
  enter($("token").value).catch((error) => door(error.message));
};
$("name").onchange = () => list().catch(show);
$("prefix").oninput = () => list().catch(show);
setInterval(
  () =>
    !$("house").hidden && document.visibilityState === "visible" && $("more").hidden && list().catch(show),
  3_000,
);

const kept = sessionStorage.getItem("token");
if (kept === null) door();
else enter(kept).catch((error) => door(error.message));
