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
/** Whether plugins are shown, in place of an actor; and what was shown of them. */
let plugged = false;
let told = new Map();

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
  plugged = false;
  mark(id);
  watch(id);
}

/** Marks the one that is looked at; none for the plugins. */
function mark(id) {
  chosen = id;
  for (const button of $("actors").querySelectorAll("button"))
    button.toggleAttribute("aria-current", button.dataset.id === id);
  $("plugins").toggleAttribute("aria-current", plugged);
}

/** What is wrong comes first in the eye: the dot is that of the worst. */
async function plugins() {
  const { plugins: all } = await ask("/plugins");
  const worst = ["disabled", "degraded", "running"].find((state) => all.some((one) => one.state === state));
  $("plugins").hidden = all.length === 0;
  $("plugins").replaceChildren(
    el("span", { class: `dot ${worst}`, title: worst }),
    el("span", {}, "Plugins"),
    el("span", { class: "quiet" }, String(all.length)),
  );
  const now = new Map(all.map((one) => [one.id, JSON.stringify(one)]));
  const changed = [...now.keys()].filter((id) => told.get(id) !== now.get(id));
  if (plugged && (changed.length > 0 || now.size !== told.size))
    drawPlugins(all, told.size > 0 ? changed : []);
  told = now;
}

function drawPlugins(all, changed) {
  const numbers = ["calls", "failures", "crashes", "restarts"];
  const rows = all.map((one) => [
    one.id,
    quiet(one.version ?? ""),
    quiet(one.carrier ?? ""),
    el("span", { class: "state" }, el("span", { class: `dot ${one.state}` }), one.state),
    ...numbers.map((name) => String(one[name])),
    one.error === null
      ? ""
      : el(
          "span",
          { class: one.state === "running" ? "quiet" : "bad" },
          `${one.error.code}: ${one.error.message}`,
        ),
  ]);
  const columns = ["plugin", "version", "carrier", "state", ...numbers, "last error"];
  $("actor").replaceChildren(
    el("header", {}, el("h2", {}, "Plugins")),
    el("p", { class: "facts" }, "Of this program; counted since they were activated."),
    el("div", { id: "body" }, table(columns, rows, { fresh: changed, numbers })),
  );
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
  const { sections, database } = view.overview;
  // A history is one workflow's: there is nothing to show without its id.
  const others = sections.filter((name) => !["state", "workflow-history"].includes(name));
  const tabs = ["calls", "connections", ...others];
  if (sections.includes("state")) tabs.unshift("state");
  if (database) tabs.push("database");
  tabs.push("options");
  if (!tabs.includes(tab)) tab = tabs[0];
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
  const { lastError } = view.overview;
  const facts = [`made ${new Date(createdAt).toLocaleString()}`];
  if (awakeReasons.length > 0) facts.push(`awake for ${awakeReasons.join(", ")}`);
  if (typeof alarmAt === "number") facts.push(`wakes at ${at(alarmAt)}`);
  if (lastError)
    facts.push(
      `last error: ${lastError.message ?? ""} ${lastError.code} ${lastError.action ? `in ${lastError.action}` : "when it started"} at ${at(lastError.at)}${lastError.id ? `, in the log under ${lastError.id}` : ""}`,
    );
  $("facts").textContent = facts.join(" · ");
}

function body(fresh) {
  const shown = {
    state: () =>
      table(
        ["property", "value"],
        Object.entries(view.state).map(([name, value]) => [name, json(value)]),
        { fresh },
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

const quiet = (text) => el("span", { class: "quiet" }, text);

/** Rows whose first cell is among `fresh` have just changed; columns named in `numbers` stand right. */
function table(columns, rows, { fresh = [], numbers = [] } = {}) {
  if (rows.length === 0) return el("p", { class: "quiet" }, "Nothing here.");
  const side = (name) => (numbers.includes(name) ? "number" : undefined);
  const head = columns.map((name) => el("th", { scope: "col", class: side(name) }, name));
  const line = (cells) =>
    el(
      "tr",
      { class: fresh.includes(cells[0]) ? "fresh" : undefined },
      ...cells.map((one, index) => el("td", { class: side(columns[index]) }, one)),
    );
  return el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows.map(line)));
}

function callTable(calls) {
  if (calls.length === 0) return el("p", { class: "quiet" }, "No calls yet.");
  const times = ["queue", "run", "gate", "storage"];
  const rows = calls.map((call) => [
    at(call.at),
    call.action,
    el("span", { class: call.outcome === "ok" ? "quiet" : "bad" }, call.outcome),
    ...times.map((name) => ms(call[`${name}Ms`])),
  ]);
  const numbers = times.map((name) => `${name} ms`);
  return table(["at", "action", "outcome", ...numbers], rows, { numbers });
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
  const tables = el("ul", { class: "tables" });
  const list = async () => {
    const { schema } = await ask(`/actors/${chosen}/schema`);
    const named = schema.filter(({ type }) => type === "table" || type === "view");
    const columns = await Promise.all(named.map(({ name }) => columnsOf(name)));
    tables.replaceChildren(
      ...named.map(({ name }, index) => {
        const fill = () => {
          text.value = `SELECT * FROM ${quoted(name)} LIMIT 100`;
          button.click();
        };
        return el("li", {}, el("button", { onclick: fill }, name), " ", quiet(columns[index].join(", ")));
      }),
    );
    if (named.length === 0) tables.replaceChildren(el("li", { class: "quiet" }, "No tables yet."));
  };
  list().catch((error) => tables.replaceChildren(el("li", { class: "bad" }, error.message)));
  return el("div", {}, tables, text, button, result);
}

const quoted = (name) => `"${name.replaceAll('"', '""')}"`;

/** The columns of a table, with their types. */
async function columnsOf(name) {
  const sql = "SELECT name, type FROM pragma_table_info(?)";
  const { rows } = await ask(`/actors/${chosen}/sql`, { sql, params: [name] });
  return rows.map((row) => row.filter(Boolean).join(" "));
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
  await plugins();
}

$("door").onsubmit = (event) => {
  event.preventDefault();
  enter($("token").value).catch((error) => door(error.message));
};
$("plugins").onclick = () => {
  live?.close();
  live = undefined;
  plugged = true;
  told = new Map();
  mark();
  plugins().catch(show);
};
$("name").onchange = () => list().catch(show);
$("prefix").oninput = () => list().catch(show);
const looked = () => !$("house").hidden && document.visibilityState === "visible";
setInterval(() => looked() && plugins().catch(show), 1_000);
setInterval(() => looked() && $("more").hidden && list().catch(show), 3_000);

const kept = sessionStorage.getItem("token");
if (kept === null) door();
else enter(kept).catch((error) => door(error.message));
